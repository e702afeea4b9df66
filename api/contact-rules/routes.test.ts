import { afterAll, beforeAll, expect, test } from 'vitest';
import { putNotificationChannel } from '../../db/policies.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let ana: { userId: string; token: string };
const mine = '/api/v1/users/me/contact-rules';

beforeAll(async () => {
  api = await createTestApi();
  ana = await api.addPerson('ana@example.com', 'viewer');
  const actor = 'admin@example.com';
  await api.write(async (tx) => {
    const { orgId } = api;
    await putNotificationChannel(tx, {
      orgId,
      actor,
      name: 'ops-bot',
      definition: { type: 'slack', token: 'env:SLACK_TOKEN', channel: '#ops' },
    });
    await putNotificationChannel(tx, {
      orgId,
      actor,
      name: 'ops-hook',
      definition: { type: 'slack', webhookUrl: 'env:SLACK_HOOK' },
    });
  });
});
afterAll(() => api.close());

const slackThenMail = [
  {
    severities: ['critical'],
    steps: [
      { after: '0s', method: { type: 'slack', channel: 'ops-bot' } },
      { after: '5m', method: { type: 'email' } },
    ],
  },
  { steps: [{ method: { type: 'email', address: 'ana@home.example' } }] },
];

test('everybody says how they are reached themselves, and reads it back as it can be put again', async () => {
  const put = await api.ask('PUT', mine, {
    token: ana.token,
    body: { rules: slackThenMail, timeZone: 'Europe/Berlin' },
  });
  expect(put.status).toBe(200);
  const read = await api.ask('GET', mine, { token: ana.token });
  expect(read.body).toMatchObject({
    userId: ana.userId,
    email: 'ana@example.com',
    timeZone: 'Europe/Berlin',
  });
  expect(read.body.rules[1].steps).toEqual([
    { after: '0s', method: { type: 'email', address: 'ana@home.example' } },
  ]);
  const again = await api.ask('PUT', mine, { token: ana.token, body: read.body });
  expect(again.body).toEqual(read.body);
  const audit = await api.ask('GET', '/api/v1/audit', { token: api.tokens.owner });
  expect(audit.body.items[0]).toMatchObject({
    action: 'contact-rules.changed',
    subject: 'user:ana@example.com',
    actor: 'ana@example.com',
  });
});

test("somebody else's rules are an Admin's to read and to put", async () => {
  const path = `/api/v1/users/${ana.userId}/contact-rules`;
  const body = { rules: [] };
  expect((await api.ask('PUT', path, { token: api.tokens.operator, body })).status).toBe(403);
  expect((await api.ask('GET', path, { token: api.tokens.operator })).status).toBe(403);
  expect((await api.ask('PUT', path, { token: api.tokens.admin, body })).status).toBe(200);
  expect((await api.ask('GET', path, { token: ana.token })).body.rules).toEqual([]);
  const nobody = '/api/v1/users/00000000-0000-4000-8000-000000000000/contact-rules';
  expect((await api.ask('PUT', nobody, { token: api.tokens.admin, body })).status).toBe(404);
});

test.each([
  [{ type: 'channel', name: 'gone' }, 'rules.0.steps.0.method.name', /no notification channel 'gone'/],
  [{ type: 'slack', channel: 'gone' }, 'rules.0.steps.0.method.channel', /no notification channel 'gone'/],
  [{ type: 'slack', channel: 'ops-hook' }, 'rules.0.steps.0.method.channel', /no Slack bot/],
])('a way that leads nowhere is refused by its field: %o', async (method, field, message) => {
  const body = { rules: [{ steps: [{ method }] }] };
  const { status, body: problem } = await api.ask('PUT', mine, { token: ana.token, body });
  expect(status).toBe(400);
  expect(problem.errors[0]).toMatchObject({ field, message: expect.stringMatching(message) });
});

test('a time zone that there is not is refused with an example of one', async () => {
  const body = { rules: [], timeZone: 'Berlin' };
  const { body: problem } = await api.ask('PUT', mine, { token: ana.token, body });
  expect(problem.errors).toEqual([{ field: 'timeZone', message: expect.stringContaining('Europe/Berlin') }]);
});

test('nobody has Holdfast write to whatever address they named on and on', async () => {
  const { token } = await api.addPerson('eager@example.com', 'viewer');
  const statuses: number[] = [];
  for (let asked = 0; asked < 7; asked++) {
    statuses.push((await api.ask('POST', `${mine}/test`, { token })).status);
  }
  expect(statuses).toEqual([202, 202, 202, 202, 202, 202, 429]);
});

test('a test goes out once by each way that the rules name', async () => {
  const steps = [
    { after: '0s', method: { type: 'slack', channel: 'ops-bot' } },
    { after: '5m', method: { type: 'email' } },
    { after: '9m', method: { type: 'slack', channel: 'ops-bot' } },
  ];
  await api.ask('PUT', mine, { token: ana.token, body: { rules: [{ steps }] } });
  const { status, body } = await api.ask('POST', `${mine}/test`, { token: ana.token });
  expect(status).toBe(202);
  expect(body.messages.map(({ method }: { method: object }) => method)).toEqual([
    { type: 'slack', channel: 'ops-bot' },
    { type: 'email' },
  ]);
  expect(api.messages.sent.at(-1)).toMatchObject({
    method: 'testContact',
    args: [api.orgId, 'ana@example.com', { requestedBy: 'ana@example.com' }],
  });
});
