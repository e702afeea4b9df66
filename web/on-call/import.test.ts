import { afterAll, beforeAll, expect, test } from 'vitest';
import { listOnCallSchedules } from '../../db/oncall.ts';
import { ensureOrganization } from '../../db/organizations.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let web: TestWeb;
let orgId: string;
const problems: unknown[] = [];
const sessions = new Map<string, { token: string; csrfToken: string }>();

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = await ensureOrganization(database.db, {
    slug: 'paged',
    name: 'Paged',
    ownerEmail: 'first@example.com',
    ownerToken: 'hft_owner-token-of-the-tests',
  }));
  for (const role of ['operator', 'admin', 'owner'] as const) {
    const session = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
    sessions.set(role, session);
  }
  web = await serveWeb(database.db, { logError: (error) => problems.push(error) });
});
afterAll(async () => {
  expect(problems).toEqual([]);
  await web.close();
  await database.close();
});

async function post(role: string, form: Record<string, string>) {
  const { token, csrfToken } = sessions.get(role)!;
  const answer = await fetch(`${web.base}/on-call/import`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Cookie: `holdfast=${token}` },
    body: new URLSearchParams({ _csrf: csrfToken, ...form }),
  });
  const html = await answer.text();
  return { status: answer.status, html, hash: /name="hash" value="(\w+)"/.exec(html)?.[1] ?? '' };
}

const exported = (people: string[]) =>
  JSON.stringify({
    users: people.map((name) => ({ id: name, name, email: `${name}@example.com` })),
    schedules: [
      {
        id: 'PS',
        name: 'Payments <b>',
        time_zone: 'Europe/Berlin',
        schedule_layers: [
          {
            name: 'Layer 1',
            start: '2026-01-05T08:00:00Z',
            end: null,
            rotation_virtual_start: '2026-01-05T08:00:00Z',
            rotation_turn_length_seconds: 604_800,
            users: people.map((id) => ({ user: { id, type: 'user_reference' } })),
            restrictions: [],
          },
        ],
      },
    ],
    escalation_policies: [],
  });
const ofUsers = { source: 'pagerduty', text: exported(['operator', 'admin']) };
const ofStrangers = { source: 'pagerduty', text: exported(['cleo']) };
const schedules = () => database.db.read({ orgId }, listOnCallSchedules);

test('what is no export says what is wrong, and keeps the text', async () => {
  const broken = await post('admin', { source: 'pagerduty', text: '{"users": [' });
  expect(broken.status).toBe(422);
  expect(broken.html).toContain('This is no JSON');
  expect(broken.html).toContain('{&quot;users&quot;: [');
  const other = await post('admin', { source: 'opsgenie', text: '{"schedules": [{"id": "s"}]}' });
  expect(other.html).toContain('schedules.0.name');
});

test('the plan is shown first and changes nothing; it is applied as it was seen', async () => {
  const plan = await post('admin', ofUsers);
  expect(plan.html).toContain('1 would be added, 0 replaced');
  expect(plan.html).not.toContain('Payments <b>');
  expect(await schedules()).toEqual([]);
  const other = await post('admin', { ...ofUsers, do: 'apply', hash: 'of-another-plan' });
  expect(other.html).toContain('would be another by now');
  expect(await schedules()).toEqual([]);
  expect((await post('admin', { ...ofUsers, do: 'apply', hash: plan.hash })).status).toBe(303);
  expect(await schedules()).toHaveLength(1);
});

test('people who are no users are added by an Owner who says so, and by nobody else', async () => {
  const { hash, html } = await post('admin', ofStrangers);
  expect(html).toContain('no user here yet');
  const add = { ...ofStrangers, do: 'apply', hash, createPeople: 'yes' };
  expect((await post('admin', add)).status).toBe(422);
  expect((await post('owner', { ...add, createPeople: '' })).status).toBe(422);
  expect((await post('owner', add)).status).toBe(303);
});

test('Operators do not import', async () => {
  expect((await post('operator', ofUsers)).status).toBe(403);
});
