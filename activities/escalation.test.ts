import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EscalationTarget } from '../domain/policies.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { createEscalationActivities } from './escalation.ts';

/** Saturday, 03:00 UTC. */
const at = Date.parse('2026-11-28T03:00:00Z');
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const { owner, orgId } = database;
  const slackFirst = [{ steps: [{ method: { type: 'slack', channel: 'chat' } }] }];
  await owner.query(
    `insert into users (org_id, email, name, contact_rules, disabled_at) values
       ($1, 'ana@example.com', 'Ana', $2, null), ($1, 'ben@example.com', 'Ben', '[]', null),
       ($1, 'gone@example.com', 'Gone', '[]', now())`,
    [orgId, JSON.stringify(slackFirst)],
  );
  await owner.query(
    `insert into memberships (org_id, user_id, team_id, role) select $1, id, null,
       case email when 'ben@example.com' then 'owner' else 'admin' end from users where email <> 'ana@example.com'`,
    [orgId],
  );
  const rotation = (name: string, person: string) => ({
    name,
    participants: [[person]],
    turn: { unit: 'week' },
    startsAt: '2026-11-02T09:00',
  });
  for (const [name, definition] of [
    ['primary', { timeZone: 'Europe/Berlin', rotations: [rotation('weeks', 'Ana@example.com')] }],
    ['gone', { timeZone: 'UTC', rotations: [rotation('weeks', 'gone@example.com')] }],
    ['unreadable', { timeZone: 'Nowhere/Else', rotations: [] }],
    [
      'calendar',
      {
        timeZone: 'UTC',
        rotations: [{ ...rotation('feed', 'x@example.com'), calendar: { url: 'https://x.example' } }],
      },
    ],
  ] as const) {
    await owner.query('insert into on_call_schedules (org_id, name, definition) values ($1, $2, $3)', [
      orgId,
      name,
      JSON.stringify(definition),
    ]);
  }
  await owner.query(
    `insert into on_call_overrides (org_id, schedule, person, starts_at, ends_at, created_by) values
       ($1, 'primary', 'ben@example.com', '2026-11-28T06:00Z', '2026-11-28T07:00Z', 'ana@example.com')`,
    [orgId],
  );
  await owner.query(
    `insert into on_call_calendar_shifts (org_id, schedule, rotation, person, starts_at, ends_at) values
       ($1, 'calendar', 'feed', 'ben@example.com', '2026-11-28T00:00Z', '2026-11-28T06:00Z')`,
    [orgId],
  );
});
afterAll(() => database.close());

const resolve = (time: number, ...targets: EscalationTarget[]) =>
  createEscalationActivities({ db: database.db }).resolveLevel({
    orgId: database.orgId,
    targets,
    severity: 'critical',
    at: time,
  });
const schedule = (name: string): EscalationTarget => ({ type: 'schedule', name });

test('a schedule is whoever is on call by it then, reached as they wish', async () => {
  const night = await resolve(at, schedule('primary'));
  expect(night).toMatchObject({
    targets: [{ people: [{ email: 'ana@example.com', steps: [{ method: { type: 'slack' } }] }] }],
    owners: [],
  });
  const morning = await resolve(Date.parse('2026-11-28T06:30:00Z'), schedule('primary'));
  expect(morning.targets[0]?.people).toMatchObject([
    { email: 'ben@example.com', steps: [{ method: { type: 'email' } }], entry: { override: true } },
  ]);
});

test('shifts of a calendar outside count', async () => {
  const { targets } = await resolve(at, schedule('calendar'));
  expect(targets[0]?.people.map(({ email }) => email)).toEqual(['ben@example.com']);
});

test('where nobody answers, it says why and who looks after the organization', async () => {
  expect(await resolve(at, schedule('gone'))).toEqual({
    targets: [
      {
        target: schedule('gone'),
        people: [],
        problem: "on call by 'gone' is gone@example.com, who is no active user",
      },
    ],
    owners: ['ben@example.com'],
  });
});

test('what cannot be read keeps nobody else from being paged', async () => {
  await database.owner.query(
    `update users set contact_rules = '[{"steps": 1}]' where email = 'ben@example.com'`,
  );
  const { targets } = await resolve(at, schedule('unreadable'), { type: 'user', email: 'ben@example.com' });
  expect(targets).toMatchObject([
    { people: [], problem: "there is no on-call schedule 'unreadable'" },
    { people: [{ email: 'ben@example.com', steps: [{ method: { type: 'email' } }] }], problem: null },
  ]);
});
