import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { type BadExecutions, seedBadExecutions } from '../../test/harness/bad-executions.ts';
import { RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { pageOf } from '../endpoint.ts';
import { executionDetail, executionSummary, retryStarted } from './schema.ts';

let api: TestApi;
let executions: BadExecutions;
let redOperator: string;

beforeAll(async () => {
  api = await createTestApi();
  const { owner } = api.fixture;
  const incident = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank)
     values ($1, 1, 'db-primary refuses connections', 'critical', 0) returning id`,
    [api.orgId],
  );
  await owner.query(
    `insert into runbook_versions (org_id, name, version, source, definition)
     values ($1, 'fail-over-database', 3, '', '{"description": "Fail over", "execution": {"mode": "manual"}}')`,
    [api.orgId],
  );
  executions = await seedBadExecutions(owner, api.orgId, incident.rows[0].id, Date.now());
  const { rows } = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [api.orgId],
  );
  redOperator = (await api.addPerson('red@example.com', 'operator', rows[0].id)).token;
  await api.fixture.owner.query(`insert into teams (org_id, slug, name) values ($1, 'blue', 'Blue')`, [
    api.orgId,
  ]);
});
afterAll(() => api.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

const get = (path: string, token = api.tokens.viewer) =>
  api.ask('GET', `/api/v1/executions${path}`, { token });
const post = (path: string, body?: object, token = api.tokens.operator) =>
  api.ask('POST', `/api/v1/executions${path}`, { token, ...(body ? { body } : {}) });
const read = async (id: string) => executionDetail.parse((await get(`/${id}`)).body);

test('executions are found by what they work on', async () => {
  const page = pageOf(executionSummary).parse((await get('?target=db-replica-3')).body);
  expect(page.items.map(({ id }) => id).sort()).toEqual([executions.retried, executions.retry].sort());
  expect((await get('?target=db-replica-3&status=succeeded')).body.items).toEqual([]);
});

test('those that wait for a person are found apart from what runs by itself', async () => {
  const page = pageOf(executionSummary).parse((await get('?waitsForPerson=true')).body);
  const found = page.items.map(({ id }) => id);
  expect(found.sort()).toEqual([executions.asking, executions.undoWaits].sort());
  for (const { finishedAt } of page.items) expect(finishedAt).toBeNull();
  expect((await get('?waitsForPerson=perhaps')).status).toBe(400);
});

test('one that waits says who holds its target, and its place in the queue', async () => {
  const { standing } = await read(executions.queued);
  expect(standing.queue).toMatchObject({ place: 3, holder: { runbook: 'fail-over-database' } });
  const holder = await read(standing.queue?.holder?.id ?? '');
  expect(holder.standing.queue).toBeNull();
  expect((await read(executions.retried)).standing).toEqual({ queue: null, runner: null, next: null });
});

test('a step that no runner has begun says so, until one has', async () => {
  const id = executions.runnerMissing;
  const { standing, steps } = await read(id);
  expect(standing.runner).toMatchObject({ index: 1, queue: 'db-eu-1', lastSeenAt: expect.any(String) });
  expect(steps.map(({ runner, part, maxAttempts }) => [runner, part, maxAttempts])).toEqual([
    [null, 'step', 1],
    ['db-eu-1', 'step', 3],
    [null, 'verify', 1],
  ]);
  await api.fixture.owner.query(
    `insert into side_effects (org_id, key, kind, status) values ($1, $2, 'step', 'started')`,
    [api.orgId, `execution:${id}:step:1:1`],
  );
  expect((await read(id)).standing.runner).toBeNull();
});

test('nested steps, deadlines, unknown outcomes and decisions are told', async () => {
  const asking = await read(executions.asking);
  expect(asking.steps.map(({ nestedRunbook }) => nestedRunbook)).toEqual([
    null,
    null,
    'promote-replica',
    'promote-replica',
    'promote-replica',
    null,
    null,
  ]);
  expect(asking.standing.next).toMatchObject({ what: 'level 2 is asked' });
  const waits = await read(executions.undoWaits);
  expect(waits.steps[3]).toMatchObject({ outcomeUnknown: true, rollback: null });
  expect(waits.steps[2]?.rollback).toMatchObject({ status: 'waiting', attempts: 3, decision: null });
  const retry = await read(executions.retry);
  expect(retry).toMatchObject({ retryOf: executions.retried, retryFrom: 2 });
  expect(retry.steps[1]?.rollback?.decision).toMatchObject({ decision: 'skip', by: 'ben@example.com' });
});

test('a failed undo is decided about: leaving it undone takes a reason', async () => {
  const path = `/${executions.undoWaits}/steps/2/undo`;
  const refused = await post(path, { decision: 'skip' });
  expect(refused.status).toBe(400);
  expect(refused.body.detail).toContain('say why it is left undone');
  expect((await post(path, { decision: 'retry' })).status).toBe(200);
  const skipped = await post(path, { decision: 'skip', reason: 'Put back by hand.' });
  expect(skipped.body).toMatchObject({ id: executions.undoWaits, index: 2 });
  expect(api.messages.sent.map(({ args }) => args[2])).toMatchObject([
    { index: 2, decision: 'retry', asOf: 3 },
    { index: 2, decision: 'skip', asOf: 3, reason: 'Put back by hand.' },
  ]);
  api.messages.next(new RefusedError('that undo does not wait for anybody'));
  const late = await post(path, { decision: 'retry' });
  expect([late.status, late.body.detail]).toEqual([409, 'that undo does not wait for anybody']);
  expect((await post(`/${executions.undoWaits}/steps/0/undo`, { decision: 'retry' })).status).toBe(404);
  expect((await post(path, { decision: 'retry' }, api.tokens.viewer)).status).toBe(403);
});

test('what succeeded, runs or was retried is not retried, and the answer says why', async () => {
  const refusals = [];
  for (const id of [executions.asking, executions.retried]) {
    const { status, body } = await post(`/${id}/retry`);
    refusals.push([status, body.detail]);
  }
  expect(refusals).toEqual([
    [409, 'it still runs: cancel it first, or wait for its end'],
    [409, `it was retried already, as execution ${executions.retry}: retry that one`],
  ]);
  expect(api.messages.sent).toEqual([]);
});

test('of many who retry at once one makes the new execution, which takes over what stands', async () => {
  const of = executions.retry;
  api.messages.next(new TemporalUnavailableError('away'));
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(`/${of}/retry`)));
  const made = answers.filter(({ status }) => status === 202);
  expect(made).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
  const started = retryStarted.parse(made[0]?.body);
  expect(started).toMatchObject({ retryOf: of, started: false });
  const execution = await read(started.id);
  expect(execution).toMatchObject({ retryOf: of, retryFrom: 2, target: 'db-replica-3', status: 'waiting' });
  expect(execution.steps.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'pending']);
  expect((await read(of)).retries.map(({ id }) => id)).toEqual([started.id]);
});

test('a member of another team neither sees nor retries it', async () => {
  await api.fixture.owner.query(
    `update executions set team_id = (select id from teams where slug = 'blue') where id = $1`,
    [executions.hostile],
  );
  expect((await get(`/${executions.hostile}`, redOperator)).status).toBe(404);
  expect((await post(`/${executions.hostile}/retry`, undefined, redOperator)).status).toBe(404);
});
