import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, DatabaseUnavailableError } from '../../db/database.ts';
import type { IncomingAlert } from '../../domain/alert.ts';
import { addAlertmanager, incomingAlert } from '../../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createGroupCommit } from './group-commit.ts';

let database: TestDatabase;
let integration: { orgId: string; integrationId: string };
let transactions = 0;

/** The database, counting what it is asked for. */
const counting: Pick<Database, 'write'> = {
  write(scope, work) {
    transactions++;
    return database.db.write(scope, work);
  },
};

beforeAll(async () => {
  database = await createTestDatabase();
  integration = { orgId: database.orgId, integrationId: await addAlertmanager(database) };
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from alerts');
  transactions = 0;
});

const alert = (fingerprint: string, change: Partial<IncomingAlert> = {}): IncomingAlert =>
  incomingAlert({ fingerprint, ...change });

test('requests that come while others are stored share a transaction, and each learns what its own alerts were', async () => {
  const { record } = createGroupCommit(counting);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => record(integration, [alert(`f${index}`)])),
  );
  expect(results).toEqual(Array(50).fill({ new: 1, updated: 0, resolved: 0, ignored: 0 }));
  expect(transactions).toBe(3);
  const { rows } = await database.owner.query('select count(*)::int as n from alerts');
  expect(rows).toEqual([{ n: 50 }]);
});

test('the changes of one alert are not folded into one: a resolve beside its firing closes what that opened', async () => {
  const { record } = createGroupCommit(counting);
  await Promise.all([record(integration, [alert('busy1')]), record(integration, [alert('busy2')])]);
  const results = await Promise.all([
    record(integration, [alert('a')]),
    record(integration, [alert('b')]),
    record(integration, [alert('c')]),
    record(integration, [alert('c', { status: 'resolved', endsAt: '2026-01-01T11:00:00Z' })]),
    record(integration, [alert('c')]),
  ]);
  const total = results.reduce((sum, result) => sum + result.new + result.updated, 0);
  expect(total).toBe(4);
  expect(results[3]).toMatchObject({ resolved: 1, ignored: 0 });
  expect(results[4]).toMatchObject({ new: 1 });
});

test('what PostgreSQL does not take of one request loses no other', async () => {
  const { record } = createGroupCommit(counting);
  const outcomes = await Promise.allSettled([
    record(integration, [alert('a')]),
    record(integration, [alert('b')]),
    record(integration, [alert('c')]),
    record(integration, [alert('d', { startsAt: 'yesterday evening' })]),
    record(integration, [alert('e')]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
});

test('with the database away every request hears of it, and the next ones are stored', async () => {
  let isAway = true;
  const { record } = createGroupCommit({
    async write(scope, work) {
      if (isAway) throw new DatabaseUnavailableError('the database is away');
      return await database.db.write(scope, work);
    },
  });
  const away = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => record(integration, [alert(`f${index}`)])),
  );
  expect(away.every(({ status }) => status === 'rejected')).toBe(true);
  isAway = false;
  expect(await record(integration, [alert('f1')])).toMatchObject({ new: 1 });
});
