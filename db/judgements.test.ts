import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TimelineEntry } from '../domain/incident/state.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { standing } from '../test/harness/incident-standing.ts';
import { type IncidentRecord, recordIncident } from './incident-record.ts';
import { judgeClosedCause, judgeClosedChange } from './judgements.ts';

let database: TestDatabase;
let incidentId: string;
let number = 0;
let changeId: number;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  number += 1;
  const { orgId, owner } = database;
  const { rows } = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, cause_service, cause_confidence)
     values ($1, $2, 'x', 'critical', 1, 'db', 0.8) returning id`,
    [orgId, number],
  );
  incidentId = rows[0].id;
  const change = await owner.query(
    `insert into changes (org_id, source, external_id, type, status, service, title, version, previous_version, at)
     values ($1, 'manual', $2, 'deployment', 'succeeded', 'payment', 'x', 'v2', 'v1', now()) returning id`,
    [orgId, randomUUID()],
  );
  changeId = change.rows[0].id;
});

const read = async (query: string, values: unknown[] = [incidentId]) =>
  (await database.owner.query(query, values)).rows;
const causeOf = async () =>
  (await read('select cause_service, cause_confidence, cause_by from incidents where id = $1'))[0];
const lines = async () =>
  (await read('select kind, actor, summary from timeline where incident_id = $1 order by id')).map(
    ({ kind, actor, summary }) => `${kind} ${actor}: ${summary}`,
  );
const audits = async () =>
  (await read('select action from audit_log where subject = $1 order by id', [`incident:${number}`])).map(
    ({ action }) => action,
  );
const verdicts = async () =>
  await read('select verdict, judged_by from incident_changes where incident_id = $1');

const entry = (seq: number, at: number, verdict: string, actor: string): TimelineEntry => ({
  seq,
  at,
  kind: `change_${verdict}`,
  actor,
  summary: `change ${changeId}`,
  data: { changeId, verdict },
  audit: 'incident.judge_change',
});
const record = async (change: Partial<IncidentRecord> & { cause?: IncidentRecord['standing']['cause'] }) => {
  const { cause = null, ...rest } = change;
  await database.db.write({ orgId: database.orgId }, (tx) =>
    recordIncident(tx, {
      orgId: database.orgId,
      incidentId,
      seq: 1,
      deadlines: [],
      entries: [],
      ...rest,
      standing: standing({ escalationFrom: Date.now(), cause }),
    }),
  );
};
const write = async <T>(work: Parameters<typeof database.db.write<T>>[1]) =>
  await database.db.write({ orgId: database.orgId }, work);

test("a person's word on the cause is recorded with the trait by which others find it; the ranking's is not", async () => {
  await record({ cause: { service: 'api', confidence: 0.6, by: null } });
  expect(await causeOf()).toMatchObject({ cause_service: 'db', cause_by: null });
  await record({ seq: 2, cause: { service: 'dns', confidence: 1, by: 'ana' } });
  await record({ seq: 3, cause: { service: 'disk', confidence: 1, by: 'ben' } });
  expect(await causeOf()).toEqual({ cause_service: 'disk', cause_confidence: 1, cause_by: 'ben' });
  expect(await read('select trait from incident_traits where incident_id = $1')).toEqual([
    { trait: 'cause=disk' },
  ]);
});

test('a verdict is recorded once, in the words of the change, and the later word stands', async () => {
  const now = Date.now();
  const later = entry(2, now, 'dismissed', 'ben');
  await record({ seq: 2, entries: [later] });
  await record({ seq: 2, entries: [entry(1, now - 1000, 'confirmed', 'ana'), later] });
  expect(await verdicts()).toEqual([{ verdict: 'dismissed', judged_by: 'ben' }]);
  expect((await lines()).sort()).toEqual([
    'change_confirmed ana: Confirmed as a cause: payment v1 → v2',
    'change_dismissed ben: Not a cause: payment v1 → v2',
  ]);
  expect(await audits()).toEqual(['incident.judge_change', 'incident.judge_change']);
});

test('a verdict on a change that does not exist holds up no record', async () => {
  await record({
    entries: [{ ...entry(1, Date.now(), 'confirmed', 'ana'), data: { changeId: -1, verdict: 'confirmed' } }],
  });
  expect(await lines()).toEqual([`change_confirmed ana: change ${changeId}`]);
  expect(await verdicts()).toEqual([]);
});

test('after the end the same is written down directly, and saying it again is nothing new', async () => {
  const { orgId } = database;
  for (const service of ['db', 'db', 'dns']) {
    expect(await write((tx) => judgeClosedCause(tx, { orgId, number, service, actor: 'ana' }))).toBe(true);
    const verdict = { orgId, number, changeId, verdict: 'confirmed', actor: 'ana' } as const;
    expect(await write((tx) => judgeClosedChange(tx, verdict))).toBe(true);
  }
  expect(await causeOf()).toEqual({ cause_service: 'dns', cause_confidence: 1, cause_by: 'ana' });
  expect(await verdicts()).toEqual([{ verdict: 'confirmed', judged_by: 'ana' }]);
  expect(await lines()).toEqual([
    'cause_confirmed ana: Confirmed as the cause: db',
    'change_confirmed ana: Confirmed as a cause: payment v1 → v2',
    'cause_corrected ana: The cause is dns, not db',
  ]);
  expect(await audits()).toEqual(['incident.judge_cause', 'incident.judge_change', 'incident.judge_cause']);
});

test('nothing is said of what does not exist', async () => {
  const { orgId } = database;
  const actor = 'ana';
  expect(await write((tx) => judgeClosedCause(tx, { orgId, number: 999, service: 'db', actor }))).toBe(false);
  const verdict = { orgId, number, changeId: -1, verdict: 'confirmed', actor } as const;
  expect(await write((tx) => judgeClosedChange(tx, verdict))).toBe(false);
  expect(await audits()).toEqual([]);
});

test("a verdict on another team's change is told without its version", async () => {
  const { orgId, owner } = database;
  await owner.query(
    `with team as (insert into teams (org_id, slug, name) values ($1, 'money', 'Money') returning id)
     update changes set team_id = team.id from team where changes.id = $2`,
    [orgId, changeId],
  );
  await database.db.write({ orgId }, (tx) =>
    judgeClosedChange(tx, { orgId, number, changeId, verdict: 'confirmed', actor: 'ana@example.com' }),
  );
  expect(await lines()).toEqual([
    'change_confirmed ana@example.com: Confirmed as a cause: a change of payment',
  ]);
});
