import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { IncomingAlert } from '../domain/alert.ts';
import type { AlertView } from '../domain/alert-lifecycle.ts';
import { parseAlertmanagerWebhook } from '../domain/alertmanager.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { markStale, observeAlert, recordProbe } from './correlation.ts';
import type { Tx } from './database.ts';
import { claimUnreadFeeds } from './dispatch.ts';
import { closeIfDrained, readFeed } from './incident-feed.ts';
import { recordAlerts } from './intake.ts';
import { putEscalationPolicy, putSlaPolicy } from './policies.ts';

let database: TestDatabase;
let integrationId: string;
const minute = 60_000;

beforeAll(async () => {
  database = await createTestDatabase();
  const { rows } = await database.owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', 'k') returning id`,
    [database.orgId],
  );
  integrationId = rows[0].id;
  await write((tx) =>
    putEscalationPolicy(tx, {
      orgId: database.orgId,
      name: 'default',
      definition: {
        levels: [{ after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] }],
        repeats: 0,
      },
      actor: 'test',
    }),
  );
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from incident_feed');
  await database.owner.query('delete from alerts');
  await database.owner.query('delete from incidents');
});

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

/** Takes an alert in and answers with the id of its open episode. */
async function fire(change: Partial<IncomingAlert> = {}): Promise<number> {
  const alert: IncomingAlert = {
    fingerprint: 'f1',
    status: 'firing',
    name: 'HighLatency',
    severity: 'warning',
    service: 'checkout',
    labels: { alertname: 'HighLatency' },
    annotations: {},
    generatorUrl: null,
    startsAt: '2026-01-01T10:00:00Z',
    endsAt: null,
    truncated: 0,
    ...change,
  };
  await write((tx) => recordAlerts(tx, { orgId: database.orgId, integrationId, alerts: [alert] }));
  const { rows } = await database.owner.query(
    `select id from alerts where fingerprint = $1 order by id desc limit 1`,
    [alert.fingerprint],
  );
  return rows[0].id;
}
const observe = (alertId: number, before: Pick<AlertView, 'status' | 'severity'> | null = null) =>
  write((tx) => observeAlert(tx, { orgId: database.orgId, alertId, before }));
const waitsForLock = () =>
  expect
    .poll(async () => {
      const { rows } = await database.owner.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0].n;
    })
    .toBe(1);
const incident = async () => {
  const { rows } = await database.owner.query('select * from incidents order by number');
  return rows;
};

test('the first alert opens an incident and owes the signal; a second sighting of the same changes nothing and still owes', async () => {
  const id = await fire();
  const first = await observe(id);
  const again = await observe(id);
  expect([first.owesSignal, again.owesSignal]).toEqual([true, true]);
  expect(again.incident).toEqual(first.incident);
  expect(await incident()).toMatchObject([
    { alert_count: 1, firing_count: 1, feed_seq: 1, title: 'HighLatency on checkout' },
  ]);
});

test('an alert of the same service joins, and only the flip to unread owes a signal', async () => {
  await observe(await fire());
  const second = await observe(await fire({ fingerprint: 'f2', severity: 'critical' }));
  expect(second.owesSignal).toBe(false);
  expect(await incident()).toMatchObject([
    { alert_count: 2, firing_count: 2, severity: 'critical', feed_seq: 2 },
  ]);
});

test('a feed that was read a moment ago is owed by nobody: the sweep signals it once, and later than at once', async () => {
  const { incident: opened } = await observe(await fire());
  await write((tx) => readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: 15 * minute }));
  const second = await observe(await fire({ fingerprint: 'f2' }));
  expect(second.owesSignal).toBe(false);
  const sweep = () => claimUnreadFeeds(database.db, minute, 10);
  expect(await sweep()).toEqual([]);
  await database.owner.query(`update incidents set feed_owed_since = feed_owed_since - interval '1 second'`);
  expect(await sweep()).toEqual([{ orgId: database.orgId, incidentId: opened.id, number: opened.number }]);
  await database.owner.query(`update incidents set feed_owed_since = feed_owed_since - interval '1 second'`);
  expect(await sweep()).toEqual([]);
});

test('an alert that changes long after the feed was read owes the signal', async () => {
  const { incident: opened } = await observe(await fire());
  await write((tx) => readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: 15 * minute }));
  await database.owner.query(`update incidents set feed_read_at = now() - interval '2 seconds'`);
  expect((await observe(await fire({ fingerprint: 'f2' }))).owesSignal).toBe(true);
});

test('an alert whose labels are longer than an index takes is correlated all the same', async () => {
  const { rows } = await database.owner.query(
    `select string_agg(md5(n::text), '') as long from generate_series(1, 2000) n`,
  );
  const labels = { alertname: 'HighLatency', service: rows[0].long, host: rows[0].long };
  const parsed = parseAlertmanagerWebhook({
    alerts: [{ status: 'firing', labels, startsAt: '2026-01-01T10:00:00Z', fingerprint: 'long' }],
  });
  if (!parsed.ok) throw new Error('refused');
  const sighting = await observe(await fire(parsed.alerts[0]));
  expect(sighting.owesSignal).toBe(true);
});

test('an alert of another service, or of the same one too late, opens another incident', async () => {
  await observe(await fire());
  await observe(await fire({ fingerprint: 'f2', service: 'search' }));
  await database.owner.query(`update incidents set last_alert_at = now() - interval '6 minutes'`);
  await observe(await fire({ fingerprint: 'f3' }));
  expect((await incident()).map((row) => row.service)).toEqual(['checkout', 'search', 'checkout']);
});

test('the same fingerprint joins its incident however late, as long as it is not closed', async () => {
  const { incident: first } = await observe(await fire());
  await database.owner.query(`update alerts set status = 'resolved', resolved_at = now()`);
  await database.owner.query(`update incidents set last_alert_at = now() - interval '1 hour'`);
  expect((await observe(await fire())).incident).toEqual(first);
});

test('100 alerts of one service at once open one incident', async () => {
  const ids = [];
  for (let n = 0; n < 100; n++) ids.push(await fire({ fingerprint: `storm${n}` }));
  const sightings = await Promise.all(ids.map((id) => observe(id)));
  expect(sightings.filter((sighting) => sighting.owesSignal)).toHaveLength(1);
  expect(await incident()).toMatchObject([{ alert_count: 100, firing_count: 100, feed_seq: 100 }]);
});

test('a resolve lowers the count once, and a reading tells where the incident stands', async () => {
  const id = await fire();
  const { incident: opened, ...view } = await observe(id);
  await fire({ status: 'resolved', endsAt: '2026-01-01T10:30:00Z' });
  await observe(id, view);
  await observe(id, view);
  const read = await write((tx) =>
    readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: 15 * minute }),
  );
  expect(read.digest).toMatchObject({ seq: 2, alertCount: 1, firingCount: 0, firingJoined: false });
  expect((await incident())[0]).toMatchObject({ feed_unread: false });
});

test('an incident is closed only when its feed has been read to the end, and a closed one is never joined', async () => {
  const { incident: opened } = await observe(await fire());
  await write((tx) => readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: minute }));
  await observe(await fire({ fingerprint: 'late' }));
  expect(await write((tx) => closeIfDrained(tx, { incidentId: opened.id, afterSeq: 1 }))).toBe(false);
  await write((tx) => readFeed(tx, { incidentId: opened.id, afterSeq: 1, reopenWindowMs: minute }));
  expect(await write((tx) => closeIfDrained(tx, { incidentId: opened.id, afterSeq: 2 }))).toBe(true);
  const next = await observe(await fire({ fingerprint: 'next' }));
  expect(next.incident.number).toBe(opened.number + 1);
});

test('an alert that meets the closing of its incident opens another one', async () => {
  const { incident: opened } = await observe(await fire());
  await write((tx) => readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: minute }));
  const late = await fire({ fingerprint: 'late' });
  const closing = await database.owner.connect();
  await closing.query('begin');
  await closing.query('update incidents set closed_at = now() where id = $1', [opened.id]);
  const sighting = observe(late);
  await waitsForLock();
  await closing.query('commit');
  closing.release();
  expect((await sighting).incident.number).toBe(opened.number + 1);
  expect(await incident()).toMatchObject([{ alert_count: 1 }, { alert_count: 1, feed_unread: true }]);
});

test('a workflow that is begun again after its alert was over when it joined lowers no count', async () => {
  await observe(await fire({ fingerprint: 'other' }));
  const id = await fire({ fingerprint: 'short' });
  await fire({ fingerprint: 'short', status: 'resolved', endsAt: '2026-01-01T10:30:00Z' });
  await observe(id);
  await observe(id);
  expect(await incident()).toMatchObject([{ alert_count: 2, firing_count: 1, feed_seq: 2 }]);
});

test('the policies are chosen by all alerts of the incident, whichever of them are new', async () => {
  await write((tx) =>
    putSlaPolicy(tx, {
      orgId: database.orgId,
      name: 'payments',
      definition: { order: 1, match: { alert: 'Payment*' }, acknowledgeWithin: '2m', resolveWithin: '15m' },
      actor: 'test',
    }),
  );
  const { incident: opened } = await observe(await fire({ name: 'PaymentErrors' }));
  await observe(await fire({ fingerprint: 'f2', name: 'DiskFull' }));
  const read = await write((tx) =>
    readFeed(tx, { incidentId: opened.id, afterSeq: 1, reopenWindowMs: minute }),
  );
  expect(read.joined.map((alert) => alert.name)).toEqual(['DiskFull']);
  expect(read.digest.plan.sla?.policy).toBe('payments');
});

test('alerts of one name are looked at each, since their labels differ', async () => {
  const { incident: opened } = await observe(await fire({ labels: { env: 'test' } }));
  await observe(await fire({ fingerprint: 'f2', labels: { env: 'production' } }));
  const read = await write((tx) =>
    readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: minute }),
  );
  expect(read.joined.map((alert) => alert.labels.env)).toEqual(['test', 'production']);
});

test('a probe that says an alert is over counts for nothing when it came again meanwhile', async () => {
  const id = await fire();
  const { lastSeenAt } = await observe(id);
  await write((tx) => recordProbe(tx, id, lastSeenAt - 1, false));
  expect(await observe(id)).toMatchObject({ status: 'firing' });
  await write((tx) => recordProbe(tx, id, lastSeenAt, false));
  expect(await observe(id)).toMatchObject({ status: 'resolved' });
});

test('what still fires after a person resolved its incident and it was closed opens another one', async () => {
  const id = await fire();
  const { incident: first, ...view } = await observe(id);
  await database.owner.query(
    `update incidents set status = 'resolved', resolved_at = now(), closed_at = now()`,
  );
  await fire();
  const again = await observe(id, view);
  expect(again.incident.number).toBe(first.number + 1);
});

test('only a firing alert that was not seen meanwhile becomes stale', async () => {
  const id = await fire();
  const { lastSeenAt } = await observe(id);
  expect(await write((tx) => markStale(tx, id, lastSeenAt - 1))).toBe(false);
  expect(await write((tx) => markStale(tx, id, lastSeenAt))).toBe(true);
  expect(await observe(id, { status: 'firing', severity: 'warning' })).toMatchObject({ status: 'stale' });
  expect((await incident())[0]).toMatchObject({ firing_count: 1 });
});
