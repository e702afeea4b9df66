import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { readFeed } from './incident-feed.ts';

const minute = 60_000;
let database: TestDatabase;
let integrationId: string;
let number = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const { rows } = await database.owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'x', '\\x01') returning id`,
    [database.orgId],
  );
  integrationId = rows[0].id;
  const policy = {
    levels: [{ after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] }],
    repeats: 0,
  };
  await database.owner.query(
    `insert into escalation_policies (org_id, name, definition) values ($1, 'default', $2)`,
    [database.orgId, JSON.stringify(policy)],
  );
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from correlation_rules');
});

async function open(columns: Record<string, unknown> = {}): Promise<{ id: string; number: number }> {
  const row = {
    org_id: database.orgId,
    number: ++number,
    title: 'x',
    severity: 'critical',
    severity_rank: 1,
    ...columns,
  };
  const names = Object.keys(row);
  const { rows } = await database.owner.query(
    `insert into incidents (${names}) values (${names.map((_, place) => `$${place + 1}`)}) returning id, number`,
    Object.values(row),
  );
  return rows[0];
}

/** An alert that joined the feed of `told`, and belongs to `to` now. */
async function alert(
  told: { id: string },
  { to = told, status = 'firing', flapping = false, resolvedMinutesAgo = 0, seq = 1 } = {},
): Promise<void> {
  const { rows } = await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels,
       annotations, starts_at, incident_id, flapping, resolved_at)
     values ($1, $2, gen_random_uuid(), $3::text, 'HighLatency', 'critical', 1, '{}', '{}', now(), $4, $5,
       case $3::text when 'resolved' then now() - $6 * interval '1 minute' end)
     returning id`,
    [database.orgId, integrationId, status, to.id, flapping, resolvedMinutesAgo],
  );
  await database.owner.query(
    `insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version)
     values ($1, $2, $3, 'joined', $4, 1)`,
    [database.orgId, told.id, seq, rows[0].id],
  );
}

const read = async ({ id }: { id: string }) =>
  await database.db.write({ orgId: database.orgId }, (tx) =>
    readFeed(tx, { incidentId: id, afterSeq: 0, reopenWindowMs: 15 * minute }),
  );

test('an alert that has moved elsewhere fires there and not here', async () => {
  const [here, there] = [await open(), await open()];
  await alert(here, { to: there });
  expect(await read(here)).toMatchObject({ digest: { firingJoined: false }, joined: [] });
  await alert(here, { seq: 2 });
  expect(await read(here)).toMatchObject({
    digest: { firingJoined: true },
    joined: [{ name: 'HighLatency' }],
  });
});

test('a merge that correlation wants is told while the other incident is there to take it', async () => {
  const other = await open();
  const wanted = await open({ merge_wanted: other.id, merge_reason: 'both wait for db' });
  const mergeInto = { number: other.number, reason: 'both wait for db' };
  expect((await read(wanted)).digest.mergeInto).toEqual(mergeInto);
  await database.owner.query('update incidents set closed_at = now() where id = $1', [other.id]);
  expect((await read(wanted)).digest).not.toHaveProperty('mergeInto');
  await database.owner.query('update incidents set merged_into = 1 where id = $1', [other.id]);
  expect((await read(wanted)).digest.mergeInto).toEqual(mergeInto);
});

test.each([
  ['a flapping alert fires', { flapping: true }, true],
  ['one was over just now', { flapping: true, status: 'resolved', resolvedMinutesAgo: 9 }, true],
  [
    'it has been over for the quiet time',
    { flapping: true, status: 'resolved', resolvedMinutesAgo: 11 },
    false,
  ],
  ['none flaps', { status: 'resolved' }, false],
])('the end waits for quiet: %s', async (_, about, waits) => {
  const incident = await open();
  await alert(incident, about);
  expect((await read(incident)).digest.flapping).toEqual(waits ? { quietMs: 10 * minute } : undefined);
});

test('the rules of the team, or else of the organization, say how long it can be reopened', async () => {
  const incident = await open({ labels: JSON.stringify({ team: 'payments' }) });
  const windowOf = async () => (await read(incident)).digest.plan.reopenWindowMs / minute;
  expect(await windowOf()).toBe(15);
  const rules = `insert into correlation_rules (org_id, team_id, definition) values ($1, $2, $3)`;
  await database.owner.query(rules, [database.orgId, null, JSON.stringify({ reopenWindow: '30m' })]);
  expect(await windowOf()).toBe(30);
  const { rows } = await database.owner.query(
    `insert into teams (org_id, slug, name, match) values ($1, 'payments', 'Payments', '{"team":"pay*"}') returning id`,
    [database.orgId],
  );
  expect(await windowOf()).toBe(30);
  await database.owner.query(rules, [database.orgId, rows[0].id, JSON.stringify({ reopenWindow: '5m' })]);
  expect(await windowOf()).toBe(5);
});

test('who a level reaches is asked at its time, and rules are told what they wait for', async () => {
  const rule = { triggers: ['alert.received', 'incident.opened'], targets: [{ type: 'channel', name: 'x' }] };
  await database.owner.query(
    `insert into notification_rules (org_id, name, position, definition) values ($1, 'on', 1, $2), ($1, 'off', 2, $3)`,
    [
      database.orgId,
      JSON.stringify(rule),
      JSON.stringify({ ...rule, enabled: false, triggers: ['forecast'] }),
    ],
  );
  const incident = await open({ service: 'checkout' });
  await alert(incident);
  await alert(incident, { seq: 2, status: 'resolved' });
  const { digest } = await read(incident);
  expect(digest.plan).toMatchObject({
    resolves: true,
    pattern: 'HighLatency checkout',
    announces: ['alert.received', 'incident.opened'],
  });
  expect(digest.received).toHaveLength(1);
});

test('a silence that catches all that fires is told with its end', async () => {
  const incident = await open({ service: 'checkout' });
  await alert(incident);
  const endsAt = new Date(Date.now() + 30 * minute);
  const startsAt = new Date(Date.now() - minute);
  const silence = {
    match: { alert: 'High*' },
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    reason: 'maintenance',
  };
  await database.owner.query(
    `insert into silences (org_id, definition, starts_at, ends_at, created_by) values ($1, $2, $3, $4, 'ana')`,
    [database.orgId, JSON.stringify(silence), startsAt, endsAt],
  );
  expect((await read(incident)).digest.silence).toEqual({ until: endsAt.getTime(), names: ['maintenance'] });
  await database.owner.query('delete from silences');
  expect((await read(incident)).digest).not.toHaveProperty('silence');
  // of another version: an incident that could not be read for it would page nobody
  await database.owner.query(
    `insert into silences (org_id, definition, starts_at, ends_at, created_by) values ($1, $2, $3, $4, 'ana')`,
    [database.orgId, JSON.stringify({ ...silence, lunar: 'full' }), startsAt, endsAt],
  );
  expect((await read(incident)).digest).not.toHaveProperty('silence');
  await database.owner.query('delete from silences');
});
