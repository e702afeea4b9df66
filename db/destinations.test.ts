import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { Database } from './database.ts';
import { blockDestination, noteChannelHealth, takeTurn } from './destinations.ts';

const noon = '2100-01-01 12:00Z';
let database: TestDatabase;
/** For whom the clock that turns go by stands still at noon: a function of the test stands before PostgreSQL's own. */
let standing: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.owner.query(`
    create schema standing;
    grant usage on schema standing to public;
    create function standing.clock_timestamp() returns timestamptz language sql as $$ select timestamptz '${noon}' $$`);
  const url = new URL(database.url);
  url.searchParams.set('options', '-c search_path=standing,pg_catalog,public');
  standing = new Database({ url: url.href, poolSize: 6 });
});
afterAll(async () => {
  await standing.close();
  await database.close();
});
beforeEach(() => database.owner.query('delete from destinations'));

const take = (destination: string, everyMs: number) =>
  standing.write({ orgId: database.orgId }, (tx) =>
    takeTurn(tx, { orgId: database.orgId, destination, everyMs }),
  );
const block = (forMs: number) =>
  standing.write({ orgId: database.orgId }, (tx) =>
    blockDestination(tx, { orgId: database.orgId, destination: 'slack', forMs, reason: 'HTTP 429' }),
  );

test('of those who ask at once one goes after the other, and who would wait too long is told for how long', async () => {
  const turns = await Promise.all(Array.from({ length: 6 }, () => take('slack', 400)));
  const waits = turns.map((turn) => (turn.status === 'yours' ? turn.inMs : `not for ${turn.forMs}`));
  const late = 'not for 1200';
  expect(waits.toSorted()).toEqual([0, 400, 800, late, late, late]);
  expect(await take('another', 400)).toEqual({ status: 'yours', inMs: 0 });
});

test('a destination that asked for patience has no turn until that is over, and then one right away', async () => {
  await block(60_000);
  // a shorter one that comes later does not end it
  await block(1000);
  expect(await take('slack', 1000)).toEqual({ status: 'wait', forMs: 60_000, reason: 'HTTP 429' });
  await database.owner.query('update destinations set blocked_until = $1, free_at = $1', [noon]);
  expect(await take('slack', 1000)).toEqual({ status: 'yours', inMs: 0 });
});

test('a turn is taken before the patience is over, and comes after it', async () => {
  await block(800);
  expect(await take('slack', 100)).toEqual({ status: 'yours', inMs: 800 });
});

test('how a channel is is written when that changes, and else once a minute', async () => {
  const { orgId, owner } = database;
  await owner.query(
    `insert into notification_channels (org_id, name, definition) values ($1, 'ops', '{"type": "email", "addresses": ["ana@example.com"]}')`,
    [orgId],
  );
  const note = (error: string | null) =>
    database.db.write({ orgId }, (tx) => noteChannelHealth(tx, { name: 'ops', health: null, error }));
  const checked = async () =>
    (await owner.query(`select checked_at, error from notification_channels where name = 'ops'`)).rows[0];
  await note(null);
  const first = await checked();
  await note(null);
  expect(await checked()).toEqual(first);
  await note('it refuses');
  expect(await checked()).toMatchObject({ error: 'it refuses' });
});

test('what was delivered long ago is forgotten, a batch at a time, with what nobody waits for any more', async () => {
  const { orgId, owner, db } = database;
  await owner.query(
    `insert into channel_messages (org_id, destination, subject, reference, updated_at)
     select $1, 'channel:ops', 'incident:' || n, '{}', now() - n * interval '40 days' from generate_series(1, 5) n`,
    [orgId],
  );
  await owner.query(
    `insert into destinations (org_id, destination, free_at) values ($1, 'old', now() - interval '91 days'), ($1, 'new', now())`,
    [orgId],
  );
  const forget = async () => {
    const { rows } = await db.unscoped((tx) =>
      sql<{ gone: number }>`select forget_old_deliveries(now() - interval '90 days', 2) as gone`.execute(tx),
    );
    return rows[0]?.gone;
  };
  expect([await forget(), await forget()]).toEqual([2, 1]);
  expect((await owner.query('select subject from channel_messages order by 1')).rows).toEqual([
    { subject: 'incident:1' },
    { subject: 'incident:2' },
  ]);
  expect((await owner.query('select destination from destinations')).rows).toEqual([{ destination: 'new' }]);
});
