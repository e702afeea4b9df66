import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newIncidentState } from '../domain/incident/state.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { recordIncident } from './incident-record.ts';
import { readRecorded } from './incident-restore.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 2, minute));
async function insert(table: string, columns: Record<string, unknown>): Promise<string> {
  const row = { org_id: database.orgId, ...columns };
  const names = Object.keys(row);
  const { rows } = await database.owner.query(
    `insert into ${table} (${names}) values (${names.map((_, place) => `$${place + 1}`)}) returning *`,
    Object.values(row),
  );
  return rows[0].id;
}
const incident = (number: number, columns: Record<string, unknown> = {}) =>
  insert('incidents', {
    number,
    title: 'x',
    severity: 'critical',
    severity_rank: 0,
    opened_at: at(0),
    ...columns,
  });
const read = (id: string) => database.db.read({ orgId: database.orgId }, (tx) => readRecorded(tx, id));

test('there is nothing to restore of an incident that nothing is recorded of', async () => {
  expect(await read(await incident(1))).toBeUndefined();
  expect(await read(randomUUID())).toBeUndefined();
});

test('restores where it stands: people, clocks, pages, the latest execution of each runbook, what was told', async () => {
  const other = await incident(2);
  const id = await incident(3, {
    recorded_seq: 12,
    status: 'mitigated',
    acknowledged_at: at(3),
    acknowledged_by: 'ana',
    cause_service: 'db',
    cause_confidence: 0.5,
  });
  const told = { incident_id: id, actor: 'Holdfast', summary: 'x' };
  await insert('timeline', { ...told, kind: 'reopened', at: at(9), dedup_key: 'incident:8' });
  const anew = { kind: 'unacknowledged', at: at(10), data: { round: 2 }, dedup_key: 'incident:11' };
  await insert('timeline', { ...told, ...anew });
  await insert('timeline', { ...told, kind: 'change', data: { changeId: 7 }, dedup_key: 'b' });
  const clock = { incident_id: id, policy: 'p', started_at: at(0), at_risk_at: at(4), due_at: at(5) };
  await insert('sla_clocks', { ...clock, kind: 'acknowledge', state: 'met', ended_at: at(3) });
  const page = { incident_id: id, type: 'escalation.page', channel: 'email', destination: 'x', subject: 'x' };
  await insert('notifications', { ...page, key: `incident:${id}:page:1:0.0.0`, status: 'sent' });
  const person = { key: `incident:${id}:page:1:2.0.0.0.0.0`, person: 'ana@example.com' };
  await insert('notifications', { ...page, ...person, status: 'sent' });
  await insert('notifications', { ...page, key: `incident:${id}:page:1:0.1.0`, status: 'failed' });
  await insert('notifications', { ...page, key: `incident:${id}:page:1:0.2.0`, status: 'skipped' });
  const run = {
    incident_id: id,
    runbook: 'restart',
    runbook_version: 1,
    requested_by: 'x',
    mode: 'auto',
    target: 't',
  };
  const rest = { inputs: {}, workflow_id: 'w' };
  await insert('executions', { ...run, ...rest, status: 'failed', created_at: at(1) });
  const latest = await insert('executions', { ...run, ...rest, status: 'running', created_at: at(2) });
  // those between that were refused left no row, and the numbers of them are gone as well
  for (const place of [9, 10]) {
    const regrouped = { from_incident: id, into_incident: other, actor: 'ana' };
    await insert('regroupings', { key: `incident:${id}:regroup:${place}`, ...regrouped });
  }
  expect(await read(id)).toEqual({
    seq: 12,
    status: 'mitigated',
    acknowledged: { at: at(3).getTime(), by: 'ana' },
    assignedTo: null,
    snoozedUntil: null,
    silencedUntil: null,
    escalationFrom: at(9).getTime(),
    resolved: null,
    firesSinceResolved: false,
    clocks: [
      {
        kind: 'acknowledge',
        policy: 'p',
        state: 'met',
        startedAt: at(0).getTime(),
        atRiskAt: at(4).getTime(),
        dueAt: at(5).getTime(),
        endedAt: at(3).getTime(),
      },
    ],
    cause: { service: 'db', confidence: 0.5, by: null },
    mergedInto: null,
    openings: 2,
    rounds: 2,
    renewedSeq: 11,
    pages: ['page:1:2.0.0.0.0.0', 'page:1:0.0.0'],
    people: {
      'page:1:2.0.0.0.0.0': { type: 'contact', email: 'ana@example.com', method: { type: 'email' } },
    },
    executions: [{ runbook: 'restart', mode: 'auto', executionId: latest, status: 'running' }],
    changesTold: [7],
    regroupings: 11,
  });
});

test('escalation goes on from where snoozes have moved it', async () => {
  const incidentId = await incident(4);
  const { orgId } = database;
  const standing = {
    ...newIncidentState(4, at(0).getTime()),
    escalationPolicy: null,
    silencedUntil: null,
  };
  const moved = { ...standing, escalationFrom: at(40).getTime() };
  await database.db.write({ orgId }, (tx) =>
    recordIncident(tx, { orgId, incidentId, seq: 1, deadlines: [], entries: [], standing: moved }),
  );
  expect((await read(incidentId))?.escalationFrom).toBe(at(40).getTime());
});

test.each([
  ['fired before and still does', 5, 'firing', false],
  ['came after and fires', 15, 'firing', true],
  ['came after and is over', 15, 'resolved', false],
])('what fires since it was resolved: an alert that %s', async (_, minute, status, fires) => {
  const id = await incident(100 + minute + status.length, { recorded_seq: 1, resolved_at: at(10) });
  const integration = await insert('integrations', { kind: 'alertmanager', name: `${id}`, key_hash: id });
  const alert = await insert('alerts', {
    integration_id: integration,
    fingerprint: id,
    status,
    name: 'x',
    severity: 'critical',
    severity_rank: 0,
    labels: {},
    annotations: {},
    starts_at: at(0),
    incident_id: id,
  });
  const fed = { incident_id: id, seq: 1, kind: 'joined', alert_id: alert, alert_version: 1, at: at(minute) };
  await insert('incident_feed', fed);
  expect((await read(id))?.firesSinceResolved).toBe(fires);
});
