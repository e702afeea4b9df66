import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStepAdapters } from '../../activities/steps/adapters.ts';
import { commandEnvironment } from '../../activities/steps/command.ts';
import { createRunnerApi, RunnerRefusedError } from '../../activities/steps/ledger-remote.ts';
import { createStepActivities, type RunStepInput } from '../../activities/steps.ts';
import { createRunnerToken } from '../../db/runners.ts';
import { attemptKey } from '../../db/step-ledger.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { insertExecution } from '../../test/harness/step-execution.ts';

let api: TestApi;
let edge: string;
let other: string;
beforeAll(async () => {
  api = await createTestApi();
  edge = await tokenFor('edge');
  other = await tokenFor('other');
});
afterAll(() => api.close());

const tokenFor = async (queue: string, orgId = api.orgId): Promise<string> => {
  const made = await api.fixture.db.write({ orgId }, (tx) =>
    createRunnerToken(tx, { orgId, queue, name: 'test', actor: 'test' }),
  );
  return made.token;
};
const execution = (steps: string, inputs: Record<string, string> = {}, runner = 'edge'): Promise<string> =>
  insertExecution({ ...api.fixture, orgId: api.orgId }, { steps, inputs, runner });
const attempt = (executionId: string, given: object = {}) => ({
  executionId,
  index: 0,
  phase: 'step',
  attempt: 1,
  ...given,
});
const carrier = { pid: 4711, startedAt: '1', machine: 'edge' };
const operations: [string, object][] = [
  ['load', {}],
  ['begin', { carrier, abandoned: [] }],
  ['note', { group: { pgid: 4711, startedAt: '1', machine: 'edge', sudo: false } }],
  ['output', { output: 'x' }],
  ['end', { ok: true, output: '' }],
  ['abandon', { keys: [] }],
];
const stored = async (id: string) => {
  const { rows } = await api.fixture.owner.query<{ output: string; rollback_output: string }>(
    'select output, rollback_output from execution_steps where execution_id = $1 and index = 0',
    [id],
  );
  return rows[0]!;
};
const ledgerOf = async (key: string) => {
  const { rows } = await api.fixture.owner.query('select status, detail from side_effects where key = $1', [
    key,
  ]);
  return rows[0];
};

describe('the token of a runner', () => {
  it('says whose it is, and opens nothing but what is meant for runners', async () => {
    expect((await api.ask('GET', '/api/v1/runner', { token: edge })).body).toEqual({
      orgId: api.orgId,
      queue: 'edge',
    });
    for (const path of ['/api/v1/runners', '/api/v1/executions', '/api/v1/runner-tokens']) {
      expect((await api.ask('GET', path, { token: edge })).status, path).toBe(401);
    }
  });

  it('is refused with what mends it when it is none, unknown or revoked', async () => {
    const refusal = async (token?: string) =>
      (await api.ask('GET', '/api/v1/runner', token === undefined ? {} : { token })).body.detail;
    expect(await refusal()).toMatch(/Bearer/);
    expect(await refusal(api.tokens.owner)).toMatch(/this is no runner token: those begin with hfr_/);
    const token = await tokenFor('soon-gone');
    await api.fixture.owner.query(`update runner_tokens set revoked_at = now() where queue = 'soon-gone'`);
    expect(await refusal(token)).toMatch(/unknown or was revoked: make another under Settings, Runners/);
    const gone = createRunnerApi({ url: api.url, token });
    await expect(gone.identify()).rejects.toThrow(RunnerRefusedError);
    await expect(gone.identify()).rejects.toThrow(/Holdfast refuses the token: .*revoked/);
  });

  it('touches no step of another queue, of no runner, of another organization or of none', async () => {
    const ofOther = await execution('  - {name: A, command: "true"}', {}, 'other');
    const ofNone = await insertExecution(
      { ...api.fixture, orgId: api.orgId },
      { steps: '  - {name: A, command: "true"}' },
    );
    expect(api.fixture.orgId).not.toBe(api.orgId);
    const abroad = await insertExecution(api.fixture, {
      steps: '  - {name: A, command: "true"}',
      runner: 'edge',
    });
    for (const id of [ofOther, ofNone, abroad, randomUUID()]) {
      for (const [operation, more] of operations) {
        const body = attempt(id, more);
        const answer = await api.ask('POST', `/api/v1/runner/attempts/${operation}`, { token: edge, body });
        expect(answer.status, operation).toBe(404);
      }
      expect(await ledgerOf(attemptKey(attempt(id) as RunStepInput))).toBeUndefined();
    }
    const mine = await api.ask('POST', '/api/v1/runner/attempts/load', {
      token: other,
      body: attempt(ofOther),
    });
    expect(mine.status).toBe(200);
  });

  it('shows its step and the values of its runbook, and nothing of other steps', async () => {
    const id = await execution('  - {name: A, command: "echo {{x}}"}\n  - {name: B, command: "id of-b"}', {
      x: 'y',
    });
    const { body } = await api.ask('POST', '/api/v1/runner/attempts/load', {
      token: edge,
      body: attempt(id),
    });
    expect(body).toMatchObject({
      step: { name: 'A', definition: { runner: 'edge' } },
      scope: { values: { x: 'y' }, allowedHosts: [] },
      open: [],
      said: '',
    });
    expect(JSON.stringify(body)).not.toContain('of-b');
  });

  it('shows of its step the one action, and of the values and secrets those that it names', async () => {
    const id = await execution(
      `  - name: A
    command: echo {{x}} {{key}}
    rollback: {command: "echo {{back}} of-undo", runner: other}
  - {name: B, command: "echo {{password}} {{lost}}"}`,
      { x: 'y', back: 'z', password: 'secret-of-b' },
    );
    await api.fixture.owner.query(
      `update executions set layout = jsonb_set(layout, '{scopes,0,secretReferences}',
         '{"key": "env:KEY", "lost": "env:LOST"}') where id = $1`,
      [id],
    );
    const load = (token: string, phase: string) =>
      api.ask('POST', '/api/v1/runner/attempts/load', { token, body: attempt(id, { phase }) });
    const step = await load(edge, 'step');
    expect(step.body.scope).toMatchObject({ values: { x: 'y' }, secretReferences: { key: 'env:KEY' } });
    expect(JSON.stringify(step.body)).not.toMatch(/secret-of-b|of-undo|env:LOST|"z"/);
    const undo = await load(other, 'undo');
    expect(undo.body.step.definition).toMatchObject({ rollback: { action: { kind: 'command' } } });
    expect(undo.body.scope).toMatchObject({ values: { back: 'z' }, secretReferences: {} });
    expect(JSON.stringify(undo.body)).not.toMatch(/secret-of-b|env:|\{\{x\}\}|"y"/);
    expect((await load(edge, 'undo')).status).toBe(404);
    expect((await load(other, 'step')).status).toBe(404);
  });

  it('opens no step that no runner carries out, and no undo that is none', async () => {
    const id = await execution('  - {name: A, type: wait, duration: 5}\n  - {name: B, command: "true"}');
    for (const [index, phase] of [
      [0, 'step'],
      [1, 'undo'],
    ] as const) {
      for (const [operation, more] of operations) {
        const body = attempt(id, { index, phase, ...more });
        const answer = await api.ask('POST', `/api/v1/runner/attempts/${operation}`, { token: edge, body });
        expect(answer.status, `${operation} ${phase}`).toBe(404);
      }
    }
  });

  it('is told nothing of an execution that has ended, whose attempt may still end', async () => {
    const id = await execution('  - {name: A, command: "true"}');
    const say = async (operation: string, more: object = {}) => {
      const body = attempt(id, more);
      return await api.ask('POST', `/api/v1/runner/attempts/${operation}`, { token: edge, body });
    };
    expect((await say('begin', { carrier, abandoned: [] })).body).toEqual({ counts: true });
    const ended = `update executions set status = 'failed', finished_at = now() where id = $1`;
    await api.fixture.owner.query(ended, [id]);
    expect((await say('load')).status).toBe(404);
    const key = attemptKey(attempt(id) as RunStepInput);
    expect((await say('abandon', { keys: [key] })).status).toBe(404);
    expect((await say('begin', { carrier, abandoned: [] })).body).toEqual({ counts: false });
    expect((await say('output', { output: 'so far' })).body).toEqual({ counts: true });
    expect((await say('end', { ok: true, output: 'all' })).status).toBe(204);
    expect(await ledgerOf(key)).toMatchObject({ status: 'succeeded' });
    expect((await say('output', { output: 'more' })).body).toEqual({ counts: false });
    expect((await stored(id)).output).toBe('all');
  });

  it('has the secrets masked that its runner was not told, and came upon', async () => {
    const id = await insertExecution(
      { ...api.fixture, orgId: api.orgId },
      {
        steps: '  - {name: A, command: "cat /tmp/x"}\n  - {name: B, command: "echo {{password}}"}',
        top: 'inputs: {password: {secret: true}}\n',
        inputs: { password: 'secret-of-b' },
        runner: 'edge',
      },
    );
    const say = (operation: string, more: object) =>
      api.ask('POST', `/api/v1/runner/attempts/${operation}`, { token: edge, body: attempt(id, more) });
    await say('begin', { carrier, abandoned: [] });
    await say('output', { output: 'it is secret-of-b' });
    expect((await stored(id)).output).toBe('it is ***');
    await say('end', { ok: false, error: 'no secret-of-b', output: `it is ${btoa('secret-of-b')}` });
    expect((await stored(id)).output).toBe('it is ***');
    expect(await ledgerOf(attemptKey(attempt(id) as RunStepInput))).toMatchObject({
      detail: { error: 'no ***' },
    });
  });

  it('closes no attempt that runs elsewhere, until Holdfast has written down that it is done with it', async () => {
    const id = await insertExecution(
      { ...api.fixture, orgId: api.orgId },
      {
        steps: `  - {name: A, command: "true", runner: edge, rollback: {command: "true"}}
  - {name: B, command: "true", runner: other, rollback: {command: "true", runner: edge}}`,
      },
    );
    const say = (token: string, operation: string, place: object, more: object) =>
      api.ask('POST', `/api/v1/runner/attempts/${operation}`, {
        token,
        body: attempt(id, { ...place, ...more }),
      });
    const elsewhere = { index: 1 };
    await say(other, 'begin', elsewhere, { carrier, abandoned: [] });
    const key = attemptKey(attempt(id, elsewhere) as RunStepInput);
    const undo = { index: 1, phase: 'undo' };
    // it is under way: whoever has the token of another queue ends it in no way
    for (const place of [{ index: 0 }, { index: 0, phase: 'undo' }, undo]) {
      expect((await say(edge, 'abandon', place, { keys: [key] })).status).toBe(503);
      expect((await say(edge, 'begin', place, { carrier, abandoned: [key] })).status).toBe(503);
    }
    // nor does it begin an undo that nobody asked for, behind which no step begins
    expect((await say(edge, 'begin', undo, { carrier, abandoned: [] })).status).toBe(503);
    expect(await ledgerOf(attemptKey(attempt(id, undo) as RunStepInput))).toBeUndefined();
    expect((await say(other, 'output', elsewhere, { output: 'on' })).body).toEqual({ counts: true });
    // lost, and recorded as such
    await api.fixture.owner.query(
      `update execution_steps set status = 'failed', rollback_status = 'running'
       where execution_id = $1 and index = 1`,
      [id],
    );
    expect((await say(edge, 'begin', undo, { carrier, abandoned: [] })).body).toEqual({ counts: false });
    expect((await say(edge, 'abandon', undo, { keys: [key] })).status).toBe(204);
    expect((await say(other, 'output', elsewhere, { output: 'on' })).body).toEqual({ counts: false });
    expect((await say(edge, 'begin', undo, { carrier, abandoned: [key] })).body).toEqual({ counts: true });
    // and the undo, which is under way now, is none of the other's
    const undoKey = attemptKey(attempt(id, undo) as RunStepInput);
    expect((await say(other, 'abandon', elsewhere, { keys: [undoKey] })).status).toBe(503);
    expect(await ledgerOf(undoKey)).toMatchObject({ status: 'started' });
  });

  it('closes no attempt of another execution', async () => {
    const mine = await execution('  - {name: A, command: "true"}');
    const foreign = await execution('  - {name: A, command: "true"}', {}, 'other');
    await api.ask('POST', '/api/v1/runner/attempts/begin', {
      token: other,
      body: attempt(foreign, { carrier, abandoned: [] }),
    });
    const key = attemptKey(attempt(foreign) as RunStepInput);
    await api.ask('POST', '/api/v1/runner/attempts/abandon', {
      token: edge,
      body: attempt(mine, { keys: [key] }),
    });
    expect(await ledgerOf(key)).toMatchObject({ status: 'started' });
  });
});

describe('a step on a runner', () => {
  const run = (executionId: string, given: Partial<RunStepInput> = {}, url = api.url) => {
    const { ledger } = createRunnerApi({ url, token: edge });
    const { runStep } = createStepActivities({
      ledger,
      adapters: createStepAdapters(),
      secretSource: { read: () => Promise.reject(new Error('no secrets here')) },
      egressAllow: [],
      environment: commandEnvironment(process.env),
      replacedEndsMs: 1000,
    });
    const input: RunStepInput = { orgId: api.orgId, executionId, index: 0, phase: 'step', attempt: 1 };
    return new MockActivityEnvironment().run(runStep, { ...input, ...given });
  };

  it('keeps its ledger and its output by the API, as one on the worker does by the database', async () => {
    const id = await execution(
      '  - {name: A, command: "echo hello {{who}}; exit 3", rollback: "echo back"}',
      {
        who: '$(id)',
      },
    );
    expect(await run(id)).toEqual({ ok: false, error: 'exit status 3' });
    expect(await run(id)).toEqual({ ok: false, error: 'exit status 3' });
    await api.fixture.owner.query(
      `update execution_steps set rollback_status = 'running' where execution_id = $1`,
      [id],
    );
    expect(await run(id, { phase: 'undo' })).toEqual({ ok: true });
    expect(await stored(id)).toEqual({ output: 'hello $(id)\nexit status 3\n', rollback_output: 'back\n' });
    const key = attemptKey({ executionId: id, index: 0, phase: 'step', attempt: 1 });
    expect(await ledgerOf(key)).toMatchObject({
      status: 'failed',
      detail: { error: 'exit status 3', group: { pgid: expect.any(Number) } },
    });
  });

  it('of which nobody knows how it ended is not run again, and says so', async () => {
    const id = await execution('  - {name: A, command: "echo ran"}');
    const begun = await api.ask('POST', '/api/v1/runner/attempts/begin', {
      token: edge,
      body: attempt(id, { carrier, abandoned: [] }),
    });
    expect(begun.body).toEqual({ counts: true });
    // it began on another machine: what may still run there gets time to see that it was replaced
    expect(await run(id, { attempt: 2 })).toMatchObject({ ok: false, outcomeUnknown: true });
    const late = await api.ask('POST', '/api/v1/runner/attempts/output', {
      token: edge,
      body: attempt(id, { output: 'late' }),
    });
    expect(late.body).toEqual({ counts: false });
    expect((await stored(id)).output).toBe('');
  });

  it('waits for a Holdfast that starts again, and nothing of it is lost or done twice', async () => {
    // what stands before Holdfast while it starts again: it answers 503, or has done its work and the answer is lost
    const away = new Map<string, number>();
    const front = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const path = request.url ?? '';
      const times = (away.get(path) ?? 0) + 1;
      away.set(path, times);
      if (times === 1) return void response.writeHead(503).end();
      const answer = await fetch(api.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${edge}`, 'content-type': 'application/json' },
        body: Buffer.concat(chunks),
      });
      if (times === 2) return void response.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const file = join(await mkdtemp(join(tmpdir(), 'holdfast-runner-')), 'log');
    const id = await execution(`  - {name: A, command: "echo done | tee -a ${file}"}`);
    try {
      const { port } = front.address() as AddressInfo;
      expect(await run(id, {}, `http://127.0.0.1:${port}`)).toEqual({ ok: true });
    } finally {
      front.closeAllConnections();
      front.close();
    }
    expect(await readFile(file, 'utf8')).toBe('done\n');
    expect((await stored(id)).output).toBe('done\n');
    for (const operation of ['load', 'begin', 'note', 'end']) {
      expect(away.get(`/api/v1/runner/attempts/${operation}`), operation).toBe(3);
    }
    await rm(dirname(file), { recursive: true });
  }, 30_000);

  it('is none of a runner whose queue it is not on', async () => {
    const id = await execution('  - {name: A, command: "true"}', {}, 'other');
    await expect(run(id)).rejects.toThrow(/no step 1 of this execution on the runner edge/);
  });
});

it('a runner is shown with its last sign of life, until it ends in good order', async () => {
  const runner = createRunnerApi({ url: api.url, token: edge });
  const sign = { instance: 'edge-1 4711', version: '1.2.3', startedAt: new Date(), stopping: false };
  const shown = async () =>
    (await api.ask('GET', '/api/v1/runners', { token: api.tokens.viewer })).body.items;
  await runner.tellAlive(sign);
  await runner.tellAlive(sign);
  expect(await shown()).toMatchObject([
    { queue: 'edge', instance: 'edge-1 4711', version: '1.2.3', silent: false },
  ]);
  await api.fixture.owner.query(`update runners set last_seen_at = now() - interval '1 minute'`);
  expect(await shown()).toMatchObject([{ silent: true }]);
  await runner.tellAlive({ ...sign, stopping: true });
  expect(await shown()).toEqual([]);
});

it('an Admin makes and revokes tokens, which stands in the audit log', async () => {
  const body = { queue: 'edge-berlin', name: 'rack 4' };
  const token = api.tokens.admin;
  for (const role of ['viewer', 'operator'] as const) {
    const refused = await api.ask('POST', '/api/v1/runner-tokens', { token: api.tokens[role], body });
    expect(refused.status).toBe(403);
  }
  const wrong = await api.ask('POST', '/api/v1/runner-tokens', { token, body: { ...body, queue: 'A b' } });
  expect([wrong.status, wrong.body.errors[0].field]).toEqual([400, 'queue']);
  const made = await api.ask('POST', '/api/v1/runner-tokens', { token, body });
  expect(made).toMatchObject({ status: 201, body: { token: expect.stringMatching(/^hfr_/) } });
  expect(await createRunnerApi({ url: api.url, token: made.body.token }).identify()).toMatchObject({
    queue: 'edge-berlin',
  });
  const { body: list } = await api.ask('GET', '/api/v1/runner-tokens', { token });
  expect(list.items).toContainEqual(
    expect.objectContaining({ ...body, id: made.body.id, createdBy: 'admin@example.com' }),
  );
  expect(JSON.stringify(list)).not.toContain('hfr_');
  const path = `/api/v1/runner-tokens/${made.body.id}`;
  expect((await api.ask('DELETE', path, { token })).status).toBe(204);
  expect((await api.ask('DELETE', path, { token })).status).toBe(404);
  expect((await api.ask('GET', '/api/v1/runner', { token: made.body.token })).status).toBe(401);
  const audit = await api.ask('GET', '/api/v1/audit', { token: api.tokens.owner });
  const actions = audit.body.items.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(expect.arrayContaining(['runner_token.created', 'runner_token.revoked']));
});
