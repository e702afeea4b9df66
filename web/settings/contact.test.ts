import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { getContactSettings } from '../../db/contact-rules.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let web: TestWeb;
let orgId: string;
const messages = createFakeMessages();
const problems: unknown[] = [];
const people = new Map<Role, { userId: string; token: string; csrfToken: string }>();

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = database);
  for (const role of ['viewer', 'admin'] as const) {
    const person = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
    people.set(role, person);
  }
  web = await serveWeb(database.db, { messages, logError: (error) => problems.push(error) });
});
afterAll(async () => {
  expect(problems).toEqual([]);
  await web.close();
  await database.close();
});
beforeEach(() => messages.sent.splice(0));

async function ask(role: Role, path: string, form?: Record<string, string>) {
  const { token, csrfToken } = people.get(role)!;
  const answer = await fetch(web.base + path, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: { Cookie: `holdfast=${token}` },
    ...(form ? { body: new URLSearchParams({ _csrf: csrfToken, ...form }) } : {}),
  });
  return { status: answer.status, html: await answer.text() };
}

const rulesOf = async (role: Role) =>
  (await database.db.read({ orgId }, (tx) => getContactSettings(tx, people.get(role)!.userId)))?.rules;

const form = {
  rules: '1',
  timeZone: '',
  'after.0': '5m',
  'method.0': 'email:',
  'address.0': '',
  do: 'save',
};

test('a person adds a row without losing what was typed, and saves', async () => {
  const path = '/settings/account/contact';
  const { html } = await ask('viewer', path, { ...form, 'after.0': 'soon', do: 'add-step.0' });
  expect(html).toContain('value="soon"');
  expect(html).toContain('id="after-0-1"');
  expect(await rulesOf('viewer')).toEqual([]);
  expect((await ask('viewer', path, form)).status).toBe(303);
  expect(await rulesOf('viewer')).toEqual([{ steps: [{ after: '5m', method: { type: 'email' } }] }]);
});

test('a channel that is not there is named beside its field', async () => {
  const { status, html } = await ask('viewer', '/settings/account/contact', {
    ...form,
    'method.0': 'channel:gone',
  });
  expect(status).toBe(422);
  expect(html).toContain('id="method-0-0-problem"');
});

test("an Admin puts somebody's rules and tries them, and nobody less does", async () => {
  const path = `/settings/people/${people.get('viewer')!.userId}/contact`;
  expect((await ask('admin', path, { ...form, 'after.0': '9m' })).status).toBe(303);
  expect((await rulesOf('viewer'))?.[0]?.steps[0]?.after).toBe('9m');
  await ask('admin', `${path}/test`, {});
  expect(messages.sent[0]?.args).toMatchObject([
    orgId,
    'viewer@example.com',
    { requestedBy: 'admin@example.com' },
  ]);
  const others = `/settings/people/${people.get('admin')!.userId}/contact`;
  expect((await ask('viewer', others)).status).toBe(403);
  expect((await ask('viewer', others, form)).status).toBe(403);
});
