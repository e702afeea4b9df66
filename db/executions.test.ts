import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import type { Tx } from './database.ts';
import { admitExecution, createExecution, ExecutionRefusedError, lockTarget } from './executions.ts';
import { saveRunbook } from './runbooks.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const source = `
name: restart
execution: { mode: manual, cooldown: 7200, max_per_hour: 3, target: "{{host}}" }
inputs: { host: {} }
steps: [{ name: Restart, command: [systemctl, restart, app] }]
`;
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { orgId } = database;
  const { definition } = parsed;
  await write((tx) => saveRunbook(tx, { orgId, file: 'restart.yaml', source, definition }));
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from target_locks; delete from executions');
});

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);
async function create(host = 'db-1'): Promise<string> {
  const id = randomUUID();
  const { orgId } = database;
  const given = { host };
  await write((tx) =>
    createExecution(tx, { orgId, id, runbook: 'restart', workflowId: id, requestedBy: 'ana', given }),
  );
  return id;
}
const admit = (executionId: string) =>
  write((tx) => admitExecution(tx, { orgId: database.orgId, executionId }));
const lock = (executionId: string) => write((tx) => lockTarget(tx, { orgId: database.orgId, executionId }));
/** As if it had been asked for, had begun and had ended so many minutes ago; null: it has not. */
const past = (id: string, created: number, started: number | null, finished: number | null) =>
  database.owner.query(
    `update executions set created_at = now() - $2 * interval '1 minute', started_at = now() - $3::float8 * interval '1 minute',
       finished_at = now() - $4::float8 * interval '1 minute', status = 'succeeded' where id = $1`,
    [id, created, started, finished],
  );

describe('admission', () => {
  test('a cooldown that is longer than an hour holds', async () => {
    await past(await create(), 100, 100, 90);
    expect(await admit(await create())).toMatchObject({
      admitted: false,
      reason: expect.stringMatching(/^cooldown/),
    });
    expect(await admit(await create('db-2'))).toEqual({ admitted: true });
  });

  test('no more begin within an hour than the runbook says', async () => {
    for (const host of ['a', 'b', 'c']) await past(await create(host), 30, 30, 29);
    expect(await admit(await create('d'))).toMatchObject({
      admitted: false,
      reason: expect.stringMatching(/^max_per_hour: 3 of 3/),
    });
  });
});

describe('the lock on a target', () => {
  test('is one execution’s until it is given free, and asking again while holding it is fine', async () => {
    const [first, second] = [await create(), await create()];
    expect(await lock(first)).toEqual({ acquired: true });
    expect(await lock(first)).toEqual({ acquired: true });
    expect(await lock(second)).toEqual({ acquired: false, heldBy: first });
    expect(await lock(await create('db-2'))).toEqual({ acquired: true });
  });

  test('holds nobody up when the one that has it has ended', async () => {
    const [first, second] = [await create(), await create()];
    await lock(first);
    await past(first, 10, 10, 9);
    expect(await lock(second)).toEqual({ acquired: true });
  });

  test('goes to one of many that ask at once', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => create()));
    const answers = await Promise.all(ids.map((id) => lock(id)));
    expect(answers.filter(({ acquired }) => acquired)).toHaveLength(1);
  });
});

test('a target longer than an index takes is refused with the reason', async () => {
  await expect(create('x'.repeat(5_000))).rejects.toThrow(ExecutionRefusedError);
});
