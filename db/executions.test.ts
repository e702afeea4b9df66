import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import type { Tx } from './database.ts';
import { loadExecutionPlan } from './execution-plan.ts';
import { createExecution, ExecutionRefusedError } from './executions.ts';
import { getExecution } from './executions-read.ts';
import { saveRunbook } from './runbooks.ts';

const failOver = `
name: fail-over
inputs:
  host: {}
  mode: { default: planned }
  token: { secret: true, required: false }
  key: { from_secret: "env:KEY" }
execution: { mode: auto, target: "{{host}}" }
steps:
  - name: Drain
    command: drain {{host}} {{token}} {{key}}
    rollback: undrain {{host}}
    continue_on_fail: true
  - name: Force
    command: force {{host}}
    condition: [{ variable: mode, equals: forced }, { variable: token, equals: "" }]
  - name: Ask
    type: approval
    message: Promote the replica of {{host}}?
    approvals: 2
    approver_role: admin
  - name: Promote
    type: runbook
    runbook: promote
    inputs: { node: "{{host}}" }
    condition: { step: Drain, status: succeeded }
verify:
  - name: Healthy
    command: "true"
    retries: 1
`;
const promote = `
name: promote
inputs: { node: {} }
execution: { mode: auto }
steps:
  - name: Promote
    command: promote {{node}}
    rollback: demote {{node}}
`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await save('fail-over', failOver);
  await save('promote', promote);
});
afterAll(() => database.close());

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

async function save(name: string, source: string): Promise<void> {
  const parsed = parseRunbook(source, `${name}.yaml`);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { orgId } = database;
  const { definition } = parsed;
  await write((tx) => saveRunbook(tx, { orgId, file: `${name}.yaml`, source, definition }));
}

async function create(given: Record<string, string> = { host: 'db-1' }, of?: string): Promise<string> {
  const id = randomUUID();
  const { orgId } = database;
  await write((tx) =>
    createExecution(tx, {
      orgId,
      id,
      runbook: 'fail-over',
      workflowId: id,
      requestedBy: 'ana@example.com',
      given,
      ...(of === undefined ? {} : { retry: { of } }),
    }),
  );
  return id;
}
const plan = (id: string) => write((tx) => loadExecutionPlan(tx, id));
const read = async (id: string) => {
  const execution = await write((tx) => getExecution(tx, id));
  if (!execution) throw new Error('it is not there');
  return execution;
};

test('nested runbooks stand as steps, with what they ask, need and undo', async () => {
  const { steps } = await plan(await create());
  expect(steps.map(({ name, part, work }) => [name, part, work.kind])).toEqual([
    ['Drain', 'step', 'effect'],
    ['Force', 'step', 'effect'],
    ['Ask', 'step', 'approval'],
    ['Promote / Promote', 'step', 'effect'],
    ['Healthy', 'verify', 'effect'],
  ]);
  expect(steps[1]?.skipped).toBe("only if it is 'forced': mode is 'planned'");
  expect(steps[2]?.work).toMatchObject({
    approval: { needed: 2, role: 'admin', message: 'Promote the replica of db-1?', voters: [] },
  });
  expect(steps[3]).toMatchObject({ needs: [{ index: 0, status: 'succeeded' }], undoTimeoutMs: 300_000 });
});

test('where not everybody may vote, those who may are told besides the first level', async () => {
  await database.owner.query(
    `with made as (insert into users (org_id, email, name) values ($1, 'cleo@example.com', 'Cleo'), ($1, 'dan@example.com', 'Dan')
       returning id, email)
     insert into memberships (org_id, user_id, role)
     select $1, id, case email when 'cleo@example.com' then 'admin' else 'operator' end from made`,
    [database.orgId],
  );
  const { steps } = await plan(await create());
  expect(steps[2]?.work).toMatchObject({
    approval: { voters: [{ type: 'user', email: 'cleo@example.com' }] },
  });
});

test('each load asks for the same approval, and each execution for one of its own', async () => {
  const ids = [await create(), await create()];
  const asked = async (id = '') => (await plan(id)).steps[2]?.work;
  expect(await asked(ids[0])).toEqual(await asked(ids[0]));
  expect(await asked(ids[0])).not.toEqual(await asked(ids[1]));
});

test('a secret stands in no input, no description and no plan', async () => {
  const id = await create({ host: 'db-1', token: 'hunter2-hunter2' });
  const execution = await read(id);
  expect(execution.inputs).toMatchObject({ host: 'db-1', token: '***', key: '***' });
  expect(JSON.stringify([execution, await plan(id)])).not.toContain('hunter2');
  const forced = await plan(await create({ host: 'db-1', mode: 'forced', token: 'hunter2-hunter2' }));
  expect(forced.steps[1]?.skipped).toBe("only if it is '': token is '***'");
});

test('a version that comes later changes nothing for an execution that was asked for before', async () => {
  const id = await create();
  await save('promote', promote.replace('promote {{node}}', 'promote --force {{node}}'));
  const described = async (which: string) => (await read(which)).steps[3]?.description;
  expect(await described(id)).toBe('promote db-1');
  expect(await described(await create())).toBe('promote --force db-1');
});

test('going on takes over what succeeded and was not undone, and runs everything else', async () => {
  const id = await create();
  await database.owner.query(
    `update execution_steps set status = (array['succeeded', 'skipped', 'succeeded', 'succeeded', 'failed'])[index + 1],
       attempts = 1, rollback_status = case index when 0 then 'succeeded' when 3 then 'skipped' end
     where execution_id = $1`,
    [id],
  );
  await database.owner.query(
    `update executions set status = 'rolled_back', finished_at = now() where id = $1`,
    [id],
  );
  const again = await create({}, id);
  expect((await plan(again)).steps.map(({ takenOver }) => takenOver)).toEqual([
    // undone
    false,
    // skipped
    false,
    // asks how things stand now
    false,
    // stands
    true,
    // failed
    false,
  ]);
  expect(await read(again)).toMatchObject({ retryOf: id, retryFrom: 4, target: 'db-1' });
});

test('the same id twice is one execution', async () => {
  const id = randomUUID();
  const { orgId } = database;
  const args = { orgId, id, runbook: 'promote', workflowId: id, requestedBy: 'ana', given: { node: 'n' } };
  await write((tx) => createExecution(tx, args));
  await write((tx) => createExecution(tx, args));
  expect((await read(id)).steps).toHaveLength(1);
});

test.each([
  ['what is missing', {}, /'host' has no value/],
  ['a target longer than an index takes', { host: 'x'.repeat(5_000) }, /500/],
])('%s is refused with the reason, and nothing is written', async (_what, given, reason) => {
  const before = await database.owner.query('select count(*)::int as n from executions');
  await expect(create(given)).rejects.toThrow(ExecutionRefusedError);
  await expect(create(given)).rejects.toThrow(reason);
  const after = await database.owner.query('select count(*)::int as n from executions');
  expect(after.rows).toEqual(before.rows);
});
