import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';

/**
 * Runners in processes of their own, beside a whole Holdfast. Each test has queues of its own and waits for runners to
 * start and for Temporal to miss them, so the tests wait together.
 */

let place: Place;
let stack: Stack | undefined;
let holdfast: HoldfastClient;
let temporalAddress: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  place = await makePlace();
  await place.writeRunbook('tidy', tidy());
  await place.writeRunbook('across', across());
  stack = await startStack(place, { HOLDFAST_RUNNER_PATIENCE: '2s' });
  holdfast = holdfastClient(place.url);
  temporalAddress = /--address (\S+)\)/.exec(await stack.output())?.[1] ?? '';
}, 120_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stack?.kill();
  await place?.remove();
});

/** What the steps of a runbook did, in order. */
const journalOf = (runbook: string) => join(place.folder, `${runbook}.journal`);
const lines = async (runbook: string) =>
  (await readFile(journalOf(runbook), 'utf8').catch(() => '')).split('\n').filter(Boolean);

/** Its second step ends when a file says so. */
function tidy(): string {
  const journal = journalOf('tidy');
  return `
name: tidy
execution: {mode: manual, cooldown: 0, runner: edge}
inputs: {who: {default: nobody}}
steps:
  - name: Prepare
    command: echo prepare by $HOME >> ${journal}
    rollback: echo unprepare >> ${journal}
  - name: Tidy
    command: echo $$ > ${place.folder}/pid; echo tidy >> ${journal}; echo for {{who}}; while ! test -e ${place.folder}/go; do sleep 0.1; done
    timeout: 60
    rollback: |
      if grep -q 'State:.[^ZX]' /proc/$(cat ${place.folder}/pid)/status; then echo overtaken >> ${journal}; fi
      echo untidy >> ${journal}
`;
}

/** Its steps run on one runner and are undone on others. */
function across(): string {
  const journal = journalOf('across');
  return `
name: across
execution: {mode: manual, cooldown: 0}
steps:
  - name: Prepare
    runner: west
    command: "true"
    rollback: echo unprepared >> ${journal}
  - name: Go across
    runner: east
    command: echo across >> ${journal}; sleep 300
    timeout: 400
    rollback: {command: "echo back >> ${journal}", runner: west}
`;
}

interface Runner {
  child: ChildProcess;
  said(): string;
  ended: Promise<number | null>;
}

async function makeToken(queue: string): Promise<{ id: string; token: string }> {
  return await holdfast.post('/api/v1/runner-tokens', { queue, name: 'test' });
}

function startRunner(queue: string, token: string, environment: Record<string, string> = {}): Runner {
  const child = spawn(process.execPath, ['main/runner.ts', '--queue', queue], {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      HOME: '/home/of-the-runner',
      HOLDFAST_URL: place.url,
      HOLDFAST_RUNNER_TOKEN: token,
      TEMPORAL_ADDRESS: temporalAddress,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  return { child, said: () => text, ended: new Promise((resolve) => child.once('exit', resolve)) };
}

const ended = (id: string) =>
  waitFor(
    'the execution to end',
    async () => {
      const execution = await holdfast.get(`/api/v1/executions/${id}`);
      return execution.finishedAt !== null && execution;
    },
    60_000,
  );

test.concurrent('a runner that cannot start says why', { timeout: 180_000 }, async () => {
  const refused = startRunner('near', `hfr_${'x'.repeat(40)}`);
  expect(await refused.ended).toBe(1);
  expect(refused.said()).toMatch(/Holdfast refuses the token: the runner token is unknown or was revoked/);
  const astray = startRunner('elsewhere', (await makeToken('near')).token);
  expect(await astray.ended).toBe(1);
  expect(astray.said()).toMatch(
    /stands for the queue near, not elsewhere: start the runner with --queue near/,
  );
  const bare = startRunner('near', '', { HOLDFAST_URL: '' });
  expect(await bare.ended).toBe(1);
  expect(bare.said()).toMatch(/HOLDFAST_URL is not set\n {2}HOLDFAST_RUNNER_TOKEN is not set/);
});

test.concurrent('a step waits for its runner, is taken up when it comes, and shows its output while it runs', {
  timeout: 180_000,
}, async () => {
  const { token } = await makeToken('edge');
  const { id } = await holdfast.post('/api/v1/runbooks/tidy/run', { inputs: { who: 'ana' } });
  const onEdge = async () =>
    (await holdfast.get('/api/v1/runners')).items.filter(({ queue }: { queue: string }) => queue === 'edge');
  await waitFor('the wait to be told', async () => {
    const { statusReason } = await holdfast.get(`/api/v1/executions/${id}`);
    return /runner edge/.test(statusReason ?? '');
  });
  expect(await lines('tidy')).toEqual([]);
  const runner = startRunner('edge', token);
  await waitFor('output of the second step', async () => {
    const { steps } = await holdfast.get(`/api/v1/executions/${id}`);
    return steps[1].output.includes('for ana');
  });
  expect(await lines('tidy')).toEqual(['prepare by /home/of-the-runner', 'tidy']);
  expect(await onEdge()).toMatchObject([{ silent: false }]);

  // killed in the middle of a step that may not be run twice: another runner undoes it
  runner.child.kill('SIGKILL');
  await runner.ended;
  const second = startRunner('edge', token);
  expect(await ended(id)).toMatchObject({
    status: 'rolled_back',
    steps: [
      { status: 'succeeded', rollback: { status: 'succeeded' } },
      { status: 'failed', outcomeUnknown: true, attempts: 1, rollback: { status: 'succeeded' } },
    ],
  });
  expect((await lines('tidy')).slice(2)).toEqual(['untidy', 'unprepare']);
  expect(second.said()).toMatch(/"executionId":".*"phase":"undo".*"msg":"succeeded"/);

  second.child.kill('SIGTERM');
  expect(await second.ended, second.said()).toBe(0);
  expect(await onEdge()).toMatchObject([{ silent: expect.any(Boolean) }]);
});

test.concurrent('what ran on a runner that was killed is undone by the one that its undo names', {
  timeout: 180_000,
}, async () => {
  const runner = startRunner('east', (await makeToken('east')).token);
  const other = startRunner('west', (await makeToken('west')).token);
  const { id } = await holdfast.post('/api/v1/runbooks/across/run', { inputs: {} });
  await waitFor('the step to run', async () => (await lines('across')).includes('across'));
  runner.child.kill('SIGKILL');
  expect(await ended(id)).toMatchObject({
    status: 'rolled_back',
    steps: [
      { status: 'succeeded', rollback: { status: 'succeeded', attempts: 1 } },
      { status: 'failed', outcomeUnknown: true, rollback: { status: 'succeeded', attempts: 1 } },
    ],
  });
  expect(await lines('across')).toEqual(['across', 'back', 'unprepared']);
  other.child.kill('SIGTERM');
  expect(await other.ended, other.said()).toBe(0);
});

test.concurrent('a runner whose token is revoked ends with the reason', { timeout: 180_000 }, async () => {
  const { id, token } = await makeToken('gone');
  const runner = startRunner('gone', token);
  await waitFor('the runner to be up', () => runner.said().includes('the runner is up'));
  expect((await holdfast.ask('DELETE', `/api/v1/runner-tokens/${id}`)).status).toBe(204);
  expect(await runner.ended).toBe(1);
  expect(runner.said()).toMatch(/Holdfast refuses the token/);
});
