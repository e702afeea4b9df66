import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { listRunningRows } from './dispatch.ts';
import { findHold } from './notification-limits.ts';

/** Each destination and pattern of an organization has a count. */
const counts = 100_000;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const bare = await database.owner.connect();
  // the messages that they name are not looked for
  await bare.query('set session_replication_role = replica');
  await bare.query(
    `insert into notification_limits (org_id, destination, pattern, hour_began, consolidated)
     select $1, 'd' || n % 1000, 'p' || n, now(), case when n % 4 = 0 then n end from generate_series(1, ${counts}) n`,
    [database.orgId],
  );
  await bare.query('set session_replication_role = default');
  bare.release();
  await database.owner.query('vacuum analyze notification_limits');
}, 120_000);
afterAll(() => database.close());

test('the count behind a message is found by index, also when the message is forgotten', async () => {
  const scans = await database.db.write({ orgId: database.orgId }, async (tx) => {
    expect(await findHold(tx, 4 * 777)).toMatchObject({ consolidated: 4 * 777 });
    await sql`delete from notifications where id = 4`.execute(tx);
    const { rows } = await sql<{ seq_scan: number }>`
      select seq_scan from pg_stat_xact_user_tables where relname = 'notification_limits'`.execute(tx);
    return rows[0]?.seq_scan;
  });
  expect(scans).toBe(0);
});

test('what tells many messages in one is found among all messages by index, and what it said last', async () => {
  const { owner, db, orgId } = database;
  const row = `org_id, key, type, channel, destination, subject, status, created_at`;
  await owner.query(
    `insert into notifications (${row})
     select $1, 'page' || n, 'escalation.page', 'email', 'ana@example.com', 's', 'sent', now() - interval '1 day'
     from generate_series(1, ${counts}) n`,
    [orgId],
  );
  // at PagerDuty, and all but the last of them over
  await owner.query(
    `with firsts as (
       insert into notifications (${row}, consolidation)
       select $1, 'first' || n, 'notifications.consolidated', 'pagerduty', 'ops', 's', 'sent', now() - interval '1 day',
         '{"resolves": true, "ends": "2026-01-01T00:00:00Z"}'
       from generate_series(1, 500) n returning id, key)
     insert into notifications (${row}, part_of)
     select $1, key || end_, 'notifications.consolidated', 'pagerduty', 'ops', 's', 'sent', now(), firsts.id
     from firsts, unnest(array[':1:5', ':2:5:over']) end_ where (key, end_) <> ('first500', ':2:5:over')
     order by end_`,
    [orgId],
  );
  await owner.query('vacuum analyze notifications');
  const page = { kind: 'consolidation', afterId: '', limit: 500 } as const;
  expect(await listRunningRows(db, page)).toHaveLength(1);
  const { seen, reading } = await db.unscoped(async (tx) => {
    const { rows: found } = await sql`select * from running_rows('consolidation', '', 500)`.execute(tx);
    const { rows } = await sql<{ seq_scan: number; read: number }>`
      select seq_scan, idx_tup_fetch as read from pg_stat_xact_user_tables where relname = 'notifications'`.execute(
      tx,
    );
    return { seen: found.length, reading: rows[0] };
  });
  expect(seen).toBe(1);
  expect(reading?.seq_scan).toBe(0);
  expect(reading?.read).toBeLessThan(5_000);
});
