import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { IncomingAlert } from '../domain/alert.ts';
import type { AlertView } from '../domain/alert-lifecycle.ts';
import { parseAlertmanagerWebhook } from '../domain/alertmanager.ts';
import { slaPolicy } from '../domain/policies.ts';
import { addAlertmanager, takeAlert } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { markStale, recordProbe } from './alert-silence.ts';
import { observeAlert } from './correlation.ts';
import type { Tx } from './database.ts';
import { claimUnreadFeeds } from './dispatch.ts';
import { closeIfDrained, readFeed } from './incident-feed.ts';
import { putEscalationPolicy } from './policies.ts';
import { putSlaPolicy } from './sla-policies.ts';

let database: TestDatabase;
let integrationId: string;
const minute = 60_000;

beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await addAlertmanager(database);
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
  await database.owner.query('delete from service_dependencies');
  await database.owner.query('delete from correlation_rules');
  await database.owner.query('delete from teams');
});

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

/** Takes an alert in and answers with the id of its open episode. */
const fire = (change: Partial<IncomingAlert> = {}): Promise<number> =>
  takeAlert(database, integrationId, change);
const observe = (alertId: number, before: Pick<AlertView, 'status' | 'severity'> | null = null) =>
  write((tx) => observeAlert(tx, { orgId: database.orgId, alertId, before }));
/** What is known happened so much longer ago. */
async function passTime(interval: string): Promise<void> {
  await database.owner.query(`update incidents set last_alert_at = last_alert_at - $1::interval`, [interval]);
  await database.owner.query(
    `update incident_keys set first_at = first_at - $1::interval, last_at = last_at - $1::interval`,
    [interval],
  );
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

test('an alert of the same service joins, and only the flip to unread and a worse severity owe a signal', async () => {
  await observe(await fire());
  const second = await observe(await fire({ fingerprint: 'f2' }));
  expect(second.owesSignal).toBe(false);
  const worse = await observe(await fire({ fingerprint: 'f3', severity: 'critical' }));
  const asBad = await observe(await fire({ fingerprint: 'f4', severity: 'critical' }));
  expect([worse.owesSignal, asBad.owesSignal]).toEqual([true, false]);
  expect(await incident()).toMatchObject([
    { alert_count: 4, firing_count: 4, severity: 'critical', feed_seq: 4 },
  ]);
});

test('the last resolve is told at once, however short ago the feed was read', async () => {
  const id = await fire();
  const { incident: opened, ...view } = await observe(id);
  await write((tx) => readFeed(tx, { incidentId: opened.id, afterSeq: 0, reopenWindowMs: minute }));
  await fire({ status: 'resolved', endsAt: '2026-01-01T10:30:00Z' });
  expect((await observe(id, view)).owesSignal).toBe(true);
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
  await passTime('31 minutes');
  await observe(await fire({ fingerprint: 'f3' }));
  expect((await incident()).map((row) => row.service)).toEqual(['checkout', 'search', 'checkout']);
});

test('the same fingerprint joins its incident however late, as long as it is not closed', async () => {
  const { incident: first } = await observe(await fire());
  await database.owner.query(`update alerts set status = 'resolved', resolved_at = now()`);
  await passTime('1 hour');
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
      definition: slaPolicy.parse({
        order: 1,
        match: { alert: 'Payment*' },
        acknowledgeWithin: '2m',
        resolveWithin: '15m',
      }),
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

const dependency = (caller: string, callee: string) =>
  database.owner.query(
    'insert into service_dependencies (org_id, caller, callee, declared) values ($1, $2, $3, true)',
    [database.orgId, caller, callee],
  );

test('an alert joins the incident of what its service calls, and says why', async () => {
  await dependency('checkout', 'db-primary');
  const { incident: opened } = await observe(await fire({ service: 'db-primary', name: 'DatabaseDown' }));
  const id = await fire({ fingerprint: 'f2', service: 'checkout' });
  expect((await observe(id)).incident).toEqual(opened);
  const { rows } = await database.owner.query('select correlation_reason from alerts where id = $1', [id]);
  expect(rows[0].correlation_reason).toMatch(/^joined #\d+: checkout calls db-primary, 0 s apart$/);
});

test('an alert that names no service counts as that of the service that its pod is of', async () => {
  await dependency('checkout', 'db-primary');
  const { incident: opened } = await observe(await fire({ service: 'db-primary', name: 'DatabaseDown' }));
  const labels = { alertname: 'PodCrashes', pod: 'checkout-7d9f-x2x4q' };
  const pod = await observe(await fire({ fingerprint: 'f2', name: 'PodCrashes', service: null, labels }));
  expect(pod.incident).toEqual(opened);
});

test('two outages at once stay two, and a common caller merges nothing', async () => {
  await dependency('web', 'payments');
  await dependency('web', 'search');
  await observe(await fire({ fingerprint: 'p', service: 'payments', name: 'PaymentErrors' }));
  await observe(await fire({ fingerprint: 's', service: 'search', name: 'SlowQueries' }));
  await observe(await fire({ fingerprint: 'w', service: 'web' }));
  const incidents = await incident();
  expect(incidents.map((row) => row.alert_count).sort()).toEqual([1, 2]);
  expect(incidents.map((row) => row.merge_wanted)).toEqual([null, null]);
});

test('an alert that shows two incidents to be one outage asks the younger one to be merged', async () => {
  await dependency('cart', 'db');
  await dependency('billing', 'db');
  await observe(await fire({ fingerprint: 'c', service: 'cart', name: 'CartErrors' }));
  await database.owner.query(`insert into service_dependencies (org_id, caller, callee, declared)
    select org_id, 'other-' || n, 'db', true from organizations, generate_series(1, 9) n`);
  await observe(await fire({ fingerprint: 'b', service: 'billing', name: 'BillingErrors' }));
  await database.owner.query(`update incidents set feed_unread = false, feed_owed_by = null`);
  const [cart, billing] = await incident();
  expect([cart.service, billing?.service]).toEqual(['cart', 'billing']);
  await observe(await fire({ fingerprint: 'd', service: 'db', name: 'DatabaseDown' }));
  expect(await incident()).toMatchObject([
    { merge_wanted: null },
    {
      merge_wanted: cart.id,
      merge_reason: expect.stringContaining('calls db'),
      feed_unread: true,
    },
  ]);
});

test('incidents that an alert merges are locked by their ids, whichever of them it joins', async () => {
  await dependency('cart', 'db');
  await dependency('billing', 'db');
  await database.owner.query(`insert into service_dependencies (org_id, caller, callee, declared)
    select org_id, 'other-' || n, 'db', true from organizations, generate_series(1, 9) n`);
  await observe(await fire({ fingerprint: 'c', service: 'cart', name: 'CartErrors' }));
  await observe(await fire({ fingerprint: 'b', service: 'billing', name: 'BillingErrors' }));
  const [first, last] = (await incident()).sort((a, b) => (a.id < b.id ? -1 : 1));
  // of two that tie the one whose alerts are called alike is joined
  const name = last.service === 'cart' ? 'CartErrors' : 'BillingErrors';
  const id = await fire({ fingerprint: 'd', service: 'db', name });
  const other = await database.owner.connect();
  await other.query('begin');
  await other.query('select 1 from incidents where id = $1 for update', [first.id]);
  const joining = observe(id);
  await waitsForLock();
  await other.query('select 1 from incidents where id = $1 for update nowait', [last.id]);
  await other.query('commit');
  other.release();
  expect((await joining).incident.id).toBe(last.id);
});

test('a weak label does not tie two outages, and a team has rules of its own', async () => {
  const labels = (team: string) => ({ alertname: 'A', cluster: 'prod', zone: 'z1', team });
  await observe(await fire({ fingerprint: 'a', service: 'one', labels: labels('shop') }));
  await observe(await fire({ fingerprint: 'b', service: 'two', labels: labels('shop') }));
  expect(await incident()).toHaveLength(2);
  const { rows } = await database.owner.query(
    `insert into teams (org_id, slug, name, match) values ($1, 'ops', 'Ops', '{"team": "ops"}') returning id`,
    [database.orgId],
  );
  await database.owner.query(
    `insert into correlation_rules (org_id, team_id, definition) values ($1, $2, '{"labels": ["zone"]}')`,
    [database.orgId, rows[0].id],
  );
  const first = await observe(await fire({ fingerprint: 'c', service: 'three', labels: labels('ops') }));
  const second = await observe(await fire({ fingerprint: 'd', service: 'four', labels: labels('ops') }));
  expect(second.incident).toEqual(first.incident);
  expect((await incident()).find((row) => row.service === 'three')).toMatchObject({ team_id: rows[0].id });
});

test('rules that this version cannot read keep no alert from its incident', async () => {
  await database.owner.query(
    `insert into correlation_rules (org_id, definition) values ($1, '{"window": "5m", "of a later version": 1}')`,
    [database.orgId],
  );
  await observe(await fire());
  expect(await incident()).toHaveLength(1);
});

test('an alert that fires and resolves again and again flaps, and the timeline says so', async () => {
  for (let episode = 0; episode < 4; episode++) {
    const id = await fire({ startsAt: `2026-01-01T1${episode}:00:00Z` });
    const view = await observe(id);
    await fire({ status: 'resolved', endsAt: `2026-01-01T1${episode}:30:00Z` });
    await observe(id, view);
  }
  const { rows } = await database.owner.query('select flapping from alerts order by id');
  // three episodes that ended are six changes, and the fourth begins
  expect(rows.map((row) => row.flapping)).toEqual([false, false, false, true]);
  const { rows: told } = await database.owner.query(`select 1 from timeline where summary like '%it flaps%'`);
  expect(told).toHaveLength(1);
});

test('an incident that was merged is joined no more', async () => {
  const { incident: opened } = await observe(await fire());
  await database.owner.query('update incidents set merged_into = 1');
  expect((await observe(await fire({ fingerprint: 'f2' }))).incident.number).toBe(opened.number + 1);
});

test('what joins does not wait for the lock of those that open', async () => {
  await observe(await fire());
  const opening = await database.owner.connect();
  await opening.query('begin');
  await opening.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [
    `correlate:${database.orgId}`,
  ]);
  const lock = {};
  const id = await fire({ fingerprint: 'f2' });
  await write((tx) => observeAlert(tx, { orgId: database.orgId, alertId: id, before: null, lock }));
  expect(lock).toEqual({});
  await opening.query('commit');
  opening.release();
});

test('an alert that meets the call of a false positive opens another incident', async () => {
  const { incident: opened } = await observe(await fire());
  const id = await fire({ fingerprint: 'f2' });
  const calling = await database.owner.connect();
  await calling.query('begin');
  await calling.query(`update incidents set status = 'false_positive', resolved_at = now()`);
  const joining = observe(id);
  await waitsForLock();
  await calling.query('commit');
  calling.release();
  expect((await joining).incident.number).toBe(opened.number + 1);
});

test('what joined a false positive before that was written down joins anew, and what was called so does not', async () => {
  const called = await fire();
  const { incident: opened } = await observe(called);
  await database.owner.query(`update incident_feed set at = now() - interval '1 minute'`);
  const late = await fire({ fingerprint: 'f2' });
  expect((await observe(late)).incident).toEqual(opened);
  await database.owner.query(
    `update incidents set status = 'false_positive', resolved_at = now() - interval '30 seconds', closed_at = now()`,
  );
  await database.owner.query('delete from incident_keys');
  const before = { status: 'firing', severity: 'warning' } as const;
  expect((await observe(called, before)).incident).toEqual(opened);
  expect((await observe(late, before)).incident.number).toBe(opened.number + 1);
});

test('an incident of many services still knows the one that is asked for', async () => {
  const { incident: opened } = await observe(await fire({ service: 'zz-last' }));
  await database.owner.query(
    `insert into incident_keys (org_id, key, incident_id, first_at, last_at)
     select $1, 'service=aa' || n, $2, now(), now() + interval '1 second' from generate_series(1, 300) n`,
    [database.orgId, opened.id],
  );
  const again = await observe(await fire({ fingerprint: 'f2', service: 'zz-last', name: 'OtherName' }));
  expect(again.incident).toEqual(opened);
});
