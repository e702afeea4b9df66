import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
const errors: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  web = await serveWeb(database.db, { logError: (error) => errors.push(error) });
});
afterAll(async () => {
  await web?.close();
  await database?.close();
  expect(errors).toEqual([]);
});

const base = '/settings/escalation-policies';
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
const policies = async () =>
  (await database.owner.query(`select name, definition from escalation_policies where name <> 'default'`))
    .rows;

const form = {
  name: 'night',
  'after.0': '0s',
  'who.0.0': 'user:ben@example.com',
  repeats: '0',
  severity: 'critical',
};

test('buttons add rows and save nothing; saving stores what the rows say', async () => {
  const more = await post(`${base}/new`, { ...form, edit: 'add-level' });
  expect(more.status).toBe(200);
  expect(more.html).toContain('name="after.1"');
  expect(more.html).toContain('At once ben@example.com; until somebody acknowledges.');
  expect(await policies()).toEqual([]);

  const saved = await post(`${base}/new`, {
    ...form,
    'after.1': '15m',
    'who.1.0': 'channel:ops-hook',
    remindAfter: '1h',
  });
  expect(saved.status).toBe(303);
  expect(await policies()).toEqual([
    {
      name: 'night',
      definition: {
        levels: [
          { after: '0s', targets: [{ type: 'user', email: 'ben@example.com' }] },
          { after: '15m', targets: [{ type: 'channel', name: 'ops-hook' }] },
        ],
        repeats: 0,
        remindAfter: '1h',
        match: { severity: 'critical' },
      },
    },
  ]);
});

test('a target that is gone is refused beside its row, and stays chosen', async () => {
  const { status, html } = await post(`${base}/night`, { ...form, 'who.0.0': 'schedule:nights' });
  expect(status).toBe(422);
  expect(html).toContain('there is no on-call schedule &#x27;nights&#x27;');
  expect(html).toContain('<option value="schedule:nights" selected>');
  expect(html).toContain('Reaches nobody now');
});
