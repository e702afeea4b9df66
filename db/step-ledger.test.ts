import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { seedExecution } from '../test/harness/executions.ts';
import type { Tx } from './database.ts';
import {
  type AttemptPlace,
  abandonAllAttempts,
  attemptKey,
  beginAttempt,
  reportAttempt,
} from './step-ledger.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);
const begin = (place: AttemptPlace, abandoned: string[] = []) =>
  write((tx) => beginAttempt(tx, place, { orgId: database.orgId, abandoned }));
const layout = { scopes: [], steps: [{}, {}] } as never;

async function placesOf(more: object = {}) {
  const executionId = await seedExecution(database, { status: 'running', layout, ...more });
  const place = (phase: 'step' | 'undo', index = 0): AttemptPlace => ({
    executionId,
    index,
    phase,
    attempt: 1,
  });
  return { executionId, place };
}

test('a step that was held up does not begin behind an undo of its execution', async () => {
  const { place } = await placesOf();
  expect(await begin(place('undo', 0))).toBe(true);
  expect(await begin(place('step', 1))).toBe(false);
});

test('an undo does not begin beside a step that it has not seen', async () => {
  const { place } = await placesOf();
  const step = place('step', 1);
  expect(await begin(step)).toBe(true);
  expect(await begin(place('undo', 0))).toBe(false);
  expect(await begin(place('undo', 0), [attemptKey(step)])).toBe(true);
});

test('nor once the execution has ended', async () => {
  const { place } = await placesOf({ status: 'failed', admitted: 2, finished: 1 });
  expect(await begin(place('step'))).toBe(false);
});

test('when an execution has ended, what still runs of it is told that it was replaced', async () => {
  const { executionId, place } = await placesOf();
  await begin(place('step'));
  expect(await write((tx) => reportAttempt(tx, place('step'), undefined))).toBe(true);
  await write((tx) => abandonAllAttempts(tx, executionId));
  expect(await write((tx) => reportAttempt(tx, place('step'), undefined))).toBe(false);
});
