import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { saveRunbook, saveRunbookProblems } from '../../db/runbooks.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { ClosedError, RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { approval } from '../approvals/schema.ts';
import { pageOf } from '../endpoint.ts';
import { executionDetail, executionSummary } from '../executions/schema.ts';
import { runbookDetail, runbookDiff, runbookList, runbookVersion, runStarted } from './schema.ts';

let api: TestApi;
let red: string;
let redOperator: string;

const source = `
name: restart-service
description: Restart a failing service
triggers:
  - alert_pattern: "ServiceDown*"
    min_duration_seconds: 300
inputs:
  service_name: {}
  token: { secret: true, default: s3cret-default }
execution:
  mode: semi_auto
steps:
  - name: Restart
    command: [systemctl, restart, "{{service_name}}"]
    rollback: [systemctl, start, "{{service_name}}"]
  - name: Tell
    command: [tell, "{{token}}"]
`;

beforeAll(async () => {
  api = await createTestApi();
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  const team = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [api.orgId],
  );
  red = team.rows[0].id;
  redOperator = (await api.addPerson('red@example.com', 'operator', red)).token;
  await api.write(async (tx) => {
    await saveRunbook(tx, { orgId: api.orgId, file: 'restart.yaml', source, definition });
    const problems = [{ file: 'broken.yaml', line: 3, col: 5, message: "unknown key 'comand'" }];
    await saveRunbookProblems(tx, { orgId: api.orgId, problems });
  });
  await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service)
     values ($1, 1, 'ServiceDown on checkout', 'critical', 0, 'checkout')`,
    [api.orgId],
  );
});
afterAll(() => api.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

const get = (path: string, token = api.tokens.viewer) => api.ask('GET', path, { token });
const post = (path: string, body?: object, token = api.tokens.operator) =>
  api.ask('POST', path, { token, body });
const run = (body?: object, token?: string) => post('/api/v1/runbooks/restart-service/run', body, token);
const inputs = { service_name: 'checkout', token: 'very-secret' };

test('runbooks are listed with what they take, and broken files with their place', async () => {
  const list = runbookList.parse((await get('/api/v1/runbooks')).body);
  expect(list.items).toMatchObject([
    {
      name: 'restart-service',
      mode: 'semi_auto',
      version: 1,
      steps: [{ hasRollback: true }, { hasRollback: false }],
    },
  ]);
  expect(list.problems).toMatchObject([{ file: 'broken.yaml', line: 3, col: 5 }]);
  const detail = runbookDetail.parse((await get('/api/v1/runbooks/restart-service')).body);
  expect(detail.source).toBe(source);
  expect(detail.inputs.find((input) => input.name === 'token')).toMatchObject({
    secret: true,
    default: null,
  });
  expect((await get('/api/v1/runbooks/nothing')).status).toBe(404);
});

test('versions tell what they said and how they differ', async () => {
  const changed = source.replace('command: [systemctl, restart', 'command: [systemctl, reload');
  const parsed = parseRunbook(changed, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  await api.write((tx) =>
    saveRunbook(tx, { orgId: api.orgId, file: 'restart.yaml', source: changed, definition }),
  );
  const detail = runbookDetail.parse((await get('/api/v1/runbooks/restart-service')).body);
  expect(detail.versions.map(({ version, inForce }) => [version, inForce])).toEqual([
    [2, true],
    [1, false],
  ]);
  const first = await get('/api/v1/runbooks/restart-service/versions/1');
  expect(runbookVersion.parse(first.body)).toMatchObject({ version: 1, source, commit: null });
  const { body } = await get('/api/v1/runbooks/restart-service/diff?from=1&to=2');
  const { unified } = runbookDiff.parse(body);
  expect(unified).toContain('-    command: [systemctl, restart');
  expect(unified).toContain('+    command: [systemctl, reload');
  for (const path of ['versions/9', 'diff?from=1&to=9']) {
    expect((await get(`/api/v1/runbooks/restart-service/${path}`)).status).toBe(404);
  }
  expect((await get('/api/v1/runbooks/restart-service/diff?from=1')).status).toBe(400);
});

test('a runbook names the open incidents whose firing alerts it matches now, each once', async () => {
  const { rows } = await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, resolved_at, status)
     values ($1, 2, 'down', 'critical', 0, null, 'investigating'), ($1, 3, 'over', 'critical', 0, now(), 'resolved')
     returning id, number`,
    [api.orgId],
  );
  for (const { id } of rows) {
    for (const [fingerprint, name, status] of [
      ['a', 'ServiceDownHard', 'firing'],
      ['b', 'ServiceDownSoft', 'firing'],
      ['c', 'ServiceDownOnce', 'resolved'],
      ['d', 'DiskFull', 'firing'],
    ]) {
      await api.fixture.owner.query(
        `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels,
           annotations, starts_at, received_at, dispatched_version, incident_id)
         values ($1, $2, $3, $4, $5, 'critical', 0, '{}', '{}', now(), '2026-11-21T02:00:00Z', 1, $6)`,
        [api.orgId, api.integrationId, `${id}${fingerprint}`, status, name, id],
      );
    }
  }
  const { body } = await get('/api/v1/runbooks/restart-service');
  expect(runbookDetail.parse(body).matchingNow).toEqual([
    {
      incident: 2,
      alert: 'ServiceDownHard',
      receivedAt: '2026-11-21T02:00:00.000Z',
      callsAt: '2026-11-21T02:05:00.000Z',
    },
  ]);
});

test('a run is written down, started and audited; its execution shows steps and masks secrets', async () => {
  const answer = await run({ inputs, incident: 1 });
  expect(answer.status).toBe(202);
  const { id } = runStarted.parse(answer.body);
  expect(answer.body).toMatchObject({
    runbook: 'restart-service',
    target: 'checkout',
    status: 'waiting',
    started: true,
  });
  expect(api.messages.sent).toEqual([{ method: 'startExecution', args: [api.orgId, id] }]);
  const { body } = await get(`/api/v1/executions/${id}`);
  const execution = executionDetail.parse(body);
  expect(execution).toMatchObject({
    incidentNumber: 1,
    requestedBy: 'operator@example.com',
    inputs: { service_name: 'checkout', token: '***' },
    workflowId: `execution:${api.orgId}:${id}`,
  });
  expect(execution.steps).toMatchObject([
    { name: 'Restart', status: 'pending', attempts: 0, rollback: { status: null } },
    { name: 'Tell', rollback: null },
  ]);
  expect(JSON.stringify(body)).not.toContain('very-secret');
  const audit = await api.fixture.owner.query(`select actor, action from audit_log where subject = $1`, [
    `execution:${id}`,
  ]);
  expect(audit.rows).toEqual([{ actor: 'operator@example.com', action: 'execution.requested' }]);
});

test('with Temporal away the run is written down all the same, and the answer says so', async () => {
  api.messages.next(new TemporalUnavailableError('Temporal does not answer'));
  const { status, body } = await run({ inputs });
  expect(status).toBe(202);
  expect(body.started).toBe(false);
  expect((await get(`/api/v1/executions/${body.id}`)).body.status).toBe('waiting');
});

test('a run that cannot be is refused before anything is written: inputs, runbook, incident, role', async () => {
  const count = async () => (await api.fixture.owner.query(`select count(*) from executions`)).rows[0].count;
  const before = await count();
  const option = await run({ inputs: { service_name: '-rf', token: 'x' } });
  expect(option.status).toBe(400);
  expect(option.body.errors[0]).toMatchObject({ field: 'inputs', message: expect.stringMatching(/-rf/) });
  expect((await run({ inputs: { ...inputs, bogus: '1' } })).status).toBe(400);
  expect((await run({ input: {} })).status).toBe(400);
  expect((await run({ inputs, incident: 99 })).status).toBe(404);
  expect((await post('/api/v1/runbooks/nothing/run')).status).toBe(404);
  expect((await run({ inputs }, api.tokens.viewer)).status).toBe(403);
  expect(await count()).toBe(before);
  expect(api.messages.sent).toEqual([]);
});

test('executions are listed by runbook and status, newest first, in pages', async () => {
  await run({ inputs });
  const first = await get('/api/v1/executions?runbook=restart-service&status=waiting&limit=1');
  const page = pageOf(executionSummary).parse(first.body);
  expect(page.items).toHaveLength(1);
  const next = await get(`/api/v1/executions?runbook=restart-service&limit=1&cursor=${page.nextCursor}`);
  expect(next.body.items).toHaveLength(1);
  expect(next.body.items[0].id).not.toBe(page.items[0]!.id);
  expect((await get('/api/v1/executions?runbook=other')).body.items).toEqual([]);
});

async function pendingApproval(teamId: string | null = null): Promise<string> {
  const { body } = await run({ inputs });
  await api.fixture.owner.query(`update executions set team_id = $2 where id = $1`, [body.id, teamId]);
  await api.fixture.owner.query(
    `insert into approvals (org_id, id, execution_id, runbook, requested_by, requested_at, expires_at, status, workflow_id, team_id)
     values ($1, $2, $2, 'restart-service', 'operator@example.com', now(), now() + interval '1 hour', 'pending', 'w', $3)`,
    [api.orgId, body.id, teamId],
  );
  api.messages.sent.length = 0;
  return body.id;
}

test('approvals are listed by status, with what they are about', async () => {
  const id = await pendingApproval();
  const page = pageOf(approval).parse((await get('/api/v1/approvals?status=pending')).body);
  expect(page.items.find((item) => item.id === id)).toMatchObject({
    runbook: 'restart-service',
    target: 'checkout',
    inputs: { token: '***' },
    required: 1,
    votes: [],
  });
  expect((await get('/api/v1/approvals?status=rejected')).body.items).toEqual([]);
  expect((await get('/api/v1/approvals?status=maybe')).status).toBe(400);
});

test.for(['approve', 'reject'] as const)(
  '%s is sent to the execution as a vote of who asks',
  async (decision) => {
    const id = await pendingApproval();
    const { status, body } = await post(`/api/v1/approvals/${id}/${decision}`, { reason: 'seen it' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, seq: 1 });
    const actor = { name: 'operator@example.com', via: 'api', role: 'operator', teams: [] };
    expect(api.messages.sent).toEqual([
      { method: decision, args: [api.orgId, id, { actor, approvalId: id, reason: 'seen it' }] },
    ]);
  },
);

test('a late vote is 409: with the reason of the workflow, or from the database once that has ended', async () => {
  const id = await pendingApproval();
  api.messages.next(new RefusedError('ana@example.com has approved it already'));
  expect((await post(`/api/v1/approvals/${id}/approve`)).body.detail).toBe(
    'ana@example.com has approved it already',
  );
  await api.fixture.owner.query(
    `update approvals set status = 'expired', decided_at = '2026-11-21T03:00:00Z' where id = $1`,
    [id],
  );
  api.messages.next(new ClosedError('it has ended'));
  const late = await post(`/api/v1/approvals/${id}/approve`);
  expect(late.status).toBe(409);
  expect(late.body.detail).toBe('the approval was expired already at 2026-11-21T03:00:00.000Z');
});

test("another team's approval and execution are not there; a viewer does not vote", async () => {
  const blue = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'blue', 'Blue') returning id`,
    [api.orgId],
  );
  const foreign = await pendingApproval(blue.rows[0].id);
  for (const path of [`/api/v1/approvals/${foreign}/approve`, `/api/v1/executions/${foreign}/cancel`]) {
    expect((await post(path, undefined, redOperator)).status).toBe(404);
    expect((await post(path, undefined, api.tokens.viewer)).status).toBe(403);
  }
  expect(api.messages.sent).toEqual([]);
  const own = await pendingApproval(red);
  expect((await post(`/api/v1/approvals/${own}/approve`, undefined, redOperator)).status).toBe(200);
});

test('cancel is sent, and 409 says how an execution has ended', async () => {
  const id = await pendingApproval();
  expect((await post(`/api/v1/executions/${id}/cancel`, { reason: 'wrong host' })).status).toBe(200);
  expect(api.messages.sent[0]).toMatchObject({ method: 'cancel' });
  await api.fixture.owner.query(
    `update executions set status = 'rolled_back', finished_at = '2026-11-21T03:00:00Z' where id = $1`,
    [id],
  );
  api.messages.next(new ClosedError('it has ended'));
  const late = await post(`/api/v1/executions/${id}/cancel`);
  expect([late.status, late.body.detail]).toEqual([
    409,
    'the execution ended already: rolled_back at 2026-11-21T03:00:00.000Z',
  ]);
  expect((await get('/api/v1/executions/not-an-id')).status).toBe(400);
});
