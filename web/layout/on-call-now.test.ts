import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUser } from '../../db/identity.ts';
import { putOnCallSchedule } from '../../db/oncall.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createOnCallNow } from './on-call-now.ts';

let database: TestDatabase;
const now = Date.parse('2026-11-24T12:00:00Z');
const actor = 'test';

beforeAll(async () => {
  database = await createTestDatabase();
  const { db, orgId } = database;
  await db.write({ orgId }, async (tx) => {
    await createUser(tx, { orgId, email: 'ana@example.com', name: 'Ana', actor });
    for (const [name, participants] of [
      ['payments', [['ana@example.com']]],
      ['database', [['ana@example.com']]],
      ['empty', []],
    ] as const) {
      const rotation = {
        name: 'primary',
        priority: 0,
        participants: participants.map((together) => [...together]),
        turn: { every: 1, unit: 'week' as const },
        startsAt: '2026-11-02T09:00',
        shadow: false,
      };
      const rotations = participants.length > 0 ? [rotation] : [];
      await putOnCallSchedule(tx, {
        orgId,
        name,
        definition: { timeZone: 'UTC', team: null, rotations },
        actor,
      });
    }
  });
});
afterAll(() => database.close());

test('each person stands once with their schedules, and what has nobody stands first', async () => {
  const { lines } = await createOnCallNow(database.db)({ orgId: database.orgId }, now);
  expect(lines).toEqual([
    { who: 'Nobody', schedules: 'empty', nobody: true },
    { who: 'Ana', schedules: 'database, payments', nobody: false },
  ]);
});

test('the database is asked once for many pages, and again after a while', async () => {
  let asked = 0;
  const onCallNow = createOnCallNow({
    read: (scope, work) => {
      asked++;
      return database.db.read(scope, work);
    },
  });
  const scope = { orgId: database.orgId };
  await Promise.all([onCallNow(scope, now), onCallNow(scope, now), onCallNow(scope, now + 10_000)]);
  expect(asked).toBe(1);
  await onCallNow({ ...scope, teamIds: [] }, now);
  expect(asked).toBe(2);
  await onCallNow(scope, now + 60_000);
  expect(asked).toBe(3);
});
