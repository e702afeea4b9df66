import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { addAlertmanager } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type Dispatcher, startDispatcher } from './dispatcher.ts';

let database: TestDatabase;
let integrationId: string;
let dispatcher: Dispatcher | undefined;
let dispatched: number[];
beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await addAlertmanager(database);
});
afterAll(() => database.close());
beforeEach(async () => {
  dispatched = [];
  await database.owner.query('delete from alerts; delete from incidents');
});
afterEach(() => dispatcher?.stop());

async function addAlert(severityRank = 2): Promise<number> {
  const { rows } = await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels, annotations, starts_at)
     values ($1, $2, $3, 'firing', 'a', 'warning', $4, '{}', '{}', now()) returning id`,
    [database.orgId, integrationId, randomUUID(), severityRank],
  );
  return rows[0].id;
}
const due = async () =>
  (
    await database.owner.query(
      'select id from alerts where version > dispatched_version order by severity_rank, id',
    )
  ).rows.map((row) => row.id);

function start(
  dispatchAlert: (id: number) => Promise<void>,
  signalled: number[] = [],
  outstanding = 100,
): Dispatcher {
  dispatcher = startDispatcher({
    db: database.db,
    starter: {
      dispatchAlert: async ({ id }) => {
        await dispatchAlert(id);
        dispatched.push(id);
      },
      restartAlert: async () => {},
      signalFeedUnread: async ({ number }) => void signalled.push(number),
      startExecution: async () => {},
      startConsolidation: async () => {},
    },
    logger: pino({ level: 'silent' }),
    concurrency: 1,
    pollMs: 20,
    outstanding,
  });
  return dispatcher;
}

test('goes by severity, then by age, and writes down what was dispatched', async () => {
  const [first, second, worst] = [await addAlert(), await addAlert(), await addAlert(0)];
  start(async () => {});
  await expect.poll(due).toEqual([]);
  expect(dispatched).toEqual([worst, first, second]);
});

test('an alert that Temporal does not take holds up neither the others nor the feeds', async () => {
  const poison = await addAlert(0);
  const others = [await addAlert(), await addAlert(), await addAlert()];
  await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, feed_unread, feed_owed_since)
     values ($1, 7, 't', 'low', 3, true, now() - interval '1 minute')`,
    [database.orgId],
  );
  const signalled: number[] = [];
  start(async (id) => {
    if (id === poison) throw new Error('invalid argument');
  }, signalled);
  await expect.poll(due).toEqual([poison]);
  expect(dispatched).toEqual(others);
  await expect.poll(() => signalled).toEqual([7]);
});

test('a change that lands while its alert is being dispatched stays due', async () => {
  const id = await addAlert();
  let times = 0;
  start(async () => {
    times += 1;
    if (times === 1)
      await database.owner.query('update alerts set version = version + 1 where id = $1', [id]);
  });
  await expect.poll(due).toEqual([]);
  expect(dispatched).toEqual([id, id]);
});

test('no more is under way than the workers can see soon, so that what is worse passes what waits', async () => {
  for (let n = 0; n < 3; n++) await addAlert(2);
  start(async () => {});
  await expect.poll(() => dispatched).toHaveLength(3);
  await dispatcher?.stop();
  dispatched = [];
  const waiting = [await addAlert(2), await addAlert(2)];
  start(async () => {}, [], 4);
  await expect.poll(() => dispatched).toEqual([waiting[0]]);
  const critical = await addAlert(0);
  await database.owner.query('update alerts set seen_version = version where id = $1', [waiting[0]]);
  await expect.poll(() => dispatched).toEqual([waiting[0], critical]);
  // what nobody sees for long keeps nobody out
  await database.owner.query(`update alerts set dispatched_at = now() - interval '1 minute'`);
  await expect.poll(() => dispatched).toEqual([waiting[0], critical, waiting[1]]);
});

test('lets more be under way where workers are quick to see it', async () => {
  for (let n = 0; n < 400; n++) await addAlert();
  let isQuick = true;
  const unseen: number[] = [];
  start(
    async (id) => {
      if (isQuick) await database.owner.query('update alerts set seen_version = version where id = $1', [id]);
      else unseen.push(id);
    },
    [],
    10,
  );
  await expect.poll(() => dispatched.length).toBeGreaterThan(200);
  isQuick = false;
  // before those are given up that nobody sees
  await expect.poll(() => unseen.length, { timeout: 4_000 }).toBeGreaterThan(10);
});

test('waits for no sight of what workers of an older version have looked at, who write down none', async () => {
  for (let n = 0; n < 20; n++) await addAlert();
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 8, 't', 'low', 3) returning id`,
    [database.orgId],
  );
  start(
    async (id) => {
      await database.owner.query('update alerts set incident_id = $2 where id = $1', [id, rows[0].id]);
    },
    [],
    2,
  );
  await expect.poll(due).toEqual([]);
  // what changes of them now has no such mark, and is waited for only so long
  await database.owner.query(
    'update alerts set version = version + 1 where id in (select id from alerts limit 4)',
  );
  await expect.poll(() => dispatched.length).toBeGreaterThanOrEqual(22);
  await database.owner.query(`update alerts set dispatched_at = dispatched_at - interval '1.1 seconds'
    where dispatched_version > 1`);
  await expect.poll(() => dispatched).toHaveLength(24);
});
