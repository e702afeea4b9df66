import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { IncomingAlert } from '../domain/alert.ts';
import { addAlertmanager, takeAlert } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { observeAlert } from './correlation.ts';
import type { Tx } from './database.ts';
import { readFeed } from './incident-feed.ts';
import { type Regrouping, RegroupRefusedError, regroup } from './regroup.ts';

let database: TestDatabase;
let integrationId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await addAlertmanager(database);
  const definition = {
    levels: [{ after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] }],
    repeats: 0,
  };
  await database.owner.query(
    `insert into escalation_policies (org_id, name, definition) values ($1, 'default', $2)`,
    [database.orgId, JSON.stringify(definition)],
  );
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from correlation_memory');
  await database.owner.query('delete from incident_feed');
  await database.owner.query('delete from alerts');
  await database.owner.query('delete from incidents');
});

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

const take = (change: Partial<IncomingAlert>): Promise<number> => takeAlert(database, integrationId, change);

const observe = (alertId: number, before: { status: 'firing'; severity: 'warning' } | null = null) =>
  write((tx) => observeAlert(tx, { orgId: database.orgId, alertId, before }));

async function open(change: Partial<IncomingAlert>) {
  const alertId = await take(change);
  return { alertId, ...(await observe(alertId)).incident };
}

const move = (args: Pick<Regrouping, 'fromIncident' | 'alertIds' | 'into'> & Partial<Regrouping>) =>
  write((tx) =>
    regroup(tx, {
      orgId: database.orgId,
      key: randomUUID(),
      actor: 'ana@example.com',
      byPerson: true,
      reason: null,
      ...args,
    }),
  );

const incidentRow = async (number: number) => {
  const { rows } = await database.owner.query('select * from incidents where number = $1', [number]);
  return rows[0];
};
const keysOf = async (id: string): Promise<string[]> => {
  const { rows } = await database.owner.query(
    'select key from incident_keys where incident_id = $1 order by key',
    [id],
  );
  return rows.map(({ key }) => key);
};
const closeAll = () => database.owner.query('update incidents set closed_at = now()');

test('a merge moves everything, once, and says so in both timelines', async () => {
  const kept = await open({ fingerprint: 'a', service: 'checkout' });
  const gone = await open({ fingerprint: 'b', service: 'search', severity: 'critical' });
  expect(gone.number).not.toBe(kept.number);
  const key = randomUUID();
  const first = await move({ fromIncident: gone.id, alertIds: null, into: kept.number, key });
  const again = await move({ fromIncident: gone.id, alertIds: null, into: kept.number, key });
  expect([first, again]).toEqual(Array(2).fill({ into: { id: kept.id, number: kept.number } }));
  expect(await incidentRow(kept.number)).toMatchObject({
    alert_count: 2,
    firing_count: 2,
    severity: 'critical',
    feed_seq: 2,
    feed_unread: true,
  });
  expect(await incidentRow(gone.number)).toMatchObject({
    alert_count: 0,
    firing_count: 0,
    merged_into: kept.number,
    feed_seq: 2,
  });
  expect(await keysOf(gone.id)).toEqual([]);
  expect(await keysOf(kept.id)).toEqual(expect.arrayContaining(['service=checkout', 'service=search']));
  const { rows } = await database.owner.query(
    `select i.number, t.summary from timeline t join incidents i on i.id = t.incident_id
     where t.kind = 'regrouped' order by i.number`,
  );
  expect(rows).toEqual([
    { number: kept.number, summary: `#${gone.number} was merged into this incident with 1 alert` },
    { number: gone.number, summary: `merged into #${kept.number} with 1 alert` },
  ]);
  const { rows: audit } = await database.owner.query(
    `select subject from audit_log where action = 'incident.merged' and subject = $1`,
    [`incident:${gone.number}`],
  );
  expect(audit).toHaveLength(1);
});

test('what a moved alert has yet to tell counts in its new incident', async () => {
  const kept = await open({ fingerprint: 'a' });
  const gone = await open({ fingerprint: 'b', service: 'search' });
  await take({ fingerprint: 'b', service: 'search', status: 'resolved', endsAt: '2026-01-01T10:30:00Z' });
  await move({ fromIncident: gone.id, alertIds: null, into: kept.number });
  expect(await incidentRow(kept.number)).toMatchObject({ alert_count: 2, firing_count: 2 });
  await observe(gone.alertId, { status: 'firing', severity: 'warning' });
  expect(await incidentRow(kept.number)).toMatchObject({ alert_count: 2, firing_count: 1 });
});

test('an alert that goes and comes back is in the feed of its first incident as joined', async () => {
  const { id, number } = await open({ fingerprint: 'a' });
  const split = await open({ fingerprint: 'b' });
  const { into } = await move({ fromIncident: id, alertIds: [split.alertId], into: null });
  expect(await incidentRow(number)).toMatchObject({ alert_count: 1, firing_count: 1 });
  await move({ fromIncident: into.id, alertIds: null, into: number });
  expect(await incidentRow(number)).toMatchObject({ alert_count: 2, firing_count: 2 });
  const { rows } = await database.owner.query(
    'select kind from incident_feed where incident_id = $1 and alert_id = $2 order by seq desc limit 1',
    [id, split.alertId],
  );
  expect(rows).toEqual([{ kind: 'joined' }]);
});

test('a split opens an incident of its own, and each is found by what it has', async () => {
  const { id, number } = await open({ fingerprint: 'a', severity: 'warning' });
  const other = await open({ fingerprint: 'b', severity: 'critical', name: 'DiskFull', annotations: {} });
  expect(other.number).toBe(number);
  const { into } = await move({ fromIncident: id, alertIds: [other.alertId], into: null });
  expect(await incidentRow(into.number)).toMatchObject({
    title: 'DiskFull on checkout',
    severity: 'critical',
    alert_count: 1,
    firing_count: 1,
    feed_unread: true,
  });
  expect(await incidentRow(number)).toMatchObject({ severity: 'warning', alert_count: 1, firing_count: 1 });
  expect(await keysOf(id)).not.toContain('name=DiskFull');
  expect(await keysOf(into.id)).toContain('name=DiskFull');
});

test('what was moved away calls no runbook of the incident that it left', async () => {
  const { id } = await open({ fingerprint: 'a' });
  const other = await open({ fingerprint: 'b', name: 'DiskFull' });
  await move({ fromIncident: id, alertIds: [other.alertId], into: null });
  const { joined } = await write((tx) =>
    readFeed(tx, { incidentId: id, afterSeq: 0, reopenWindowMs: 60_000 }),
  );
  expect(joined.map(({ name }) => name)).toEqual(['HighLatency']);
});

test('what was split stays apart at the next sighting, until it is merged again', async () => {
  const { id } = await open({ fingerprint: 'a' });
  const other = await open({ fingerprint: 'b' });
  await move({ fromIncident: id, alertIds: [other.alertId], into: null });
  await closeAll();
  await database.owner.query(`update alerts set status = 'resolved', ends_at = now(), resolved_at = now()`);
  const again = await open({ fingerprint: 'a' });
  const apart = await open({ fingerprint: 'b' });
  expect(apart.number).not.toBe(again.number);
  await move({ fromIncident: apart.id, alertIds: null, into: again.number });
  await closeAll();
  await database.owner.query(`update alerts set status = 'resolved', ends_at = now(), resolved_at = now()`);
  const third = await open({ fingerprint: 'a' });
  expect((await open({ fingerprint: 'b' })).number).toBe(third.number);
});

test('what was merged is together at the next sighting, although nothing else says so', async () => {
  const a = await open({ fingerprint: 'a', service: 'checkout' });
  const b = await open({ fingerprint: 'b', service: 'billing', name: 'DiskFull' });
  await move({ fromIncident: b.id, alertIds: null, into: a.number });
  await closeAll();
  await database.owner.query(`update alerts set status = 'resolved', ends_at = now(), resolved_at = now()`);
  const again = await open({ fingerprint: 'b', service: 'billing', name: 'DiskFull' });
  expect((await open({ fingerprint: 'a', service: 'checkout' })).number).toBe(again.number);
});

test('what Holdfast merges itself is not remembered', async () => {
  const a = await open({ fingerprint: 'a', service: 'checkout' });
  const b = await open({ fingerprint: 'b', service: 'billing' });
  await move({
    fromIncident: b.id,
    alertIds: null,
    into: a.number,
    byPerson: false,
    actor: 'Holdfast',
    reason: 'checkout calls billing',
  });
  const { rows } = await database.owner.query('select 1 from correlation_memory');
  expect(rows).toEqual([]);
});

test('a merge into what was merged goes where that went', async () => {
  const a = await open({ fingerprint: 'a', service: 'one' });
  const b = await open({ fingerprint: 'b', service: 'two' });
  const c = await open({ fingerprint: 'c', service: 'three' });
  await move({ fromIncident: b.id, alertIds: null, into: a.number });
  expect(await move({ fromIncident: c.id, alertIds: null, into: b.number })).toEqual({
    into: { id: a.id, number: a.number },
  });
});

test.each([
  ['into itself', (a: number) => ({ alertIds: null, into: a })],
  ['all of it into a new one', () => ({ alertIds: null, into: null })],
  ['into one that there is not', () => ({ alertIds: null, into: 99_999 })],
  ['alerts that it does not have', (_: number, b: number) => ({ alertIds: [0], into: b })],
])('refused, and nothing has changed: %s', async (_, args) => {
  const a = await open({ fingerprint: 'a', service: 'one' });
  const b = await open({ fingerprint: 'b', service: 'two' });
  await expect(move({ fromIncident: a.id, ...args(a.number, b.number) })).rejects.toThrow(
    RegroupRefusedError,
  );
  expect(await incidentRow(a.number)).toMatchObject({ alert_count: 1, feed_seq: 1, merged_into: null });
});

test('a closed incident takes nothing', async () => {
  const a = await open({ fingerprint: 'a', service: 'one' });
  const b = await open({ fingerprint: 'b', service: 'two' });
  await database.owner.query('update incidents set closed_at = now() where id = $1', [b.id]);
  await expect(move({ fromIncident: a.id, alertIds: null, into: b.number })).rejects.toThrow(
    `#${b.number} is closed`,
  );
});

test('an incident of ten thousand alerts is split before PostgreSQL gives up', async () => {
  const { id } = await open({ fingerprint: 'first' });
  await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, incident_id)
     select $1, $2, 'of-many-' || n, 'firing', 'A', 'high', 1, 's', '{}', '{}', now(), $3
     from generate_series(1, 10000) n`,
    [database.orgId, integrationId, id],
  );
  await database.owner.query('update incidents set alert_count = 10001, firing_count = 10001');
  const { rows } = await database.owner.query(
    `select array_agg(id) as ids from (select id from alerts where fingerprint <> 'first' order by id limit 500) a`,
  );
  const { into } = await move({ fromIncident: id, alertIds: rows[0].ids.map(Number), into: null });
  expect(await incidentRow(into.number)).toMatchObject({ alert_count: 500, firing_count: 500 });
}, 60_000);

/** Runs `work` and keeps its transaction open until the answer's `end` is called. */
async function hold<T>(work: (tx: Tx) => Promise<T>): Promise<{ end: () => Promise<T> }> {
  const done = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const result = write(async (tx) => {
    const answer = await work(tx);
    done.resolve();
    await ended.promise;
    return answer;
  });
  result.catch(done.reject);
  await done.promise;
  return {
    end: () => {
      ended.resolve();
      return result;
    },
  };
}
const waitsForLock = () =>
  expect
    .poll(async () => {
      const { rows } = await database.owner.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0].n;
    })
    .toBe(1);
const asked = (args: Pick<Regrouping, 'key' | 'fromIncident' | 'into'>): Regrouping => ({
  orgId: database.orgId,
  alertIds: null,
  actor: 'ana@example.com',
  byPerson: true,
  reason: null,
  ...args,
});

test('a merge takes along what joins while it waits', async () => {
  const gone = await open({ fingerprint: 'a', service: 'one' });
  const kept = await open({ fingerprint: 'b', service: 'two' });
  const alertId = await take({ fingerprint: 'c', service: 'one' });
  const joining = await hold((tx) => observeAlert(tx, { orgId: database.orgId, alertId, before: null }));
  const merging = move({ fromIncident: gone.id, alertIds: null, into: kept.number });
  await waitsForLock();
  expect((await joining.end()).incident.number).toBe(gone.number);
  await merging;
  expect(await incidentRow(kept.number)).toMatchObject({ alert_count: 3, firing_count: 3 });
  const { rows } = await database.owner.query('select 1 from alerts where incident_id = $1', [gone.id]);
  expect(rows).toEqual([]);
});

test('a merge into what is being merged goes where that went', async () => {
  const a = await open({ fingerprint: 'a', service: 'one' });
  const b = await open({ fingerprint: 'b', service: 'two' });
  const c = await open({ fingerprint: 'c', service: 'three' });
  const first = await hold((tx) =>
    regroup(tx, asked({ key: randomUUID(), fromIncident: b.id, into: a.number })),
  );
  const second = move({ fromIncident: c.id, alertIds: null, into: b.number });
  await waitsForLock();
  await first.end();
  expect(await second).toEqual({ into: { id: a.id, number: a.number } });
});

test('a second attempt answers as the first one that is under way', async () => {
  const a = await open({ fingerprint: 'a', service: 'one' });
  const b = await open({ fingerprint: 'b', service: 'two' });
  const merge = asked({ key: randomUUID(), fromIncident: b.id, into: a.number });
  const first = await hold((tx) => regroup(tx, merge));
  const second = write((tx) => regroup(tx, merge));
  await waitsForLock();
  expect(await first.end()).toEqual(await second);
  expect(await incidentRow(a.number)).toMatchObject({ alert_count: 2 });
});

test('alerts are locked in the order in which the intake takes them', async () => {
  // the later id has the earlier fingerprint
  const { alertId: last, id } = await open({ fingerprint: 'z', service: 'one' });
  await open({ fingerprint: 'a', service: 'one' });
  const kept = await open({ fingerprint: 'b', service: 'two' });
  const intake = await database.owner.connect();
  await intake.query('begin');
  await intake.query(`select 1 from alerts where fingerprint = 'a' for update`);
  const merging = move({ fromIncident: id, alertIds: null, into: kept.number });
  await waitsForLock();
  await intake.query('select 1 from alerts where id = $1 for update nowait', [last]);
  await intake.query('commit');
  intake.release();
  await merging;
});

test('a sighting that runs again after a move lowers no count twice', async () => {
  const gone = await open({ fingerprint: 'a', service: 'one' });
  await open({ fingerprint: 'b', service: 'one' });
  const kept = await open({ fingerprint: 'c', service: 'two' });
  await take({ fingerprint: 'a', service: 'one', status: 'resolved', endsAt: '2026-01-01T10:30:00Z' });
  await observe(gone.alertId, { status: 'firing', severity: 'warning' });
  await move({ fromIncident: gone.id, alertIds: null, into: kept.number });
  expect(await incidentRow(kept.number)).toMatchObject({ alert_count: 3, firing_count: 2 });
  await observe(gone.alertId, { status: 'firing', severity: 'warning' });
  expect(await incidentRow(kept.number)).toMatchObject({ alert_count: 3, firing_count: 2 });
});

test('what was left in an incident that was merged joins anew', async () => {
  const { id, number, alertId } = await open({ fingerprint: 'a' });
  await database.owner.query('update incidents set merged_into = 1 where id = $1', [id]);
  expect((await observe(alertId, { status: 'firing', severity: 'warning' })).incident.number).toBe(
    number + 1,
  );
});
