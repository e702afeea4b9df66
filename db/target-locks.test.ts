import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SafetyRules, SafetyScope } from '../domain/safety/rules.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type ExecutionSeed, seedExecution, seedRunbookVersion } from '../test/harness/executions.ts';
import { stopAutomation } from './automation.ts';
import { Database } from './database.ts';
import { putSafetyRules } from './safety.ts';
import { listTargets, lockTarget, releaseTarget, type TargetLock } from './target-locks.ts';

let database: TestDatabase;
/** As several processes: each with connections of its own. */
let processes: Database[];
let red: string;

beforeAll(async () => {
  database = await createTestDatabase();
  processes = Array.from({ length: 4 }, () => new Database({ url: database.url, poolSize: 5 }));
  const team = await database.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [database.orgId],
  );
  red = team.rows[0].id;
  await seedRunbookVersion(database, 'restart');
  await seedRunbookVersion(database, 'cooled', { cooldownMs: 600_000 });
  await seedRunbookVersion(database, 'other');
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.close()));
  await database.close();
});
beforeEach(async () => {
  await database.owner.query(
    'delete from executions; delete from safety_rules; delete from automation_stops',
  );
  await rules('organization', '', { maxPerHour: 10_000 });
});

const rules = (scope: SafetyScope, name: string, given: SafetyRules) =>
  database.db.write({ orgId: database.orgId }, (tx) =>
    putSafetyRules(tx, { orgId: database.orgId, scope, name, rules: given, actor: 'ana@example.com' }),
  );
const create = (seed: ExecutionSeed = {}) => seedExecution(database, seed);
const lock = (executionId: string, db: Database = database.db) =>
  db.write({ orgId: database.orgId }, (tx) => lockTarget(tx, { orgId: database.orgId, executionId }));
const release = (executionId: string, db: Database = database.db) =>
  db.write({ orgId: database.orgId }, (tx) => releaseTarget(tx, { orgId: database.orgId, executionId }));
/** Ends it as the record of its workflow does, in one transaction with the lock. */
const end = (executionId: string, db: Database = database.db) =>
  db.write({ orgId: database.orgId }, async (tx) => {
    await tx
      .updateTable('executions')
      .set({ status: 'succeeded', finished_at: new Date() })
      .where('id', '=', executionId)
      .execute();
    return await releaseTarget(tx, { orgId: database.orgId, executionId });
  });
const admitted = async () =>
  (await database.owner.query('select count(*)::int as n from executions where admitted_at is not null'))
    .rows[0].n;

describe('the lock on a target', () => {
  test('is one execution’s until it is given free, and asking again while holding it is fine', async () => {
    const [first, second] = [await create(), await create()];
    expect(await lock(first)).toEqual({ acquired: true });
    expect(await lock(first)).toEqual({ acquired: true });
    expect(await lock(second)).toEqual({ acquired: false, heldBy: first, ahead: 0 });
    expect(await lock(await create({ target: 'db-2' }))).toEqual({ acquired: true });
    expect(await release(first)).toEqual({ next: second });
    expect(await lock(second)).toEqual({ acquired: true });
  });

  test('goes to those who wait in the order in which they asked', async () => {
    const [first, second, third] = [await create(), await create(), await create()];
    await lock(first);
    await lock(second);
    expect(await lock(third)).toEqual({ acquired: false, heldBy: first, ahead: 1 });
    expect(await release(first)).toEqual({ next: second });
    // the third comes before the second has heard that it is its turn, and one that never asked comes too
    expect(await lock(third)).toEqual({ acquired: false, heldBy: second, ahead: 0 });
    expect(await lock(await create())).toMatchObject({ heldBy: second, ahead: 1 });
    expect(await lock(second)).toEqual({ acquired: true });
    expect(await release(second)).toEqual({ next: third });
  });

  test('is not passed on while another holds it: one that leaves the queue wakes nobody', async () => {
    const [first, second, third] = [await create(), await create(), await create()];
    for (const id of [first, second, third]) await lock(id);
    expect(await release(second)).toEqual({ next: null });
    expect(await release(first)).toEqual({ next: third });
  });

  test('holds nobody up when the one that has it, or comes first, has ended', async () => {
    const [first, second, third] = [await create(), await create(), await create()];
    for (const id of [first, second, third]) await lock(id);
    await database.owner.query('update executions set finished_at = now() where id = any($1)', [
      [first, second],
    ]);
    expect(await lock(third)).toEqual({ acquired: true });
    await expect(lock(first)).rejects.toThrow(/has ended/);
  });

  test('is refused by the safety rules to whoever gets it, who leaves the queue', async () => {
    const [first, second, third] = [
      await create({ runbook: 'cooled' }),
      await create({ runbook: 'cooled' }),
      await create(),
    ];
    for (const id of [first, second, third]) await lock(id);
    expect(await end(first)).toEqual({ next: second });
    expect(await lock(second)).toMatchObject({
      refused: { rule: 'cooldown', reason: expect.stringMatching(/^cooldown: 10 min of runbook cooled/) },
    });
    expect(await release(second)).toEqual({ next: third });
    expect(await lock(third)).toEqual({ acquired: true });
    expect(await admitted()).toBe(2);
  });

  test('keeps what it let act: rules that came later do not take the target away', async () => {
    const id = await create();
    await lock(id);
    await rules('organization', '', { maxPerHour: 0 });
    expect(await lock(id)).toEqual({ acquired: true });
    expect(await lock(await create({ target: 'db-2' }))).toMatchObject({
      refused: { rule: 'actions per hour' },
    });
  });

  test('is shown with its queue in order; of other teams’ executions only that they are there', async () => {
    const [first, second] = [await create({ teamId: red }), await create()];
    await lock(first);
    await lock(second);
    await lock(await create({ target: 'secret', teamId: red }));
    const all = await database.db.read({ orgId: database.orgId }, listTargets);
    expect(all).toMatchObject([
      {
        target: 'checkout',
        holder: { executionId: first, runbook: 'restart' },
        queue: [{ executionId: second }],
      },
      { target: 'secret', queue: [] },
    ]);
    const others = await database.db.read({ orgId: database.orgId, teamIds: [] }, listTargets);
    expect(others).toMatchObject([{ target: 'checkout', holder: { runbook: null, requestedBy: null } }]);
    expect(others).toHaveLength(1);
  });
});

describe('limits under 50 concurrent triggers', () => {
  const limit = 7;
  const fifty = Array.from({ length: 50 }, (_, index) => index);
  const askAll = async (ids: string[]): Promise<TargetLock[]> =>
    await Promise.all(ids.map((id, index) => lock(id, processes[index % processes.length])));

  test.for<[SafetyScope, string, (index: number) => ExecutionSeed]>([
    ['organization', '', (index) => ({ target: `host-${index}` })],
    ['team', 'red', (index) => ({ target: `host-${index}`, teamId: red })],
    ['runbook', 'restart', (index) => ({ target: `host-${index}` })],
  ])('of a %s: as many act as it says, never more', async ([scope, name, seed]) => {
    await rules(scope, name, { maxPerHour: limit });
    const ids = await Promise.all(fifty.map((index) => create(seed(index))));
    const answers = await askAll(ids);
    expect(answers.filter((answer) => 'acquired' in answer && answer.acquired)).toHaveLength(limit);
    const refused = answers.flatMap((answer) => ('refused' in answer ? [answer.refused.reason] : []));
    expect(refused).toHaveLength(50 - limit);
    for (const reason of refused) expect(reason).toMatch(/^actions per hour: 7 of 7 /);
    expect(await admitted()).toBe(limit);
  });

  test('of a target: as many act as it says, one after the other, never two at once', async () => {
    await rules('target', 'check*', { maxPerHour: limit });
    const ids = await Promise.all(fifty.map(() => create()));
    let holders = 0;
    let most = 0;
    const acted: string[] = [];
    const refused: string[] = [];
    await Promise.all(
      ids.map(async (id, index) => {
        const db = processes[index % processes.length]!;
        for (;;) {
          const answer = await lock(id, db);
          if ('refused' in answer) {
            refused.push(answer.refused.reason);
            return;
          }
          if (!answer.acquired) continue;
          most = Math.max(most, ++holders);
          const { rows } = await database.owner.query('select execution_id from target_locks');
          expect(rows).toEqual([{ execution_id: id }]);
          acted.push(id);
          holders--;
          await end(id, db);
          return;
        }
      }),
    );
    expect(most).toBe(1);
    expect(acted).toHaveLength(limit);
    expect(refused).toHaveLength(50 - limit);
    expect(await admitted()).toBe(limit);
    expect((await database.owner.query('select * from target_queue')).rows).toEqual([]);
  }, 120_000);

  test('of several scopes at once: none is passed', async () => {
    const [team, runbook, target] = [3, 5, 2];
    await rules('organization', '', { maxPerHour: limit });
    await rules('team', 'red', { maxPerHour: team });
    await rules('runbook', 'restart', { maxPerHour: runbook });
    await rules('target', 'db-*', { maxPerHour: target });
    const ids = await Promise.all(
      fifty.map((index) =>
        create({
          target: `${index % 2 === 0 ? 'db' : 'web'}-${index % 10}`,
          teamId: index % 3 === 0 ? red : null,
          runbook: index % 4 === 0 ? 'other' : 'restart',
        }),
      ),
    );
    await Promise.all(
      ids.map(async (id, index) => {
        const db = processes[index % processes.length]!;
        for (;;) {
          const answer = await lock(id, db);
          if ('refused' in answer) return;
          if (answer.acquired) return void (await end(id, db));
        }
      }),
    );
    const { rows } = await database.owner.query(
      `select count(*)::int as all, count(*) filter (where team_id is not null)::int as team,
         count(*) filter (where runbook = 'restart')::int as runbook,
         (select max(n)::int from (
           select count(*) as n from executions
           where admitted_at is not null and target like 'db-%' group by target)) as target
       from executions where admitted_at is not null`,
    );
    expect(rows[0].all).toBe(limit);
    expect(rows[0].team).toBeLessThanOrEqual(team);
    expect(rows[0].runbook).toBeLessThanOrEqual(runbook);
    expect(rows[0].target).toBeLessThanOrEqual(target);
  }, 120_000);

  test('the kill switch holds for all that come after it', async () => {
    const ids = await Promise.all(fifty.map((index) => create({ target: `host-${index}` })));
    const stop = async () => {
      await expect.poll(admitted).toBeGreaterThan(0);
      const args = { orgId: database.orgId, teamId: null, actor: 'ana@example.com', reason: 'failing over' };
      await database.db.write({ orgId: database.orgId }, (tx) => stopAutomation(tx, args));
    };
    const [answers] = await Promise.all([askAll(ids), stop()]);
    const late = await database.owner.query(
      'select e.id from executions e, automation_stops s where e.admitted_at > s.stopped_at',
    );
    expect(late.rows).toEqual([]);
    for (const answer of answers) {
      if ('refused' in answer) expect(answer.refused.rule).toBe('kill switch');
    }
    expect(await lock(await create())).toMatchObject({ refused: { rule: 'kill switch' } });
  });

  test('a cooldown lets one of those who wait for one target act', async () => {
    const ids = await Promise.all(fifty.slice(0, 12).map(() => create({ runbook: 'cooled' })));
    await askAll(ids);
    const [holder] = (await database.owner.query('select execution_id from target_locks')).rows;
    await end(holder.execution_id);
    const rest = ids.filter((id) => id !== holder.execution_id);
    for (let answers = await askAll(rest); rest.length > 0; answers = await askAll(rest)) {
      for (let index = answers.length - 1; index >= 0; index--) {
        const answer = answers[index]!;
        if ('refused' in answer) {
          expect(answer.refused.rule).toBe('cooldown');
          rest.splice(index, 1);
        } else {
          expect(answer.acquired).toBe(false);
        }
      }
    }
    expect(await admitted()).toBe(1);
  });

  test('one holder comes out of 50 that ask for one target at once', async () => {
    const ids = await Promise.all(fifty.map(() => create()));
    const answers = await askAll(ids);
    expect(answers.filter((answer) => 'acquired' in answer && answer.acquired)).toHaveLength(1);
    const places = answers.flatMap((answer) =>
      'acquired' in answer && !answer.acquired ? [answer.ahead] : [],
    );
    expect(places.sort((a, b) => a - b)).toEqual(fifty.slice(0, 49));
  });
});

test('locking waits for nobody in another organization', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtextextended('safety:' || gen_random_uuid(), 0))`);
    expect(await lock(await create())).toEqual({ acquired: true });
  } finally {
    await client.end();
  }
});
