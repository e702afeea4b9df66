import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const base = '/api/v1/notification-channels';
const asAdmin = (method: string, path: string, body?: unknown) =>
  api.ask(method, `${base}${path}`, { token: api.tokens.admin, ...(body !== undefined && { body }) });

test('a channel shows how it is, where its vendor sends, and what is hidden only by name', async () => {
  const pagerduty = { type: 'pagerduty', routingKey: 'env:PD_KEY', webhookSecret: 'env:PD_SECRET' };
  const put = { token: api.tokens.owner, body: pagerduty };
  const { status, body } = await api.ask('PUT', `${base}/pd`, put);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    name: 'pd',
    set: ['routingKey', 'webhookSecret'],
    checkedAt: null,
    health: null,
    error: null,
    inbound: [
      { url: expect.stringMatching(/^http:\/\/holdfast\.example\/api\/v1\/pagerduty\/[0-9a-f-]{36}$/) },
    ],
  });
  expect(JSON.stringify(body)).not.toContain('PD_KEY');
  await api.fixture.owner.query(
    `update notification_channels set checked_at = now(), error = 'it refuses' where name = 'pd'`,
  );
  expect((await asAdmin('GET', '/pd')).body).toMatchObject({
    error: 'it refuses',
    checkedAt: expect.any(String),
  });
});

test('what was read can be put again, and keeps what is hidden; what was never set is asked for', async () => {
  await asAdmin('PUT', '/teams', {
    type: 'teams',
    webhookUrl: 'https://teams.example.com/workflows/1?sig=x',
  });
  const { body } = await asAdmin('GET', '/teams');
  expect(await asAdmin('PUT', '/teams', body)).toMatchObject({ status: 200, body: { set: ['webhookUrl'] } });
  expect(await asAdmin('PUT', '/incomplete', { type: 'pagerduty' })).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'routingKey' }] },
  });
});

test('an API access key of PagerDuty is never shown, and comes with the name that notes stand in', async () => {
  const duty = { type: 'pagerduty', routingKey: 'env:PD_KEY', apiToken: 'u+known-to-nobody' };
  expect(await asAdmin('PUT', '/noted', duty)).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'notesFrom' }] },
  });
  const put = await asAdmin('PUT', '/noted', { ...duty, notesFrom: 'ana@example.com' });
  expect(put).toMatchObject({
    status: 200,
    body: { set: ['routingKey', 'apiToken'], notesFrom: 'ana@example.com' },
  });
  expect(await asAdmin('PUT', '/noted', put.body)).toMatchObject({
    status: 200,
    body: { set: ['routingKey', 'apiToken'] },
  });
  expect(JSON.stringify((await asAdmin('GET', '/noted')).body)).not.toContain('u+known');
  const { rows } = await api.fixture.owner.query(`select * from audit_log where subject like '%:noted'`);
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toContain('u+known');
});

test('a test and a preview are for Admins, of channels that exist', async () => {
  await asAdmin('PUT', '/mail', { type: 'email', addresses: ['ana@example.com'] });
  expect(await asAdmin('POST', '/mail/test')).toMatchObject({
    status: 200,
    body: { ok: true, destination: 'mail' },
  });
  expect(api.messages.sent.at(-1)).toMatchObject({
    method: 'testChannel',
    args: [api.orgId, 'mail', { requestedBy: 'admin@example.com' }],
  });
  expect((await asAdmin('POST', '/mail/preview', { type: 'incident.resolved' })).body).toEqual({
    type: 'incident.resolved',
    text: 'what mail would get',
  });
  expect((await asAdmin('POST', '/mail/probe')).body).toEqual({ ok: true, response: 'it answers' });
  expect((await asAdmin('POST', '/nowhere/test')).status).toBe(404);
  const { status } = await api.ask('POST', `${base}/mail/test`, { token: api.tokens.operator });
  expect(status).toBe(403);
});

test('the secret by which a vendor is believed is for Owners to set; an Admin changes the rest and keeps it', async () => {
  const slack = { type: 'slack', token: 'xoxb-1234', channel: '#ops' };
  const forged = { ...slack, signingSecret: 'known-to-an-admin' };
  expect(await asAdmin('PUT', '/chat', forged)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('role owner') },
  });
  const pagerduty = { type: 'pagerduty', routingKey: 'R0UTING-KEY', webhookSecret: 'known-to-an-admin' };
  expect(await asAdmin('PUT', '/duty', pagerduty)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('webhookSecret needs the role owner') },
  });
  const asOwner = { token: api.tokens.owner, body: { ...slack, signingSecret: 'env:SLACK_SIGNING' } };
  expect((await api.ask('PUT', `${base}/chat`, asOwner)).status).toBe(200);
  expect(await asAdmin('PUT', '/chat', { ...slack, channel: '#night' })).toMatchObject({
    status: 200,
    body: { channel: '#night', set: ['token', 'signingSecret'] },
  });
});

test('the address of a webhook, which may hold a secret, is shown whole to Admins alone', async () => {
  const url = 'https://hooks.example.com/in/s3cret?key=1';
  expect((await asAdmin('PUT', '/hook', { type: 'webhook', url })).body.url).toBe(url);
  for (const path of ['/hook', '']) {
    const { status, body } = await api.ask('GET', `${base}${path}`, { token: api.tokens.operator });
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toContain('s3cret');
    expect(JSON.stringify(body)).toContain('https://hooks.example.com/…');
  }
});
