import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSession } from '../../db/identity.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
const messages = createFakeMessages();
const errors: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  web = await serveWeb(database.db, { messages, logError: (error) => errors.push(error) });
});
afterAll(async () => {
  await web?.close();
  await database?.close();
  expect(errors).toEqual([]);
});
beforeEach(() => {
  messages.sent.splice(0);
});

const base = '/settings/channels';
const get = async (path: string) =>
  await (await fetch(web.base + path, { headers: { cookie: `holdfast=${night.session}` } })).text();
const post = async (path: string, body: Record<string, string>) => {
  const answer = await fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      cookie: `holdfast=${night.session}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ _csrf: night.csrfToken, ...body }).toString(),
  });
  return { status: answer.status, html: await answer.text() };
};
const stored = async (name: string) =>
  (await database.owner.query(`select id, definition from notification_channels where name = $1`, [name]))
    .rows[0];

test('a Slack channel is made, keeps what it hides, and shows the addresses to paste', async () => {
  const made = {
    name: 'chat',
    kind: 'slack',
    token: 'xoxb-1234',
    channel: '#ops',
    signingSecret: 'signing-1234',
  };
  expect((await post(`${base}/new`, made)).status).toBe(303);
  const { id, definition } = await stored('chat');
  expect(definition).toMatchObject({ type: 'slack', token: 'xoxb-1234', signingSecret: 'signing-1234' });
  const html = await get(`${base}/chat`);
  expect(html).toContain(`/api/v1/chat/slack/${id}/interactions`);
  expect(html).toContain('It is set, and kept while this is empty.');
  expect(html).not.toMatch(/xoxb-1234|signing-1234/);

  await post(`${base}/chat`, { kind: 'slack', channel: '#night' });
  expect((await stored('chat')).definition).toMatchObject({
    token: 'xoxb-1234',
    channel: '#night',
    signingSecret: 'signing-1234',
  });
  await post(`${base}/chat`, { kind: 'slack', channel: '#night', remove: 'signingSecret' });
  expect((await stored('chat')).definition).not.toHaveProperty('signingSecret');
});

test('an Admin does not set the secret by which Slack is believed', async () => {
  const { orgId, owner, db } = database;
  const { rows } = await owner.query(`select id from users where email = 'maryam@example.com'`);
  const expiresAt = new Date(Date.now() + 3_600_000);
  const session = await db.write({ orgId }, (tx) =>
    createSession(tx, { orgId, userId: rows[0].id, userAgent: '', expiresAt, actor: 'test' }),
  );
  const fields = {
    name: 'forged',
    kind: 'slack',
    token: 'xoxb-1234',
    channel: '#ops',
    signingSecret: 'known-to-me',
  };
  const answer = await fetch(`${web.base}${base}/new`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `holdfast=${session.token}` },
    body: new URLSearchParams({ _csrf: session.csrfToken, ...fields }),
  });
  expect(answer.status).toBe(422);
  expect(await answer.text()).toContain('An Owner sets it');
  expect(await stored('forged')).toBeUndefined();
});

test('what is wrong stands beside its field, and nothing hidden is sent back', async () => {
  const { status, html } = await post(`${base}/new`, { name: 'pd', kind: 'pagerduty', routingKey: 'short' });
  expect(status).toBe(422);
  expect(html).toContain('Write the integration key of the service');
  expect(html).not.toContain('"short"');
});

test('a test and a preview go to the channel and say what came of it', async () => {
  expect((await post(`${base}/ops-hook/test`, {})).status).toBe(303);
  expect(await get(`${base}/ops-hook`)).toContain('Send a test');
  expect((await post(`${base}/ops-hook/preview`, {})).html).toContain('what ops-hook would get');
  expect(messages.sent.map(({ method }) => method)).toEqual(['testChannel', 'previewChannel']);
});
