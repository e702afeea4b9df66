import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let shopId: string;
beforeAll(async () => {
  api = await createTestApi();
  const { rows } = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name, match) values ($1, 'shop', 'Shop', '{"team": "shop"}') returning id`,
    [api.orgId],
  );
  shopId = rows[0].id;
});
afterAll(() => api.close());

const base = '/api/v1/correlation-rules';

test('rules of the organization are made, read back, put again as they were read, and deleted', async () => {
  const { owner: token } = api.tokens;
  const rules = { window: '10m', labels: { host: 0.7 }, flapping: { changes: 4 } };
  const put = await api.ask('PUT', `${base}/organization`, { token, body: rules });
  expect(put).toMatchObject({ status: 200, body: { team: null, ...rules } });
  expect((await api.ask('PUT', `${base}/organization`, { token, body: put.body })).status).toBe(200);
  expect((await api.ask('GET', base, { token })).body.items).toMatchObject([{ team: null, ...rules }]);
  const { rows } = await api.fixture.owner.query(
    `select actor from audit_log where subject = 'correlation-rules:organization'`,
  );
  expect(rows).toEqual(Array(2).fill({ actor: 'owner@example.com' }));
  expect((await api.ask('DELETE', `${base}/organization`, { token })).status).toBe(204);
  expect((await api.ask('GET', `${base}/organization`, { token })).status).toBe(404);
});

test("a team's admin writes its rules and nobody else's", async () => {
  const { token } = await api.addPerson('shop@example.com', 'admin', shopId);
  const body = { topologyHops: 1 };
  expect((await api.ask('PUT', `${base}/teams/shop`, { token, body })).status).toBe(200);
  expect((await api.ask('PUT', `${base}/organization`, { token, body })).status).toBe(403);
  const { operator } = api.tokens;
  expect((await api.ask('PUT', `${base}/teams/shop`, { token: operator, body })).status).toBe(403);
  expect((await api.ask('PUT', `${base}/teams/none`, { token: api.tokens.admin, body })).status).toBe(404);
  expect((await api.ask('DELETE', `${base}/teams/shop`, { token })).status).toBe(204);
});

test.each([
  [{ window: 'soon' }, 'window'],
  [{ lookBack: '25h' }, 'lookBack'],
  [{ threshold: 2 }, 'threshold'],
  [{ labels: { host: 7 } }, 'labels.host'],
  [{ hops: 1 }, 'body'],
])('rules that cannot hold are refused with their field: %j', async (body, field) => {
  const refused = await api.ask('PUT', `${base}/organization`, { token: api.tokens.admin, body });
  expect(refused.status).toBe(400);
  expect(refused.body.errors[0].field).toBe(field);
});

async function past(name: string, service: string, labels: object, minutesAgo: number): Promise<void> {
  await api.fixture.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at, resolved_at)
     select $1, $2, gen_random_uuid()::text, 'resolved', $3, 'warning', 2, $4, $5, '{}', at, at, at
     from (select now() - $6 * interval '1 minute' as at) t`,
    [api.orgId, api.integrationId, name, service, JSON.stringify(labels), minutesAgo],
  );
}

test('a preview says what rules make of the alerts that they are for, before and after', async () => {
  await past('DiskFull', 'orders', { zone: 'z1' }, 30);
  await past('SlowQueries', 'billing', { zone: 'z1' }, 29);
  await past('ShopDown', 'shop', { zone: 'z1', team: 'shop' }, 28);
  await past('Ancient', 'orders', { zone: 'z1' }, 31 * 24 * 60);
  const token = api.tokens.operator;
  const organization = await api.ask('POST', `${base}/preview`, {
    token,
    body: { rules: { labels: { zone: 0.9 } } },
  });
  // a team without rules of its own goes by the organization's
  expect(organization).toMatchObject({
    status: 200,
    body: { alerts: 3, cut: false, before: { incidents: 3, single: 3 }, after: { incidents: 1, largest: 3 } },
  });
  const viewer = await api.ask('POST', `${base}/preview`, { token: api.tokens.viewer, body: { rules: {} } });
  expect(viewer.status).toBe(403);
  const team = await api.ask('POST', `${base}/preview`, { token, body: { team: 'shop', rules: {} } });
  expect(team.body).toMatchObject({ alerts: 1, before: { incidents: 1 }, after: { incidents: 1 } });
  const none = await api.ask('POST', `${base}/preview`, { token, body: { team: 'none', rules: {} } });
  expect(none).toMatchObject({ status: 400, body: { errors: [{ field: 'team' }] } });
});

test("a preview is of the alerts that the reader sees, those of a team's SLO among the team's", async () => {
  const { owner } = api.fixture;
  const token = api.tokens.operator;
  const seen = async (as: string, team: string | null) => {
    const { body } = await api.ask('POST', `${base}/preview`, { token: as, body: { team, rules: {} } });
    return body.alerts;
  };
  const before = { organization: await seen(token, null), shop: await seen(token, 'shop') };
  const { rows: teams } = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'vault', 'Vault') returning id`,
    [api.orgId],
  );
  const { rows: incidents } = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, team_id)
     select $1, number, 'x', 'high', 1, team::uuid from (values (1, $2), (2, null)) v (number, team) returning id`,
    [api.orgId, teams[0].id],
  );
  await past('VaultOpen', 'vault', {}, 20);
  await owner.query(`update alerts set incident_id = $1 where name = 'VaultOpen'`, [incidents[0].id]);
  await owner.query(
    `insert into slos (org_id, name, team_id, definition) values ($1, 'shop-latency', $2, '{}')`,
    [api.orgId, shopId],
  );
  const { rows: integrations } = await owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'slo', 'SLOs', 'x') returning id`,
    [api.orgId],
  );
  // the second is in an incident that everybody sees, and so has no team of its own any more
  for (const [name, teamId, incidentId] of [
    ['BurnsNow', shopId, null],
    ['BurnsToo', null, incidents[1].id],
  ]) {
    await past(name, 'checkout', { slo: 'shop-latency' }, 10);
    await owner.query(
      'update alerts set integration_id = $1, team_id = $2, incident_id = $3 where name = $4',
      [integrations[0].id, teamId, incidentId, name],
    );
  }
  // what anybody else sends is no SLO's for a label of that name
  await past('Pretends', 'checkout', { slo: 'shop-latency' }, 9);
  const { token: shop } = await api.addPerson('ben@example.com', 'operator', shopId);
  // all go by the organization's rules, as no team has its own
  expect(await seen(token, null)).toBe(before.organization + 4);
  expect(await seen(shop, null)).toBe(before.organization + 3);
  expect(await seen(token, 'shop')).toBe(before.shop + 2);
});
