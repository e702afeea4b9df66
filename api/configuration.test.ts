import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../test/harness/api.ts';

let api: TestApi;
let redAdmin: string;
beforeAll(async () => {
  api = await createTestApi();
  const { rows } = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [api.orgId],
  );
  redAdmin = (await api.addPerson('red@example.com', 'admin', rows[0].id)).token;
});
afterAll(() => api.close());

const get = (path: string) => api.ask('GET', `/api/v1${path}`, { token: api.tokens.viewer });
const put = (path: string, body: object, token = api.tokens.admin) =>
  api.ask('PUT', `/api/v1${path}`, { token, body });
const remove = (path: string) => api.ask('DELETE', `/api/v1${path}`, { token: api.tokens.admin });
const audit = async (subject: string) =>
  (
    await api.fixture.owner.query(
      `select actor, action, data from audit_log where org_id = $1 and subject = $2 order by id`,
      [api.orgId, subject],
    )
  ).rows;

const hook = { type: 'webhook', url: 'https://hooks.example.com/x', secret: 'sign-with-this' };

test('a new organization has the default escalation and SLA policies', async () => {
  const { body } = await get('/escalation-policies/default');
  expect(body.levels.map((level: { after: string }) => level.after)).toEqual(['0s', '15m', '30m', '60m']);
  expect(body.levels[0].targets).toEqual([{ type: 'email', address: 'owner@example.com' }]);
  const sla = await get('/sla-policies');
  expect(sla.body.items).toMatchObject([
    {
      name: 'payment',
      order: 10,
      match: { alert: 'Payment*' },
      acknowledgeWithin: '2m',
      resolveWithin: '15m',
    },
    {
      name: 'critical',
      order: 20,
      match: { severity: 'critical' },
      acknowledgeWithin: '5m',
      resolveWithin: '30m',
    },
    { name: 'standard', order: 30, match: {}, acknowledgeWithin: '30m', resolveWithin: '4h' },
  ]);
});

test('the body of the contract is taken, shown again, and what was shown can be put again', async () => {
  await put('/notification-channels/ops-hook', hook);
  const policy = {
    levels: [
      {
        after: '0s',
        targets: [
          { type: 'email', address: 'a@example.com' },
          { type: 'channel', name: 'ops-hook' },
        ],
      },
    ],
    repeats: 0,
  };
  const made = await put('/escalation-policies/payments', policy);
  expect(made.status).toBe(200);
  expect(made.body).toMatchObject({ name: 'payments', ...policy });
  const read = await get('/escalation-policies/payments');
  expect(read.body).toEqual(made.body);
  expect((await put('/escalation-policies/payments', read.body)).status).toBe(200);
  const sla = { match: { severity: 'critical' }, acknowledgeWithin: '5m', resolveWithin: '30m' };
  expect((await put('/sla-policies/mine', sla)).body).toMatchObject({ ...sla, order: 100 });
});

test('every change stands in the audit log with before and after, by whom, without secrets', async () => {
  await put('/notification-channels/audited', hook);
  await put('/notification-channels/audited', { ...hook, url: 'https://hooks.example.com/y' });
  await remove('/notification-channels/audited');
  const entries = await audit('notification-channel:audited');
  expect(entries.map((entry) => [entry.actor, entry.action])).toEqual([
    ['admin@example.com', 'notification-channel.created'],
    ['admin@example.com', 'notification-channel.changed'],
    ['admin@example.com', 'notification-channel.deleted'],
  ]);
  expect(entries[1].data).toMatchObject({
    before: { url: hook.url },
    after: { url: 'https://hooks.example.com/y' },
  });
  expect(JSON.stringify(entries)).not.toContain(hook.secret);
});

test('a secret is never shown; left out it stays for the same url and is gone for another', async () => {
  const stored = async () =>
    (await api.fixture.owner.query(`select definition from notification_channels where name = 'secretive'`))
      .rows[0].definition.secret;
  const { body } = await put('/notification-channels/secretive', hook);
  expect(body).toMatchObject({
    name: 'secretive',
    type: 'webhook',
    url: hook.url,
    set: ['secret'],
    updatedAt: expect.any(String),
  });
  expect(JSON.stringify(body)).not.toContain(hook.secret);
  await put('/notification-channels/secretive', body);
  expect(await stored()).toBe(hook.secret);
  const moved = await put('/notification-channels/secretive', {
    type: 'webhook',
    url: 'https://elsewhere.example',
  });
  expect(moved.body.set).toEqual([]);
  expect(await stored()).toBeUndefined();
});

test.for([
  ['/escalation-policies/x', { levels: [] }, 'levels'],
  [
    '/escalation-policies/x',
    { levels: [{ after: 'soon', targets: [{ type: 'email', address: 'a@b.de' }] }] },
    'levels.0.after',
  ],
  [
    '/escalation-policies/x',
    { levels: [{ after: '0s', targets: [{ type: 'channel', name: 'none' }] }] },
    'levels.0.targets.0.name',
  ],
  [
    '/escalation-policies/x',
    { levels: [{ after: '0s', targets: [{ type: 'user', email: 'no@body.de' }] }] },
    'levels.0.targets.0.email',
  ],
  [
    '/escalation-policies/x',
    { levels: [{ after: '0s', targets: [{ type: 'schedule', name: 'none' }] }] },
    'levels.0.targets.0.name',
  ],
  [
    '/escalation-policies/x',
    {
      levels: [{ after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] }],
      unacknowledgeAfter: '10s',
    },
    'unacknowledgeAfter',
  ],
  ['/sla-policies/x', { acknowledgeWithin: '5m' }, 'resolveWithin'],
  [
    '/sla-policies/x',
    { match: { severity: 'bad' }, acknowledgeWithin: '5m', resolveWithin: '1h' },
    'match.severity',
  ],
  ['/notification-channels/x', { type: 'pigeon' }, 'type'],
  ['/notification-channels/x', { type: 'webhook', url: 'file:///etc/passwd' }, 'url'],
  ['/notification-channels/x', { ...hook, name: 'y' }, 'name'],
  ['/sla-policies/a%20b', { acknowledgeWithin: '5m', resolveWithin: '1h' }, 'name'],
] as const)('a wrong definition is refused by its field: %s %j', async ([path, body, field]) => {
  const answer = await put(path, body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
});

test('what is in use is not deleted: the default policy, a channel that a policy names', async () => {
  expect((await remove('/escalation-policies/default')).status).toBe(409);
  await put('/notification-channels/used', hook);
  await put('/escalation-policies/user-of-it', {
    levels: [{ after: '0s', targets: [{ type: 'channel', name: 'used' }] }],
  });
  const refused = await remove('/notification-channels/used');
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('user-of-it')]);
  expect((await remove('/escalation-policies/user-of-it')).status).toBe(204);
  expect((await remove('/notification-channels/used')).status).toBe(204);
  expect((await get('/notification-channels/used')).status).toBe(404);
  expect((await remove('/notification-channels/used')).status).toBe(404);
});

test("configuration is changed by the organization's Admins alone, and a refused change leaves nothing", async () => {
  const sla = { acknowledgeWithin: '5m', resolveWithin: '1h' };
  for (const token of [api.tokens.viewer, api.tokens.operator, redAdmin]) {
    expect((await put('/sla-policies/forbidden', sla, token)).status).toBe(403);
  }
  expect((await put('/sla-policies/forbidden', sla, api.tokens.owner)).status).toBe(200);
  expect(await audit('sla-policy:forbidden')).toMatchObject([{ actor: 'owner@example.com' }]);
});
