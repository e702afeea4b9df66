import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';

/** Runners in processes of their own, beside a whole Holdfast. */

let place: Place;
let stack: Stack | undefined;
let holdfast: HoldfastClient;
let journal: string;
let temporalAddress: string;
let token: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  place = await makePlace();
  journal = join(place.folder, 'journal');
  await place.writeRunbook('tidy', tidy());
  stack = await startStack(place, { HOLDFAST_RUNNER_PATIENCE: '2s' });
  holdfast = holdfastClient(place.url);
  temporalAddress = /--address (\S+)\)/.exec(await stack.output())?.[1] ?? '';
  token = (await holdfast.post('/api/v1/runner-tokens', { queue: 'edge', name: 'test' })).token;
}, 120_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stack?.kill();
  await place?.remove();
});

/** Its second step ends when a file says so. */
function tidy(): string {
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
  return `
name: across
execution: {mode: manual, cooldown: 0}
steps:
  - name: Prepare
    runner: west
    command: "true"
    rollback: echo unprepared >> ${journal}
  - name: Go across
    runner: edge
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

function startRunner(environment: Record<string, string> = {}, queue = 'edge'): Runner {
  const child = spawn(process.execPath, ['main/runner.ts', '--queue', queue], {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      PATH: process.env.PATH,
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

const run = async (): Promise<string> =>
  (await holdfast.post('/api/v1/runbooks/tidy/run', { inputs: { who: 'ana' } })).id;
const lines = async () => (await readFile(journal, 'utf8').catch(() => '')).split('\n').filter(Boolean);
const ended = (id: string) =>
  waitFor(
    'the execution to end',
    async () => {
      const execution = await holdfast.get(`/api/v1/executions/${id}`);
      return execution.finishedAt !== null && execution;
    },
    60_000,
  );

test('a runner that cannot start says why', { timeout: 60_000 }, async () => {
  const refused = startRunner({ HOLDFAST_RUNNER_TOKEN: `hfr_${'x'.repeat(40)}` });
  expect(await refused.ended).toBe(1);
  expect(refused.said()).toMatch(/Holdfast refuses the token: the runner token is unknown or was revoked/);
  const astray = startRunner({}, 'elsewhere');
  expect(await astray.ended).toBe(1);
  expect(astray.said()).toMatch(
    /stands for the queue edge, not elsewhere: start the runner with --queue edge/,
  );
  const bare = startRunner({ HOLDFAST_RUNNER_TOKEN: '', HOLDFAST_URL: '' });
  expect(await bare.ended).toBe(1);
  expect(bare.said()).toMatch(/HOLDFAST_URL is not set\n {2}HOLDFAST_RUNNER_TOKEN is not set/);
});

test('a step waits for its runner, is taken up when it comes, and shows its output while it runs', {
  timeout: 90_000,
}, async () => {
  const id = await run();
  await waitFor('the wait to be told', async () => {
    const { statusReason } = await holdfast.get(`/api/v1/executions/${id}`);
    return /runner edge/.test(statusReason ?? '');
  });
  expect(existsSync(journal)).toBe(false);
  const runner = startRunner();
  await waitFor('output of the second step', async () => {
    const { steps } = await holdfast.get(`/api/v1/executions/${id}`);
    return steps[1].output.includes('for ana');
  });
  expect(await lines()).toEqual(['prepare by /home/of-the-runner', 'tidy']);
  expect((await holdfast.get('/api/v1/runners')).items).toMatchObject([{ queue: 'edge', silent: false }]);

  // killed in the middle of a step that may not be run twice: another runner undoes it
  runner.child.kill('SIGKILL');
  await runner.ended;
  const second = startRunner();
  expect(await ended(id)).toMatchObject({
    status: 'rolled_back',
    steps: [
      { status: 'succeeded', rollback: { status: 'succeeded' } },
      { status: 'failed', outcomeUnknown: true, attempts: 1, rollback: { status: 'succeeded' } },
    ],
  });
  expect((await lines()).slice(2)).toEqual(['untidy', 'unprepare']);
  expect(second.said()).toMatch(/"executionId":".*"phase":"undo".*"msg":"succeeded"/);

  second.child.kill('SIGTERM');
  expect(await second.ended, second.said()).toBe(0);
  expect((await holdfast.get('/api/v1/runners')).items).toMatchObject([{ silent: expect.any(Boolean) }]);
});

test('what ran on a runner that was killed is undone by the one that its undo names', {
  timeout: 90_000,
}, async () => {
  await place.writeRunbook('across', across());
  await waitFor('the runbook to be read', async () => {
    const { status } = await holdfast.ask('GET', '/api/v1/runbooks/across');
    return status === 200;
  });
  const west = (await holdfast.post('/api/v1/runner-tokens', { queue: 'west', name: 'test' })).token;
  const runner = startRunner();
  const other = startRunner({ HOLDFAST_RUNNER_TOKEN: west }, 'west');
  const { id } = await holdfast.post('/api/v1/runbooks/across/run', { inputs: {} });
  await waitFor('the step to run', async () => (await lines()).includes('across'));
  runner.child.kill('SIGKILL');
  expect(await ended(id)).toMatchObject({
    status: 'rolled_back',
    steps: [
      { status: 'succeeded', rollback: { status: 'succeeded', attempts: 1 } },
      { status: 'failed', outcomeUnknown: true, rollback: { status: 'succeeded', attempts: 1 } },
    ],
  });
  expect((await lines()).slice(-3)).toEqual(['across', 'back', 'unprepared']);
  other.child.kill('SIGTERM');
  expect(await other.ended, other.said()).toBe(0);
});

test('a runner whose token is revoked ends with the reason', { timeout: 60_000 }, async () => {
  const runner = startRunner();
  await waitFor('the runner to be up', () => runner.said().includes('the runner is up'));
  const { items } = await holdfast.get('/api/v1/runner-tokens');
  expect((await holdfast.ask('DELETE', `/api/v1/runner-tokens/${items[0].id}`)).status).toBe(204);
  expect(await runner.ended).toBe(1);
  expect(runner.said()).toMatch(/Holdfast refuses the token/);
});
