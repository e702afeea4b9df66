import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { lockTarget } from '../../db/target-locks.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { type ExecutionSeed, seedExecution, seedRunbookVersion } from '../../test/harness/executions.ts';
import { circuitBreaker } from '../circuit-breakers/schema.ts';
import { maintenanceWindowShown } from '../maintenance-windows/schema.ts';
import { safetyRulesShown } from '../safety-rules/schema.ts';
import { lockedTarget } from '../targets/schema.ts';
import { automationState } from './schema.ts';

let api: TestApi;
let red: string;
let redAdmin: string;
let redViewer: string;

beforeAll(async () => {
  api = await createTestApi();
  const team = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [api.orgId],
  );
  red = team.rows[0].id;
  redAdmin = (await api.addPerson('red-admin@example.com', 'admin', red)).token;
  redViewer = (await api.addPerson('red-viewer@example.com', 'viewer', red)).token;
  await seedRunbookVersion({ owner: api.fixture.owner, orgId: api.orgId }, 'restart');
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.fixture.owner.query(
    `delete from executions; delete from automation_stops; delete from safety_rules;
     delete from maintenance_windows; delete from circuit_resets`,
  );
});

const create = (seed: ExecutionSeed = {}) =>
  seedExecution({ owner: api.fixture.owner, orgId: api.orgId }, seed);
const get = (path: string, token = api.tokens.viewer) => api.ask('GET', path, { token });
const post = (path: string, body?: object, token = api.tokens.operator) =>
  api.ask('POST', path, { token, body });
const put = (path: string, body: object, token = api.tokens.admin) => api.ask('PUT', path, { token, body });
const remove = (path: string, token = api.tokens.admin) => api.ask('DELETE', path, { token });
const auditOf = async (subject: string) =>
  (
    await api.fixture.owner.query(
      'select actor, action from audit_log where org_id = $1 and subject = $2 order by id',
      [api.orgId, subject],
    )
  ).rows.map(({ actor, action }) => `${actor} ${action}`);

test('operators stop automation with a reason, admins resume it, and each is audited', async () => {
  expect(automationState.parse((await get('/api/v1/automation')).body)).toEqual({ stopped: [], running: [] });
  expect((await post('/api/v1/automation/stop', {})).status).toBe(400);
  expect((await post('/api/v1/automation/stop', { reason: '  ' })).body.errors[0].field).toBe('reason');
  expect((await post('/api/v1/automation/stop', { reason: 'x' }, api.tokens.viewer)).status).toBe(403);
  const stopped = await post('/api/v1/automation/stop', { reason: 'failing over' });
  expect(stopped.status).toBe(200);
  expect(automationState.parse(stopped.body).stopped).toMatchObject([
    { team: null, by: 'operator@example.com', reason: 'failing over' },
  ]);
  const again = await post('/api/v1/automation/stop', { reason: 'me too' });
  expect(again.body.stopped).toMatchObject([{ reason: 'failing over' }]);
  expect((await post('/api/v1/automation/resume')).status).toBe(403);
  expect((await post('/api/v1/automation/resume', undefined, api.tokens.admin)).body.stopped).toEqual([]);
  const notStopped = await post('/api/v1/automation/resume', undefined, api.tokens.admin);
  expect(notStopped.status).toBe(409);
  expect(notStopped.body.detail).toBe('automation is not stopped');
  expect(await auditOf('automation:organization')).toEqual([
    'operator@example.com automation.stopped',
    'admin@example.com automation.resumed',
  ]);
});

test('a team is stopped and resumed by its own people', async () => {
  expect(
    (await post('/api/v1/automation/stop', { reason: 'x', team: 'nobody' })).body.errors[0],
  ).toMatchObject({
    field: 'team',
  });
  expect((await post('/api/v1/automation/stop', { reason: 'x', team: 'red' }, redViewer)).status).toBe(403);
  const stopped = await post('/api/v1/automation/stop', { reason: 'x', team: 'red' }, redAdmin);
  expect(stopped.body.stopped).toMatchObject([{ team: 'red', by: 'red-admin@example.com' }]);
  expect((await post('/api/v1/automation/resume', {}, redAdmin)).status).toBe(403);
  expect((await post('/api/v1/automation/resume', { team: 'red' }, redAdmin)).body.stopped).toEqual([]);
});

test('what runs is shown and asked about while automation is stopped', async () => {
  const id = await create({ admitted: 5, status: 'running', requestedBy: 'Holdfast' });
  const others = await create({ admitted: 5, status: 'running', teamId: red, target: 'db-1' });
  const go = (of: string) => post(`/api/v1/automation/executions/${of}/let-go-on`);
  expect((await go(id)).status).toBe(409);
  await post('/api/v1/automation/stop', { reason: 'x' });
  const running = (body: unknown) => automationState.parse(body).running;
  expect(running((await get('/api/v1/automation')).body)).toHaveLength(2);
  const answered = running((await go(id)).body);
  expect(answered.find((execution) => execution.id === id)).toMatchObject({ stopped: true, goesOn: true });
  expect(answered.find((execution) => execution.id === others)).toMatchObject({ goesOn: false });
  expect((await go('11111111-1111-4111-8111-111111111111')).status).toBe(404);
  expect(await auditOf(`execution:${id}`)).toEqual(['operator@example.com automation.let-go-on']);
});

test('safety rules are kept by scope, read back as they were put, and changed by admins only', async () => {
  const rules = {
    maxPerHour: 5,
    cooldown: '10m',
    deny: { commands: ['rm -rf *'], stepTypes: ['sql'] },
    allow: { hosts: ['*.example.com'] },
    hours: { days: [1, 2], from: '09:00', to: '17:00', timeZone: 'Europe/Berlin' },
  };
  const path = `/api/v1/safety-rules/target/${encodeURIComponent('db/*')}`;
  expect((await put(path, rules, api.tokens.operator)).status).toBe(403);
  const made = await put(path, rules);
  expect(made.status).toBe(200);
  expect(safetyRulesShown.parse(made.body)).toMatchObject({
    scope: 'target',
    name: 'db/*',
    ...rules,
    updatedBy: 'admin@example.com',
  });
  expect((await put(path, made.body)).status).toBe(200);
  expect((await put(path, { ...made.body, name: 'other' })).body.errors[0].field).toBe('name');
  expect((await put('/api/v1/safety-rules/organization', { maxPerHour: 50 })).body).toMatchObject({
    scope: 'organization',
    name: '',
  });
  const { body } = await get('/api/v1/safety-rules');
  expect(
    z
      .array(safetyRulesShown)
      .parse(body.items)
      .map(({ scope }) => scope),
  ).toEqual(['organization', 'target']);
  expect((await get(path)).body.cooldown).toBe('10m');
  expect((await remove(path)).status).toBe(204);
  expect((await remove(path)).status).toBe(404);
  expect((await get(path)).status).toBe(404);
  expect((await remove('/api/v1/safety-rules/organization')).status).toBe(204);
});

test.for<[string, object, string]>([
  ['team/nobody', { maxPerHour: 1 }, 'name'],
  ['target/x', { maxPerHour: -1 }, 'maxPerHour'],
  ['target/x', { cooldown: 'soon' }, 'cooldown'],
  ['target/x', { deny: { commands: [] } }, 'deny.commands'],
  ['target/x', { allow: {} }, 'allow'],
  ['target/x', { hours: { days: [8], from: '09:00', to: '17:00', timeZone: 'UTC' } }, 'hours.days.0'],
  ['target/x', { hours: { days: [1], from: '9', to: '17:00', timeZone: 'UTC' } }, 'hours.from'],
  ['target/x', { hours: { days: [1], from: '09:00', to: '17:00', timeZone: '+02:00' } }, 'hours.timeZone'],
  ['target/x', { maxperhour: 1 }, 'body'],
  ['planet/x', { maxPerHour: 1 }, 'scope'],
])('rules that make no sense are refused at their field: %s %o', async ([path, rules, field]) => {
  const answer = await put(`/api/v1/safety-rules/${path}`, rules);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].field).toBe(field);
});

test('operators keep maintenance windows, each with an end', async () => {
  const base = '/api/v1/maintenance-windows';
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const window = { target: 'db-*', startsAt: at(0), endsAt: at(2), reason: 'disk swap' };
  const { endsAt: _, ...withoutEnd } = window;
  expect((await post(base, withoutEnd)).body.errors[0].field).toBe('endsAt');
  expect((await post(base, { ...window, endsAt: at(-1) })).body.errors[0]).toMatchObject({
    field: 'endsAt',
    message: 'the end must lie after the start',
  });
  expect((await post(base, window, api.tokens.viewer)).status).toBe(403);
  expect((await post(base, { ...window, team: 'red' }, redViewer)).status).toBe(403);
  const made = await post(base, window);
  expect(made.status).toBe(201);
  const { id } = maintenanceWindowShown.parse(made.body);
  expect((await get(base)).body.items).toMatchObject([{ id, createdBy: 'operator@example.com' }]);
  const longer = await put(`${base}/${id}`, { ...window, endsAt: at(3) }, api.tokens.operator);
  expect(longer.status).toBe(200);
  expect((await get(`${base}/${id}`)).body.endsAt).toBe(longer.body.endsAt);
  expect((await remove(`${base}/${id}`, api.tokens.operator)).status).toBe(204);
  expect((await get(`${base}/${id}`)).status).toBe(404);
  expect(await auditOf(`maintenance-window:${id}`)).toEqual([
    'operator@example.com maintenance-window.created',
    'operator@example.com maintenance-window.put',
    'operator@example.com maintenance-window.deleted',
  ]);
});

test('targets are shown with who works on them and who waits, in order', async () => {
  const ids = [await create(), await create(), await create()];
  for (const executionId of ids) await api.write((tx) => lockTarget(tx, { orgId: api.orgId, executionId }));
  const { body } = await get('/api/v1/targets');
  expect(z.array(lockedTarget).parse(body.items)).toMatchObject([
    {
      target: 'checkout',
      holder: { executionId: ids[0], runbook: 'restart' },
      queue: [{ executionId: ids[1] }, { executionId: ids[2] }],
    },
  ]);
});

test('an open circuit breaker is listed, and reset with a reason by whoever may run', async () => {
  for (const ago of [30, 20, 10])
    await create({ admitted: ago, finished: ago - 1, status: 'failed', teamId: red });
  const path = '/api/v1/circuit-breakers';
  const { body } = await get(path);
  const [open] = z.array(circuitBreaker).parse(body.items);
  expect(open).toMatchObject({ runbook: 'restart', target: 'checkout' });
  expect(open!.failures).toHaveLength(3);
  const reset = (given: object, token?: string) =>
    post(
      `${path}/reset`,
      { runbook: 'restart', target: 'checkout', reason: 'disk replaced', ...given },
      token,
    );
  expect((await reset({ reason: '' })).status).toBe(400);
  expect((await reset({}, redViewer)).status).toBe(403);
  expect((await reset({ target: 'db-2' })).status).toBe(404);
  expect((await reset({})).status).toBe(204);
  expect((await get(path)).body.items).toEqual([]);
  expect((await reset({})).status).toBe(404);
});
