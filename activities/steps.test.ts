import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseUnavailableError } from '../db/database.ts';
import { attemptKey } from '../db/step-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { insertExecution } from '../test/harness/step-execution.ts';
import { SecretUnavailableError } from './secrets/secret-source.ts';
import { createStepAdapters } from './steps/adapters.ts';
import { commandEnvironment } from './steps/command.ts';
import { LedgerUnavailableError } from './steps/ledger.ts';
import { createDatabaseLedger } from './steps/ledger-database.ts';
import { createStepActivities, type RunStepInput, type StepDeps } from './steps.ts';

let database: TestDatabase;
let folder: string;
const workers: ChildProcess[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'holdfast-steps-'));
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  vi.useRealTimers();
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
});

const execution = (steps: string, inputs: Record<string, string> = {}, top = ''): Promise<string> =>
  insertExecution(database, { steps, inputs, top });

const inputOf = (executionId: string, given: Partial<RunStepInput> = {}): RunStepInput => ({
  orgId: database.orgId,
  executionId,
  index: 0,
  phase: 'step',
  attempt: 1,
  ...given,
});
const kept: Record<string, string> = { 'env:TOKEN': 'hunter2-from-outside' };
const activities = (deps: Partial<StepDeps> = {}) =>
  createStepActivities({
    ledger: createDatabaseLedger(database.db),
    adapters: createStepAdapters(),
    secretSource: {
      async read(reference) {
        const value = kept[reference];
        if (value === undefined) throw new SecretUnavailableError(`the secret ${reference} is not there`);
        return value;
      },
    },
    egressAllow: [],
    environment: commandEnvironment(process.env),
    ...deps,
  });
const run = (executionId: string, given: Partial<RunStepInput> = {}) =>
  new MockActivityEnvironment().run(activities().runStep, inputOf(executionId, given));
const stored = async (executionId: string, index = 0) => {
  const { rows } = await database.owner.query<{ output: string; rollback_output: string }>(
    'select output, rollback_output from execution_steps where execution_id = $1 and index = $2',
    [executionId, index],
  );
  return rows[0]!;
};
const ledger = async (executionId: string, given: Partial<RunStepInput> = {}) => {
  const { rows } = await database.owner.query<{
    status: string;
    attempts: number;
    detail: Record<string, unknown>;
  }>('select status, attempts, detail from side_effects where key = $1', [
    attemptKey(inputOf(executionId, given)),
  ]);
  return rows[0];
};
const lines = async (file: string) =>
  (await readFile(join(folder, file), 'utf8').catch(() => '')).split('\n').filter(Boolean);
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
/** A shell line that tells whether the process whose id is in the file is gone; what only waits to be reaped is. */
const checkGone = (file: string): string =>
  `kill -0 $(cat ${folder}/${file}) 2>/dev/null && ! grep -q 'State:.Z' /proc/$(cat ${folder}/${file})/status && echo overtaken || echo in order`;
/** Runs a step in a process of its own, for the test to kill. */
const startWorker = (input: RunStepInput): ChildProcess => {
  const script = new URL('../test/harness/step-worker.ts', import.meta.url).pathname;
  const worker = spawn(process.execPath, [script, database.url, JSON.stringify(input)], { stdio: 'ignore' });
  workers.push(worker);
  return worker;
};

describe('a step', () => {
  it('runs with its values, keeps its output and its entry in the ledger', async () => {
    const id = await execution('  - {name: A, command: "echo hello {{who}}; echo {{who}} >&2"}', {
      who: `$(id) "x'`,
    });
    expect(await run(id)).toEqual({ ok: true });
    expect((await stored(id)).output).toBe(`hello $(id) "x'\n$(id) "x'\n`);
    expect(await ledger(id)).toMatchObject({
      status: 'succeeded',
      detail: { executionId: id, index: 0, phase: 'step', group: { pgid: expect.any(Number) } },
    });
  });

  it('that fails says why, and its next attempt goes on with the same output', async () => {
    const id = await execution(`  - {name: A, command: "echo try; test -e ${folder}/ready"}`);
    expect(await run(id)).toEqual({ ok: false, error: 'exit status 1' });
    await writeFile(join(folder, 'ready'), '');
    expect(await run(id, { attempt: 2 })).toEqual({ ok: true });
    expect((await stored(id)).output).toBe('try\nexit status 1\n— attempt 2 —\ntry\n');
    expect(await ledger(id)).toMatchObject({ status: 'failed', detail: { error: 'exit status 1' } });
    expect(await ledger(id, { attempt: 2 })).toMatchObject({ status: 'succeeded' });
  });

  it('that fails of something long says the begin of it, and all of it in its output', async () => {
    const id = await execution('  - {name: A, command: "true"}');
    const adapters = createStepAdapters();
    const error = `no: ${'x'.repeat(9_000)}`;
    const { runStep } = activities({
      adapters: { ...adapters, command: { ...adapters.command, run: async () => ({ ok: false, error }) } },
    });
    const outcome = await new MockActivityEnvironment().run(runStep, inputOf(id));
    expect(outcome).toMatchObject({ ok: false, error: expect.stringMatching(/^no: x{3996}…$/) });
    expect((await stored(id)).output).toBe(`${error}\n`);
  });

  it('answers what it answered before when the same attempt is asked again', async () => {
    const id = await execution(
      `  - {name: A, command: "echo x >> ${folder}/once"}\n  - {name: B, command: "exit 4"}`,
    );
    expect(await run(id)).toEqual({ ok: true });
    expect(await run(id)).toEqual({ ok: true });
    expect(await lines('once')).toEqual(['x']);
    expect(await run(id, { index: 1 })).toEqual({ ok: false, error: 'exit status 4' });
    expect(await run(id, { index: 1 })).toEqual({ ok: false, error: 'exit status 4' });
  });

  it('shows no secret in output or error', async () => {
    const id = await execution(
      '  - {name: A, command: "echo {{token}}"}',
      { token: 'hunter2' },
      'inputs: {token: {secret: true}}\n',
    );
    await run(id);
    expect((await stored(id)).output).toBe('***\n');
    expect(JSON.stringify(await ledger(id))).not.toContain('hunter2');
  });

  it('reads what stands for a secret when it begins, and shows none of it', async () => {
    const id = await execution('  - {name: A, command: "echo {{token}}; echo {{token}} | base64"}', {
      token: 'never used',
    });
    await database.owner.query(
      `update executions set layout = jsonb_set(layout #- '{scopes,0,values,token}',
         '{scopes,0,secretReferences}', '{"token": "env:TOKEN"}') where id = $1`,
      [id],
    );
    expect(await run(id)).toEqual({ ok: true });
    expect((await stored(id)).output).toBe('***\n***\n');
  });

  it('whose secret is not there says which one, before anything runs', async () => {
    const id = await execution(`  - {name: A, command: "touch ${folder}/no-secret; echo {{token}}"}`);
    await database.owner.query(
      `update executions set layout = jsonb_set(layout, '{scopes,0,secretReferences}', '{"token": "env:NONE"}')
       where id = $1`,
      [id],
    );
    expect(await run(id)).toEqual({ ok: false, error: 'the secret env:NONE is not there' });
    await expect(readFile(join(folder, 'no-secret'))).rejects.toThrow(/ENOENT/);
  });

  it('ends when it is cut off from the ledger and from Temporal, where nobody could end it', async () => {
    const id = await execution(`  - {name: A, command: "echo $$ > ${folder}/cut; sleep 300"}`);
    const ledger = createDatabaseLedger(database.db);
    let asked = 0;
    vi.useFakeTimers({ toFake: ['Date'] });
    const { runStep } = activities({
      ledger: {
        ...ledger,
        report: () => {
          vi.setSystemTime(Date.now() + 4_000);
          return Promise.reject(new LedgerUnavailableError('away'));
        },
      },
      temporalAnswers: async () => {
        asked += 1;
        return asked < 3;
      },
    });
    expect(await new MockActivityEnvironment().run(runStep, inputOf(id))).toMatchObject({ ok: false });
    expect(asked).toBe(3);
    expect(isAlive(Number((await lines('cut'))[0]))).toBe(false);
    expect((await stored(id)).output).toMatch(/cut off from Holdfast and from Temporal/);
  }, 20_000);

  it('writes its output down while it runs', async () => {
    const id = await execution(
      `  - {name: A, command: "echo early; while ! test -e ${folder}/go; do sleep 0.05; done; echo late"}`,
    );
    const running = run(id);
    await expect.poll(async () => (await stored(id)).output).toBe('early\n');
    await writeFile(join(folder, 'go'), '');
    expect(await running).toEqual({ ok: true });
    expect((await stored(id)).output).toBe('early\nlate\n');
  });

  it('heartbeats while it runs', async () => {
    const id = await execution('  - {name: A, command: sleep 3}');
    const environment = new MockActivityEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => {
      beats += 1;
    });
    await environment.run(activities().runStep, inputOf(id));
    expect(beats).toBeGreaterThan(0);
  });

  it('is ended when it is cancelled, and says so only when it is gone', async () => {
    const id = await execution(`  - {name: A, command: "echo $$ > ${folder}/pid; sleep 300"}`);
    const environment = new MockActivityEnvironment();
    const running = environment.run(activities().runStep, inputOf(id));
    await expect.poll(() => lines('pid')).toHaveLength(1);
    environment.cancel();
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    expect(isAlive(Number((await lines('pid'))[0]))).toBe(false);
    expect(await ledger(id)).toMatchObject({
      status: 'failed',
      detail: { error: 'cancelled while it ran; it was ended' },
    });
  });

  it('and every later one are refused before anything runs when one leads to a host that is not allowed', async () => {
    const id = await execution(
      `  - {name: A, command: "touch ${folder}/ran"}\n  - {name: B, url: "{{url}}"}`,
      { url: 'http://10.9.9.9/' },
    );
    expect(await run(id)).toEqual({
      ok: false,
      error: expect.stringMatching(/10\.9\.9\.9 comes from a variable .* allowed_hosts/),
    });
    await expect(readFile(join(folder, 'ran'))).rejects.toThrow(/ENOENT/);
    expect(await ledger(id)).toBeUndefined();
  });

  it('waits for a database that restarts', async () => {
    const id = await execution('  - {name: A, command: echo done}');
    let away = 2;
    const db = {
      write: (async (scope, work) => {
        if (away-- > 0) throw new DatabaseUnavailableError('away');
        return await database.db.write(scope, work);
      }) as typeof database.db.write,
    };
    const { runStep } = activities({ ledger: createDatabaseLedger(db) });
    expect(await new MockActivityEnvironment().run(runStep, inputOf(id))).toEqual({ ok: true });
  });

  it('does not begin when it was cancelled before', async () => {
    const id = await execution(`  - {name: A, command: "touch ${folder}/begun"}`);
    const environment = new MockActivityEnvironment();
    environment.cancel();
    await expect(environment.run(activities().runStep, inputOf(id))).rejects.toBeInstanceOf(CancelledFailure);
    await expect(readFile(join(folder, 'begun'))).rejects.toThrow(/ENOENT/);
  });

  it('that does not exist is an answer', async () => {
    expect(await run(randomUUID())).toMatchObject({
      ok: false,
      error: expect.stringMatching(/has no step 1/),
    });
  });

  it('may be a request, which carries the same idempotency key at every attempt', async () => {
    const keys: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      keys.push(request.headers['idempotency-key'] as string | undefined);
      response.writeHead(keys.length === 1 ? 503 : 200).end('answer');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const id = await execution(`  - {name: A, url: "http://127.0.0.1:${port}/", method: POST}`);
    expect(await run(id)).toEqual({ ok: false, error: 'expected status 2xx, got 503' });
    expect(await run(id, { attempt: 2 })).toEqual({ ok: true });
    expect(keys).toEqual([`execution:${id}:step:0`, `execution:${id}:step:0`]);
    expect((await stored(id)).output).toMatch(/503 after \d+ ms, 6 bytes\nanswer\n/);
    server.close();
  });
});

describe('an undo', () => {
  it('runs with its own output, and again if it is asked to', async () => {
    const id = await execution(
      `  - {name: A, command: "true", rollback: "echo undone {{x}} | tee -a ${folder}/undone"}`,
      { x: 'y' },
    );
    expect(await run(id, { phase: 'undo' })).toEqual({ ok: true });
    expect(await run(id, { phase: 'undo', attempt: 2 })).toEqual({ ok: true });
    expect(await stored(id)).toEqual({ output: '', rollback_output: 'undone y\n— attempt 2 —\nundone y\n' });
    expect(await lines('undone')).toEqual(['undone y', 'undone y']);
  });

  it('of a step without one is an answer', async () => {
    const id = await execution('  - {name: A, command: "true"}');
    expect(await run(id, { phase: 'undo' })).toEqual({ ok: false, error: "step 'A' has no rollback" });
  });
});

it('an undo ends first what its step left in the background', async () => {
  const id = await execution(
    `  - name: A\n    command: "sleep 300 & echo $! > ${folder}/left"\n    rollback: |\n      ${checkGone('left')}`,
  );
  expect(await run(id)).toEqual({ ok: true });
  const pid = Number((await lines('left'))[0]);
  expect(isAlive(pid)).toBe(true);
  expect(await run(id, { phase: 'undo' })).toEqual({ ok: true });
  expect(isAlive(pid)).toBe(false);
  expect((await stored(id)).rollback_output).toMatch(/^ended what was left of .*\nin order\n$/);
});

describe('after the worker was killed with SIGKILL', () => {
  // the watcher of the group is killed too, so that only the next attempt can end what is left
  const crash = async (worker: ChildProcess, id: string, file: string) => {
    await expect.poll(() => lines(file), { timeout: 15_000 }).toHaveLength(1);
    await expect.poll(async () => (await ledger(id))?.detail.group).toBeDefined();
    const pid = Number((await lines(file))[0]);
    const watchers = await watchersOf(pid);
    expect(watchers.length).toBeGreaterThan(0);
    for (const watcher of watchers) process.kill(watcher, 'SIGKILL');
    worker.kill('SIGKILL');
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(isAlive(pid)).toBe(true);
    return pid;
  };

  it('the undo ends what the step left before it begins', async () => {
    const id = await execution(
      `  - name: A\n    command: "echo $$ > ${folder}/orphan; sleep 300"\n    rollback: |\n      ${checkGone('orphan')}`,
    );
    const pid = await crash(startWorker(inputOf(id)), id, 'orphan');
    expect(await run(id, { phase: 'undo' })).toEqual({ ok: true });
    expect(isAlive(pid)).toBe(false);
    expect((await stored(id)).rollback_output).toMatch(
      /ended what was left of execution:.*:step:0:1\nin order\n$/,
    );
    expect(await ledger(id)).toMatchObject({ status: 'failed', detail: { error: 'its outcome is unknown' } });
  });

  it('a step that is not idempotent is not run again', async () => {
    const id = await execution(
      `  - {name: A, retries: 3, command: "echo $$ >> ${folder}/careful; sleep 300"}`,
    );
    const pid = await crash(startWorker(inputOf(id)), id, 'careful');
    const unknown = { ok: false, error: expect.stringMatching(/outcome unknown/), outcomeUnknown: true };
    expect(await run(id, { attempt: 2 })).toEqual(unknown);
    expect(await run(id)).toEqual({ ok: false, error: 'its outcome is unknown', outcomeUnknown: true });
    expect(isAlive(pid)).toBe(false);
    expect(await lines('careful')).toHaveLength(1);
  });

  it('an idempotent step is run again, after what was left of it was ended', async () => {
    const id = await execution(
      `  - {name: A, idempotent: true, command: "echo $$ >> ${folder}/again; test -e ${folder}/enough || sleep 300"}`,
    );
    const pid = await crash(startWorker(inputOf(id)), id, 'again');
    await writeFile(join(folder, 'enough'), '');
    expect(await run(id, { attempt: 2 })).toEqual({ ok: true });
    expect(isAlive(pid)).toBe(false);
    expect(await lines('again')).toHaveLength(2);
  });

  it('the command ends by itself where its watcher lives', async () => {
    const id = await execution(`  - {name: A, command: "echo $$ > ${folder}/watched; sleep 300"}`);
    const worker = startWorker(inputOf(id));
    await expect.poll(() => lines('watched'), { timeout: 15_000 }).toHaveLength(1);
    const pid = Number((await lines('watched'))[0]);
    worker.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

it('the runbook of the tutorial ends in a rollback on any machine', async () => {
  const source = readFileSync(new URL('../runbooks/demo-recycle-connections.yaml', import.meta.url), 'utf8');
  const id = await execution(source.slice(source.indexOf('steps:\n') + 'steps:\n'.length), {
    service: 'orders-db',
  });
  expect(await run(id)).toEqual({ ok: true });
  expect(await run(id, { index: 1 })).toEqual({ ok: true });
  expect(await run(id, { index: 2 })).toEqual({ ok: true });
  expect((await stored(id, 2)).output).toMatch(/recycled connection 5 of orders-db\n$/);
  expect(await run(id, { index: 3 })).toMatchObject({
    ok: false,
    error: expect.stringMatching(/ECONNREFUSED/),
  });
  expect(await run(id, { index: 2, phase: 'undo' })).toEqual({ ok: true });
  expect(await run(id, { index: 1, phase: 'undo' })).toEqual({ ok: true });
  expect((await stored(id, 1)).rollback_output).toBe('limit of orders-db is back at 200\n');
});

it('an attempt that was replaced ends its command', async () => {
  const id = await execution(
    `  - {name: A, idempotent: true, command: "echo $$ >> ${folder}/fenced; test $(wc -l < ${folder}/fenced) -gt 1 || sleep 300"}`,
  );
  const worker = startWorker(inputOf(id));
  await expect.poll(() => lines('fenced'), { timeout: 15_000 }).toHaveLength(1);
  await database.owner.query(
    `update side_effects set detail = jsonb_set(detail, '{group,machine}', '"elsewhere"') where detail->>'executionId' = $1`,
    [id],
  );
  const { runStep } = activities({ replacedEndsMs: 4000 });
  expect(await new MockActivityEnvironment().run(runStep, inputOf(id, { attempt: 2 }))).toEqual({ ok: true });
  expect(isAlive(Number((await lines('fenced'))[0]))).toBe(false);
  await new Promise((resolve) =>
    worker.exitCode === null ? worker.once('exit', resolve) : resolve(undefined),
  );
  expect((await stored(id)).output).not.toContain('cancelled');
});

/** The launcher's watcher: in the group of `pid`, and no descendant of it. */
async function watchersOf(pid: number): Promise<number[]> {
  const { execFileSync } = await import('node:child_process');
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,pgid=,args='], { encoding: 'utf8' }).split('\n');
  const found = rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .filter((row) => row !== null);
  const group = found.find((row) => Number(row[1]) === pid)?.[3];
  return found
    .filter((row) => row[3] === group && row[4]?.includes('read -r go'))
    .map((row) => Number(row[1]))
    .filter((other) => other !== pid);
}
