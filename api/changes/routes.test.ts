import { createHmac, randomUUID } from 'node:crypto';
import examples from '@octokit/webhooks-examples';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { changesPerMinute } from './intake.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());
beforeEach(() =>
  api.fixture.owner.query('delete from changes; delete from change_sources; delete from audit_log'),
);

const base = '/api/v1/changes';
const ask = (method: string, path: string, body?: unknown, token = api.tokens.admin) =>
  api.ask(method, path, { token, ...(body === undefined ? {} : { body }) });
const tell = (body: unknown) => ask('POST', base, body, api.ingestKey);
const hmac = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex');

test('a pipeline tells of a change with an ingest key and nothing else', async () => {
  const body = { service: 'payment', version: 'v2', environment: 'production', externalId: 'build-7' };
  const first = await tell({ ...body, status: 'started' });
  expect(first).toMatchObject({ status: 202, body: { new: true } });
  const second = await tell(body);
  expect(second).toMatchObject({ status: 202, body: { id: first.body.id, new: false } });
  const { body: shown } = await ask('GET', `${base}/${first.body.id}`, undefined, api.tokens.viewer);
  expect(shown).toMatchObject({
    source: 'generic',
    type: 'deployment',
    status: 'succeeded',
    title: 'Deployment of payment',
    version: 'v2',
    incidents: [],
    rollbacks: [],
  });
  expect((await ask('POST', base, body, api.tokens.owner)).status).toBe(401);
  expect((await ask('GET', base, undefined, api.ingestKey)).status).toBe(401);
});

test('what says nothing or something impossible is refused with the field', async () => {
  const cases: [unknown, string][] = [
    [{}, 'title'],
    [{ service: 'a', type: 'party' }, 'type'],
    [{ service: 'a', at: 'soon' }, 'at'],
    [{ service: 'a', url: 'javascript:alert(1)' }, 'url'],
    [{ service: 'x'.repeat(201) }, 'service'],
    [{ service: 'a', surprise: 1 }, 'body'],
  ];
  for (const [body, field] of cases) {
    const answer = await tell(body);
    expect([body, answer.status, answer.body.errors?.[0].field]).toEqual([body, 400, field]);
  }
  expect((await tell({ title: 'NUL \u0000 and \ud800' })).status).toBe(202);
});

test('an Operator writes one down by hand, which the audit log keeps', async () => {
  const body = { title: 'Raised the limit', type: 'config', service: 'payment' };
  expect((await ask('POST', `${base}/manual`, body, api.tokens.viewer)).status).toBe(403);
  const made = await ask('POST', `${base}/manual`, body, api.tokens.operator);
  expect(made).toMatchObject({ status: 201, body: { source: 'manual', author: 'operator@example.com' } });
  const { rows } = await api.fixture.owner.query('select actor, action from audit_log');
  expect(rows).toEqual([{ actor: 'operator@example.com', action: 'change.recorded' }]);
});

test('changes are listed, filtered and counted by service', async () => {
  await tell({ service: 'payment', status: 'failed', environment: 'production' });
  await tell({ service: 'payment', type: 'config' });
  await tell({ service: 'search', type: 'code' });
  const list = async (query: string) =>
    (await ask('GET', `${base}?${query}`)).body.items?.map(({ service, type }: Record<string, string>) => [
      service,
      type,
    ]);
  expect(await list('')).toHaveLength(3);
  expect(await list('service=payment&type=config,deployment')).toEqual([
    ['payment', 'config'],
    ['payment', 'deployment'],
  ]);
  expect(await list('risky=true')).toEqual([['payment', 'deployment']]);
  expect(await list('since=2100-01-01T00:00:00Z')).toEqual([]);
  expect((await ask('GET', `${base}?type=party`)).status).toBe(400);
  expect((await ask('GET', `${base}?cursor=nonsense`)).status).toBe(400);
  expect((await ask('GET', `${base}/frequency`)).body.items).toEqual([
    { service: 'payment', changes: 2, failed: 1, confirmed: 0 },
  ]);
  for (const id of ['0', 'x', '99999999']) {
    expect((await ask('GET', `${base}/${id}`)).status).toBe(id === '99999999' ? 404 : 400);
  }
});

const source = async (kind: string, more: object = {}) =>
  (await ask('POST', '/api/v1/change-sources', { kind, name: randomUUID(), ...more })).body;
const deliver = (id: string, body: string, headers: Record<string, string> = {}, query = '') =>
  api.ask('POST', `${base}/webhooks/${id}${query}`, {
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
const published = (event: string): object =>
  (examples as unknown as { name: string; examples: object[] }[]).find(({ name }) => name === event)!
    .examples[0]!;

test("GitHub's signed webhooks become changes, and a status goes on with its deployment", async () => {
  const { id, secret } = await source('github', { services: { 'Hello-World': 'greeter' } });
  const send = (event: string, payload: object, key = secret) => {
    const body = JSON.stringify(payload);
    return deliver(id, body, {
      'X-GitHub-Event': event,
      'X-Hub-Signature-256': `sha256=${hmac(body, key)}`,
    });
  };
  const first = await send('deployment', published('deployment'));
  expect(first).toMatchObject({ status: 202, body: { recorded: true, reason: 'a new change' } });
  const second = await send('deployment_status', published('deployment_status'));
  expect(second).toMatchObject({ body: { recorded: true, id: first.body.id } });
  expect((await ask('GET', `${base}/${first.body.id}`)).body).toMatchObject({
    service: 'greeter',
    status: 'succeeded',
    source: 'github',
    environment: 'production',
  });
  expect(await send('ping', { zen: 'x' })).toMatchObject({ status: 202, body: { recorded: false } });
  expect(await send('deployment', { deployment: {} })).toMatchObject({
    status: 400,
    body: { errors: expect.arrayContaining([expect.objectContaining({ field: 'deployment.id' })]) },
  });
  expect((await send('deployment', published('deployment'), 'wrong')).status).toBe(401);
  expect((await deliver(id, '{}', { Authorization: `Bearer ${secret}` })).status).toBe(401);
  expect((await ask('GET', `/api/v1/change-sources/${id}`)).body).toMatchObject({
    changes: 0,
    lastSeenAt: expect.any(String),
  });
});

test('Jenkins and Argo CD send their secret, in whatever way they can', async () => {
  const jenkins = await source('jenkins');
  const build = (number: number) =>
    JSON.stringify({ name: 'deploy-cart', build: { number, phase: 'COMPLETED', status: 'SUCCESS' } });
  const basic = Buffer.from(`holdfast:${jenkins.secret}`).toString('base64');
  const ways: [Record<string, string>, string][] = [
    [{ Authorization: `Bearer ${jenkins.secret}` }, ''],
    [{ Authorization: `Basic ${basic}` }, ''],
    [{ 'X-Holdfast-Token': jenkins.secret }, ''],
    [{}, `?token=${jenkins.secret}`],
  ];
  for (const [index, [headers, query]] of ways.entries()) {
    expect(await deliver(jenkins.id, build(index), headers, query)).toMatchObject({
      status: 202,
      body: { recorded: true },
    });
  }
  expect((await deliver(jenkins.id, build(9), {}, '?token=wrong')).status).toBe(401);
  expect((await deliver(jenkins.id, build(9))).status).toBe(401);
  const argocd = await source('argocd');
  const sync = JSON.stringify({
    app: { metadata: { name: 'shop' }, status: { operationState: { phase: 'Succeeded' } } },
  });
  expect((await deliver(argocd.id, sync, {}, `?token=${argocd.secret}`)).status).toBe(401);
  expect(await deliver(argocd.id, sync, { Authorization: `Bearer ${argocd.secret}` })).toMatchObject({
    body: { recorded: true },
  });
});

test('a pipeline of its own signs with the time, and its body is read by the mapping', async () => {
  const { id, secret } = await source('generic', { fields: { service: 'app.name', version: 'app.v' } });
  const body = JSON.stringify({ app: { name: 'cart', v: '7' } });
  const signed = (at: number, key = secret) => ({
    'X-Holdfast-Signature': `t=${at},v1=${hmac(`${at}.${body}`, key)}`,
  });
  const now = Math.floor(Date.now() / 1000);
  const first = await deliver(id, body, signed(now));
  expect(first).toMatchObject({ status: 202, body: { recorded: true } });
  // the same delivery again is the same change, whoever sends it
  expect((await deliver(id, body, signed(now))).body.id).toBe(first.body.id);
  expect((await deliver(id, body, signed(now - 60))).body.id).not.toBe(first.body.id);
  expect((await ask('GET', `${base}/${first.body.id}`)).body).toMatchObject({
    service: 'cart',
    version: '7',
  });
  for (const headers of [
    signed(now - 600),
    signed(now + 600),
    signed(now, 'wrong'),
    { 'X-Holdfast-Signature': 'nonsense' },
  ]) {
    expect((await deliver(id, body, headers)).status).toBe(401);
  }
  expect((await deliver(id, 'no JSON', { Authorization: `Bearer ${secret}` })).status).toBe(400);
  expect((await deliver(id, `"${'x'.repeat(5_300_000)}"`, signed(now))).status).toBe(413);
  expect((await deliver(randomUUID(), body, signed(now))).status).toBe(404);
});

test('a source is made, changed, given another secret and removed by an Admin', async () => {
  const sources = '/api/v1/change-sources';
  const body = { kind: 'github', name: 'acme', services: { 'acme/shop': 'shop' } };
  expect((await ask('POST', sources, body, api.tokens.operator)).status).toBe(403);
  const made = await ask('POST', sources, body);
  expect(made).toMatchObject({
    status: 201,
    body: {
      webhookUrl: `http://holdfast.example${base}/webhooks/${made.body.id}`,
      secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      environment: null,
      lastSeenAt: null,
    },
  });
  expect((await ask('POST', sources, body)).status).toBe(409);
  expect((await ask('POST', sources, { ...body, name: 'x', fields: { surprise: 'a' } })).status).toBe(400);
  const one = `${sources}/${made.body.id}`;
  const changed = await ask('PUT', one, { name: 'acme 2', environment: 'production' });
  expect(changed).toMatchObject({ status: 200, body: { name: 'acme 2', services: {}, kind: 'github' } });
  const rotated = await ask('POST', `${one}/secret`);
  expect(rotated.body.secret).not.toBe(made.body.secret);
  const seen = JSON.stringify([(await ask('GET', sources)).body, (await ask('GET', one)).body]);
  expect(seen).not.toContain(rotated.body.secret);
  const { rows } = await api.fixture.owner.query('select action, data from audit_log order by id');
  expect(rows.map(({ action }) => action)).toEqual([
    'change-source.created',
    'change-source.changed',
    'change-source.secret_rotated',
  ]);
  expect(JSON.stringify(rows)).not.toContain(made.body.secret);
  expect((await ask('DELETE', one)).status).toBe(204);
  for (const [method, path] of [
    ['GET', one],
    ['DELETE', one],
    ['POST', `${one}/secret`],
  ] as const) {
    expect((await ask(method, path)).status).toBe(404);
  }
  expect((await deliver(made.body.id, '{}')).status).toBe(404);
});

test("a source's changes are its team's; by hand nobody writes down a change for another team", async () => {
  const { owner } = api.fixture;
  const { rows } = await owner.query<{ id: string }>(
    `insert into teams (org_id, slug, name) values ($1, 'cart', 'Cart'), ($1, 'money', 'Money') returning id`,
    [api.orgId],
  );
  await owner.query(`insert into services (org_id, name, team_id) values ($1, 'ledger', $2)`, [
    api.orgId,
    rows[1]!.id,
  ]);
  const { id, secret, team } = await source('generic', { team: 'cart' });
  expect(team).toBe('cart');
  expect(await ask('PUT', `/api/v1/change-sources/${id}`, { name: 'x', team: 'none' })).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'team' }] },
  });
  const told = await deliver(id, '{"service":"cart"}', { Authorization: `Bearer ${secret}` });
  expect(told.body).toMatchObject({ recorded: true });
  const [cart, money] = [
    await api.addPerson('cart@example.com', 'operator', rows[0]!.id),
    await api.addPerson('money@example.com', 'operator', rows[1]!.id),
  ];
  const one = `${base}/${told.body.id}`;
  expect((await ask('GET', one, undefined, cart.token)).status).toBe(200);
  expect((await ask('GET', one, undefined, money.token)).status).toBe(404);
  const body = { service: 'ledger', title: 'Raised the limit' };
  expect((await ask('POST', `${base}/manual`, body, cart.token)).status).toBe(403);
  expect((await ask('POST', `${base}/manual`, body, money.token)).status).toBe(201);
});

test('beyond a quota the sender is told when to come again', async () => {
  const { id, secret } = await source('generic');
  const send = (service: unknown) =>
    deliver(id, JSON.stringify({ service, externalId: 'the-same' }), { Authorization: `Bearer ${secret}` });
  for (let told = 0; told < changesPerMinute; told += 20) {
    await Promise.all(Array.from({ length: 20 }, () => send('cart')));
  }
  const over = await send('cart');
  expect(over.status).toBe(503);
  expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
});
