import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EscalationTarget } from '../domain/policies.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { openQueryPlans, type QueryPlans } from '../test/harness/query-plans.ts';
import type { Tx } from './database.ts';
import { readDirectory } from './directory.ts';

/** 10,000 people and 500 schedules, asked as the application asks, under row-level security. */
let fixture: TestDatabase;
let plans: QueryPlans;

beforeAll(async () => {
  fixture = await createTestDatabase();
  plans = openQueryPlans(fixture);
  const { owner, orgId } = fixture;
  await owner.query(
    `insert into users (org_id, email, name) select $1, 'p' || n || '@example.com', 'P' || n from generate_series(1, 10000) n`,
    [orgId],
  );
  await owner.query(
    `insert into on_call_schedules (org_id, name, definition)
     select $1, 's' || n, jsonb_build_object('timeZone', 'UTC', 'rotations', jsonb_build_array(jsonb_build_object(
       'name', 'weeks', 'turn', '{"unit": "week"}'::jsonb, 'startsAt', '2026-01-05T09:00',
       'participants', jsonb_build_array(jsonb_build_array('P' || n || '@example.com', 'p' || n + 500 || '@example.com')))))
     from generate_series(1, 500) n`,
    [orgId],
  );
  await owner.query(
    `insert into on_call_overrides (org_id, schedule, person, starts_at, ends_at, created_by)
     select $1, 's' || n, 'p' || n + 1000 || '@example.com', now(), now() + interval '1 hour', 'ana@example.com'
     from generate_series(1, 500) n`,
    [orgId],
  );
  await owner.query(
    `insert into on_call_calendar_shifts (org_id, schedule, rotation, person, starts_at, ends_at)
     select $1, 's' || n, 'weeks', 'p' || n + 1500 || '@example.com', now(), now() + interval '1 hour'
     from generate_series(1, 500) n`,
    [orgId],
  );
  await owner.query(
    `insert into notification_channels (org_id, name, definition) values ($1, 'ops', '{}'), ($1, 'chat', '{}')`,
    [orgId],
  );
  await owner.query('vacuum analyze');
}, 240_000);
afterAll(async () => {
  await plans.close();
  await fixture.close();
});

const asked = async <T>(ask: (tx: Tx) => Promise<T>): Promise<T> =>
  await fixture.db.read({ orgId: fixture.orgId }, ask);
const at = Date.now();
const targets: EscalationTarget[] = [
  { type: 'schedule', name: 's7' },
  { type: 'schedule', name: 's8' },
  { type: 'user', email: 'P9000@example.com' },
  { type: 'user', email: 'nobody@example.com' },
  { type: 'email', address: 'desk@example.com' },
  { type: 'channel', name: 'ops' },
];

test('reads whom targets name, by turns, overrides and calendars, and nobody else', async () => {
  const directory = await asked((tx) => readDirectory(tx, targets, { at }));
  expect([...directory.people.keys()].toSorted()).toEqual(
    [7, 507, 1007, 1507, 8, 508, 1008, 1508, 9000].map((n) => `p${n}@example.com`).toSorted(),
  );
  expect([...directory.schedules.keys()]).toEqual(['s7', 's8']);
  expect([...directory.channels]).toEqual(['ops']);
});

test('in three statements, that find people and schedules by index', async () => {
  const { statements, scans } = await plans.of((tx) => readDirectory(tx, targets, { at }));
  expect(statements).toBe(3);
  // there are two
  expect(scans.filter((relation) => relation !== 'notification_channels')).toEqual([]);
});

test('reads all for whoever chooses among all', async () => {
  const everything = await asked((tx) => readDirectory(tx, 'all', { at }));
  expect([everything.people.size, everything.schedules.size, everything.channels.size]).toEqual([
    10_000, 500, 2,
  ]);
  const toChoose = await asked((tx) => readDirectory(tx, [], { at, everybody: true }));
  expect([toChoose.people.size, toChoose.schedules.size, toChoose.channels.size]).toEqual([10_000, 0, 2]);
});
