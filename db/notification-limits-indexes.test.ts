import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
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
