import { afterAll, beforeAll, expect, test } from 'vitest';
import { activeSilence, beginSilences } from '../../db/silences.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let token: string;
let shopId: string;
beforeAll(async () => {
  api = await createTestApi();
  token = api.tokens.operator;
  const { rows } = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'shop', 'Shop') returning id`,
    [api.orgId],
  );
  shopId = rows[0].id;
});
afterAll(() => api.close());

const base = '/api/v1/silences';
const hours = (n: number) => new Date(Date.now() + n * 3_600_000).toISOString();
const body = (given: object = {}) => ({
  match: { service: 'db-*' },
  startsAt: hours(-1),
  endsAt: hours(2),
  reason: 'new disks',
  ...given,
});

/** Of an incident that is open and whose feed was read. */
async function incident(
  number: number,
  alerts: { service: string; team?: string; status?: string; labels?: object }[],
) {
  const { owner } = api.fixture;
  const { rows } = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, feed_unread, alert_count)
     values ($1, $2, 't', 'critical', 0, false, 1) returning id`,
    [api.orgId, number],
  );
  for (const { service, team, status = 'firing', labels = {} } of alerts) {
    await owner.query(
      `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
         annotations, starts_at, incident_id, team_id)
       values ($1, $2, gen_random_uuid()::text, $3, 'DiskFull', 'critical', 0, $4, $5, '{}', now(), $6, $7)`,
      [api.orgId, api.integrationId, status, service, JSON.stringify(labels), rows[0].id, team ?? null],
    );
  }
  return rows[0].id as string;
}

async function unread(): Promise<number[]> {
  const { rows } = await api.fixture.owner.query(
    `select number from incidents where feed_unread and feed_owed_by is null and feed_owed_since is not null order by 1`,
  );
  await api.fixture.owner.query(`update incidents set feed_unread = false, feed_owed_since = null`);
  return rows.map(({ number }) => number);
}
const silenced = async (id: string) => (await api.write((tx) => activeSilence(tx, id, Date.now())))?.names;

test('a silence keeps an incident quiet until it is ended early, and its workflow is told both times', async () => {
  const caught = await incident(1, [
    { service: 'db-1' },
    { service: 'db-2' },
    { service: 'web', status: 'resolved' },
  ]);
  const mixed = await incident(2, [{ service: 'db-1' }, { service: 'web' }]);
  await incident(3, [{ service: 'web' }]);
  const made = await api.ask('POST', base, { token, body: body() });
  expect(made).toMatchObject({
    status: 201,
    body: { state: 'silent', catches: { alerts: 3, incidents: [2, 1] }, createdBy: 'operator@example.com' },
  });
  expect(await unread()).toEqual([1, 2]);
  expect(await silenced(caught)).toEqual(['new disks']);
  expect(await silenced(mixed)).toBeUndefined();
  const listed = await api.ask('GET', base, { token: api.tokens.viewer });
  expect(listed.body.items).toEqual([made.body]);

  const end = `${base}/${made.body.id}/end`;
  expect((await api.ask('POST', end, { token: api.tokens.viewer })).status).toBe(403);
  expect((await api.ask('POST', end, { token })).status).toBe(204);
  expect(await unread()).toEqual([1, 2]);
  expect(await silenced(caught)).toBeUndefined();
  expect((await api.ask('POST', end, { token })).status).toBe(409);
  expect((await api.ask('GET', base, { token })).body.items).toEqual([]);
  expect((await api.ask('GET', `${base}?over=true`, { token })).body.items).toMatchObject([
    { id: made.body.id, state: 'over', catches: { alerts: 0, incidents: [] } },
  ]);
  const { rows } = await api.fixture.owner.query(
    `select action, actor from audit_log where subject = $1 order by id`,
    [`silence:${made.body.id}`],
  );
  expect(rows).toEqual([
    { action: 'silence.created', actor: 'operator@example.com' },
    { action: 'silence.ended', actor: 'operator@example.com' },
  ]);
});

test("a team's silence catches its own alerts, and is its own to make", async () => {
  const { token: shop } = await api.addPerson('shop@example.com', 'operator', shopId);
  const own = await incident(10, [{ service: 'shop-db', team: shopId, labels: { host: 'a' } }]);
  const other = await incident(11, [{ service: 'shop-db', labels: { host: 'a' } }]);
  const match = { labels: { host: 'a*' } };
  const made = await api.ask('POST', base, { token: shop, body: body({ match, team: 'shop' }) });
  expect(made).toMatchObject({
    status: 201,
    body: { team: 'shop', catches: { alerts: 1, incidents: [10] } },
  });
  expect([await silenced(own), await silenced(other)]).toEqual([['new disks'], undefined]);
  const none = await api.ask('POST', base, { token, body: body({ team: 'none' }) });
  expect(none).toMatchObject({ status: 400, body: { errors: [{ field: 'team' }] } });
  expect((await api.ask('POST', `${base}/${made.body.id}/end`, { token: shop })).status).toBe(204);
});

test("a role in one team silences no other's alerts", async () => {
  const { token: limited } = await api.addPerson('shop-only@example.com', 'operator', shopId);
  const refused = await api.ask('POST', base, { token: limited, body: body({ match: { alert: '*' } }) });
  expect(refused).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('one of your teams') },
  });
  // nor has others told of what everybody's silence keeps quiet
  const { body: shared } = await api.ask('POST', base, { token, body: body() });
  const end = `${base}/${shared.id}/end`;
  expect(await api.ask('POST', end, { token: limited })).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('needs the role operator in the whole organization') },
  });
  expect((await api.ask('GET', `${base}/${shared.id}`, { token })).body.state).toBe('silent');
  expect((await api.ask('POST', end, { token })).status).toBe(204);
});

test('one that has not begun is deleted when it is ended', async () => {
  const { body: made } = await api.ask('POST', base, { token, body: body({ startsAt: hours(1) }) });
  expect(made).toMatchObject({ state: 'waiting', catches: { alerts: 0 } });
  expect((await api.ask('POST', `${base}/${made.id}/end`, { token })).status).toBe(204);
  expect((await api.ask('GET', `${base}/${made.id}`, { token })).status).toBe(404);
});

test('one that was made for later, or comes back every week, tells open incidents when it begins', async () => {
  const { db } = api.fixture;
  const later = await incident(15, [{ service: 'later-1' }]);
  const { body: made } = await api.ask('POST', base, {
    token,
    body: body({ match: { service: 'later-*' }, startsAt: hours(1) }),
  });
  await unread();
  expect(await beginSilences(db, { now: new Date(), batch: 10 })).toBe(0);
  await api.fixture.owner.query(
    `update silences set begins_at = now() - interval '1 second', starts_at = now() - interval '1 second' where id = $1`,
    [made.id],
  );
  expect(await beginSilences(db, { now: new Date(), batch: 10 })).toBe(1);
  expect(await unread()).toEqual([15]);
  expect(await silenced(later)).toEqual(['new disks']);
  const { rows } = await api.fixture.owner.query('select begins_at from silences where id = $1', [made.id]);
  // as it was written it begins in an hour
  expect(rows[0].begins_at).toEqual(new Date(made.startsAt));
});

test.each([
  [{ endsAt: undefined }, 'endsAt'],
  [{ endsAt: hours(91 * 24) }, 'endsAt'],
  [{ startsAt: hours(-3), endsAt: hours(-2) }, 'endsAt'],
  [{ match: {} }, 'match'],
  [{ weekly: { timeZone: 'Mars/Base', days: ['sun'], from: '02:00', to: '04:00' } }, 'weekly.timeZone'],
])('what cannot hold is refused with its field: %j', async (given, field) => {
  const refused = await api.ask('POST', base, { token, body: body(given) });
  expect(refused.status).toBe(400);
  expect(refused.body.errors[0].field).toBe(field);
});

test.each(['new\u0000disks', 'new \ud800 disks'])(
  'a reason that cannot be kept is refused: %j',
  async (reason) => {
    const refused = await api.ask('POST', base, { token, body: body({ reason }) });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'request' }] } });
  },
);

test('a preview says what it would have caught, by alert name and service, and what it would catch now', async () => {
  const { owner } = api.fixture;
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at)
     select $1, $2, n::text, 'resolved', case when n % 4 = 0 then 'Slow' else 'DiskFull' end, 'low', 3, 'cache-1', '{}',
       '{}', now(), timestamptz '2026-01-04 12:00Z' + n * interval '1 hour' from generate_series(1, 48) n`,
    [api.orgId, api.integrationId],
  );
  await owner.query(
    `update alerts set received_at = received_at + (date_trunc('day', now() - interval '10 days') - timestamptz
       '2026-01-04 00:00Z') where service = 'cache-1'`,
  );
  await incident(20, [{ service: 'cache-1' }]);
  await owner.query(
    `update alerts set received_at = date_trunc('day', now() - interval '1 day') + interval '12 hours'
     where service = 'cache-1' and status = 'firing'`,
  );
  const tried = await api.ask('POST', `${base}/preview`, {
    token,
    body: body({ match: { service: 'cache-?' } }),
  });
  expect(tried).toMatchObject({
    status: 200,
    body: {
      caught: 49,
      cut: false,
      kinds: [
        { alert: 'DiskFull', service: 'cache-1', caught: 37 },
        { alert: 'Slow', service: 'cache-1', caught: 12 },
      ],
      now: { alerts: 1, incidents: [20] },
    },
  });
  const weekly = {
    timeZone: 'UTC',
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '02:00',
    to: '04:00',
  };
  const nightly = await api.ask('POST', `${base}/preview`, {
    token,
    body: body({ match: { service: 'cache-?', alert: '*' }, weekly }),
  });
  expect(nightly.body.caught).toBe(4);
});

test("a preview knows nothing of other teams' alerts, and is for whoever could make the silence", async () => {
  const { owner } = api.fixture;
  const { rows } = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'vault', 'Vault') returning id`,
    [api.orgId],
  );
  for (const [number, team] of [
    [30, rows[0].id],
    [31, shopId],
  ]) {
    await incident(number, [{ service: 'vault-1' }]);
    await owner.query('update incidents set team_id = $1 where number = $2', [team, number]);
  }
  const { token: limited } = await api.addPerson('ana@example.com', 'operator', shopId);
  const preview = (as: string, team: string | null) =>
    api.ask('POST', `${base}/preview`, { token: as, body: body({ match: { service: 'vault-?' }, team }) });
  const { body: everything } = await preview(token, null);
  expect(everything).toMatchObject({ caught: 2, now: { incidents: [31, 30] } });
  const own = await preview(limited, 'shop');
  expect(own).toMatchObject({ status: 200, body: { caught: 1, now: { incidents: [31] } } });
  expect(own.body.alerts).toBe(everything.alerts - 1);
  expect(await preview(limited, null)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('one of your teams') },
  });
  expect((await preview(limited, 'vault')).status).toBe(403);
});
