import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { ClosedError, RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { pageOf } from '../endpoint.ts';
import { accepted, incidentDetail, incidentSummary, timelineEntry } from './schema.ts';

let api: TestApi;
let red: string;
let blue: string;
let redOperator: string;
let redViewer: string;

beforeAll(async () => {
  api = await createTestApi();
  const { rows } = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red'), ($1, 'blue', 'Blue') returning id`,
    [api.orgId],
  );
  [red, blue] = rows.map((row) => row.id);
  redOperator = (await api.addPerson('red@example.com', 'operator', red)).token;
  redViewer = (await api.addPerson('red-viewer@example.com', 'viewer', red)).token;
  await seed();
});
afterAll(() => api.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

const get = (path: string, token = api.tokens.viewer) => api.ask('GET', path, { token });
const post = (path: string, body?: object, token = api.tokens.operator) =>
  api.ask('POST', path, { token, body });
const numbers = (answer: { body: { items: { number: number }[] } }) =>
  answer.body.items.map((item) => item.number);

test('incidents are listed newest first and page by page', async () => {
  const first = await get('/api/v1/incidents?limit=2');
  expect(first.status).toBe(200);
  const page = pageOf(incidentSummary).parse(first.body);
  expect(page.items.map((item) => item.number)).toEqual([5, 4]);
  const second = await get(`/api/v1/incidents?limit=2&cursor=${page.nextCursor}`);
  expect(numbers(second)).toEqual([3, 2]);
  const third = await get(`/api/v1/incidents?limit=2&cursor=${second.body.nextCursor}`);
  expect(numbers(third)).toEqual([1]);
  expect(third.body.nextCursor).toBeNull();
});

test.for([
  ['status=resolved', [1]],
  ['status=investigating,created', [5, 4, 3, 2]],
  ['status=resolved&status=created', [5, 4, 3, 1]],
  ['severity=critical', [2, 1]],
  ['severity=critical&service=payments', [2]],
  ['service=checkout', [5, 4, 3, 1]],
  ['since=2h', [5, 4, 3, 2]],
  ['since=2020-01-01T00:00:00Z', [5, 4, 3, 2, 1]],
  ['q=late', [2]],
  ['q=PaymentLatency', [2]],
  ['q=checkout+disk', [5, 4, 3]],
  ['q=%232', [2]],
  ['q=2', [2]],
  ['q=nothing', []],
] as const)('the list filtered by %s', async ([query, expected]) => {
  expect(numbers(await get(`/api/v1/incidents?${query}`))).toEqual(expected);
});

test.for([
  ['status=open', 'status.0'],
  ['severity=bad', 'severity.0'],
  ['since=yesterday', 'since'],
  ['limit=0', 'limit'],
  ['limit=ten', 'limit'],
  ['cursor=nonsense', 'cursor'],
  ['stauts=created', 'body'],
] as const)('a wrong filter is refused by its name: %s', async ([query, field]) => {
  const { status, body } = await get(`/api/v1/incidents?${query}`);
  expect(status).toBe(400);
  expect(body.errors[0].field).toBe(field);
  expect(body.errors[0].message).toBeTruthy();
});

test('one incident carries alerts, logs, SLA clocks, executions and its workflow', async () => {
  const { status, body } = await get('/api/v1/incidents/2');
  expect(status).toBe(200);
  const incident = incidentDetail.parse(body);
  expect(incident).toMatchObject({
    number: 2,
    title: 'PaymentLatencyHigh on payments',
    severity: 'critical',
    truncatedAlerts: 4,
    workflowId: `incident:${api.orgId}:2`,
    workflowUrl: `http://temporal.example/incident:${api.orgId}:2`,
  });
  expect(incident.alerts).toMatchObject([
    { name: 'PaymentLatencyHigh', status: 'firing', fingerprint: 'f2' },
  ]);
  expect(incident.logs).toMatchObject({
    source: 'built-in',
    total: 7,
    patterns: [{ template: 'timeout <*>', isNew: true }],
  });
  expect(incident.sla).toMatchObject([{ kind: 'acknowledge', policy: 'payment', state: 'running' }]);
  expect(incident.executions).toMatchObject([{ runbook: 'restart', status: 'waiting' }]);
  expect(incident.approvals).toMatchObject([{ runbook: 'restart', status: 'pending' }]);
  expect(incident.deadlines).toEqual([
    { kind: 'escalation', at: '2026-11-21T03:15:00.000Z', what: 'page Ben' },
  ]);
});

test('the timeline comes in order and in pages, from either end', async () => {
  const all = await get('/api/v1/incidents/2/timeline');
  const page = pageOf(timelineEntry).parse(all.body);
  expect(page.items.map((entry) => entry.summary)).toEqual(['one', 'two', 'three']);
  const newest = await get('/api/v1/incidents/2/timeline?order=newest&limit=2');
  expect(newest.body.items.map((entry: { summary: string }) => entry.summary)).toEqual(['three', 'two']);
  const rest = await get(
    `/api/v1/incidents/2/timeline?order=newest&limit=2&cursor=${newest.body.nextCursor}`,
  );
  expect(rest.body.items.map((entry: { summary: string }) => entry.summary)).toEqual(['one']);
});

test('the alerts of an incident come in pages', async () => {
  const { body } = await get('/api/v1/incidents/2/alerts?limit=1');
  expect(body.items).toHaveLength(1);
  expect(body.nextCursor).toBeNull();
});

test('what is not there is 404, what is no number is 400', async () => {
  expect((await get('/api/v1/incidents/99')).status).toBe(404);
  expect((await get('/api/v1/incidents/99999999999')).status).toBe(400);
  expect((await get('/api/v1/incidents/x')).body.errors[0].field).toBe('number');
  expect((await get('/api/v1/incidents/99/timeline')).status).toBe(404);
  expect((await post('/api/v1/incidents/99/acknowledge')).status).toBe(404);
});

test.for([
  ['acknowledge', undefined, 'acknowledge', {}],
  ['acknowledge', { note: 'on it' }, 'acknowledge', { note: 'on it' }],
  ['resolve', { falsePositive: true }, 'resolve', { falsePositive: true }],
  ['assign', { to: 'ben@example.com' }, 'assign', { to: 'ben@example.com' }],
  ['notes', { text: 'the disk is full' }, 'addNote', { text: 'the disk is full' }],
  ['snooze', { until: '2026-11-21T05:00:00+01:00' }, 'snooze', { until: '2026-11-21T04:00:00.000Z' }],
  ['acknowledge', { asOf: 3 }, 'acknowledge', { asOf: 3 }],
  ['reapply-policy', undefined, 'reapplyPolicy', {}],
] as const)(
  '%s is sent to the workflow as of what was seen, with who asks',
  async ([action, body, method, sent]) => {
    const answer = await post(`/api/v1/incidents/2/${action}`, body);
    expect(answer.status).toBe(200);
    expect(accepted.parse(answer.body)).toEqual({ number: 2, status: 'investigating', seq: 1 });
    expect(api.messages.sent).toEqual([
      {
        method,
        args: [api.orgId, 2, { actor: { name: 'operator@example.com', via: 'api' }, asOf: 7, ...sent }],
      },
    ]);
  },
);

test('snooze for a while ends that long from now', async () => {
  await post('/api/v1/incidents/2/snooze', { for: '30m' });
  const { until } = api.messages.sent[0]!.args[2] as { until: string };
  expect(Math.abs(Date.parse(until) - Date.now() - 30 * 60_000)).toBeLessThan(5000);
});

test.for([
  ['assign', {}, 'to'],
  ['notes', { text: '  ' }, 'text'],
  ['snooze', {}, 'until'],
  ['snooze', { for: 'soon' }, 'for'],
  ['resolve', { falsePositiv: true }, 'body'],
] as const)('a wrong body is refused by its field and not sent: %s %j', async ([action, body, field]) => {
  const answer = await post(`/api/v1/incidents/2/${action}`, body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].field).toBe(field);
  expect(api.messages.sent).toEqual([]);
});

test('a body that is not sent as JSON is refused instead of being ignored', async () => {
  const answer = await api.ask('POST', '/api/v1/incidents/2/acknowledge', {
    token: api.tokens.operator,
    body: '{"note":"x"}',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  expect(answer.status).toBe(415);
  expect(api.messages.sent).toEqual([]);
});

test('a refusal is 409 with the reason of the workflow', async () => {
  api.messages.next(new RefusedError('acknowledged by ana@example.com at 03:02 already'));
  const { status, body } = await post('/api/v1/incidents/2/acknowledge');
  expect(status).toBe(409);
  expect(body.detail).toBe('acknowledged by ana@example.com at 03:02 already');
});

test('once the workflow has ended, the database says how', async () => {
  api.messages.next(new ClosedError('it has ended'));
  const { status, body } = await post('/api/v1/incidents/1/acknowledge');
  expect(status).toBe(409);
  expect(body.detail).toMatch(/^incident 1 was resolved by ana@example.com at .*Z and is closed$/);
});

test('with Temporal away it is 503 with Retry-After, and an unexpected error says nothing of the inside', async () => {
  api.messages.next(new TemporalUnavailableError('Temporal does not answer'));
  const away = await post('/api/v1/incidents/2/acknowledge');
  expect(away.status).toBe(503);
  expect(away.headers.get('retry-after')).toBe('5');
  api.messages.next(new Error('secret of the inside'));
  const failed = await post('/api/v1/incidents/2/acknowledge');
  expect(failed.status).toBe(500);
  expect(JSON.stringify(failed.body)).not.toContain('secret of the inside');
  expect(api.errors.at(-1)).toMatchObject({ err: { message: 'secret of the inside' } });
});

test('a viewer sees and does not act; nobody is asked to sign in', async () => {
  const viewer = await post('/api/v1/incidents/2/acknowledge', undefined, api.tokens.viewer);
  expect(viewer.status).toBe(403);
  expect(viewer.body.detail).toMatch(/needs the role operator/);
  expect(api.messages.sent).toEqual([]);
  expect((await api.ask('GET', '/api/v1/incidents')).status).toBe(401);
  expect((await api.ask('GET', '/api/v1/incidents', { token: 'hft_wrong' })).status).toBe(401);
});

test("a team's member sees own and shared incidents, never another team's, and acts by the role there", async () => {
  expect(numbers(await get('/api/v1/incidents', redOperator))).toEqual([4, 3, 2, 1]);
  expect((await get('/api/v1/incidents/5', redOperator)).status).toBe(404);
  expect((await get('/api/v1/incidents/5/timeline', redOperator)).status).toBe(404);
  expect((await post('/api/v1/incidents/5/acknowledge', undefined, redOperator)).status).toBe(404);
  expect((await post('/api/v1/incidents/4/acknowledge', undefined, redOperator)).status).toBe(200);
  expect((await post('/api/v1/incidents/2/acknowledge', undefined, redOperator)).status).toBe(200);
  expect((await post('/api/v1/incidents/4/acknowledge', undefined, redViewer)).status).toBe(403);
});

test('another organization sees nothing of it', async () => {
  const other = await api.fixture.owner.query(`select org_id from organizations where slug = 'acme'`);
  const orgId = other.rows[0].org_id;
  const { createApiToken, createUser, setMembership } = await import('../../db/identity.ts');
  const token = await api.fixture.db.write({ orgId }, async (tx) => {
    const userId = await createUser(tx, { orgId, email: 'x@example.com', name: 'X', actor: 'test' });
    await setMembership(tx, { orgId, userId, teamId: null, role: 'owner', actor: 'test' });
    return (await createApiToken(tx, { orgId, userId, name: 'x', actor: 'test' })).token;
  });
  expect(numbers(await get('/api/v1/incidents', token))).toEqual([]);
  expect((await get('/api/v1/incidents/2', token)).status).toBe(404);
  expect((await post('/api/v1/incidents/2/resolve', undefined, token)).status).toBe(404);
});

async function seed(): Promise<void> {
  const { owner } = api.fixture;
  const incidents: [number, string, string, string, string, string | null, string][] = [
    [1, 'CheckoutDown on checkout', 'resolved', 'critical', 'checkout', null, '3 days'],
    [2, 'PaymentLatencyHigh on payments', 'investigating', 'critical', 'payments', null, '10 minutes'],
    [3, 'DiskFull on checkout', 'created', 'warning', 'checkout', null, '9 minutes'],
    [4, 'DiskFull on checkout', 'created', 'warning', 'checkout', red, '8 minutes'],
    [5, 'DiskFull on checkout', 'created', 'warning', 'checkout', blue, '7 minutes'],
  ];
  for (const [number, title, status, severity, service, team, ago] of incidents) {
    await owner.query(
      `insert into incidents (org_id, number, title, status, severity, severity_rank, service, team_id, opened_at,
         recorded_seq, truncated_count)
       values ($1, $2, $3, $4, $5, 0, $6, $7, now() - $8::interval, 7, 4)`,
      [api.orgId, number, title, status, severity, service, team, ago],
    );
  }
  await owner.query(
    `update incidents set resolved_at = now(), resolved_by = 'ana@example.com' where org_id = $1 and number = 1`,
    [api.orgId],
  );
  await owner.query(
    `update incidents set deadlines = '[{"kind":"escalation","at":"2026-11-21T03:15:00.000Z","what":"page Ben"}]'
     where org_id = $1 and number = 2`,
    [api.orgId],
  );
  const { rows } = await owner.query(`select id from incidents where org_id = $1 and number = 2`, [
    api.orgId,
  ]);
  const id = rows[0].id;
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, incident_id)
     values ($1, $2, 'f2', 'firing', 'PaymentLatencyHigh', 'critical', 0, 'payments', '{"a":"b"}', '{}', now(), $3)`,
    [api.orgId, api.integrationId, id],
  );
  for (const summary of ['one', 'two', 'three']) {
    await owner.query(
      `insert into timeline (org_id, incident_id, kind, actor, summary, dedup_key) values ($1, $2, 'note', 'x', $3, $3)`,
      [api.orgId, id, summary],
    );
  }
  const pattern = {
    template: 'timeout <*>',
    count: 7,
    level: 'error',
    firstAt: '2026-11-21T03:00:00.000Z',
    lastAt: '2026-11-21T03:01:00.000Z',
    sample: 'timeout 1',
    isNew: true,
  };
  await owner.query(
    `insert into incident_logs (org_id, incident_id, source, query, total, patterns, stack_traces, lines)
     values ($1, $2, 'built-in', '{}', 7, $3, '[]', '[]')`,
    [api.orgId, id, JSON.stringify([pattern])],
  );
  await owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state)
     values ($1, $2, 'acknowledge', 'payment', now(), now(), now(), 'running')`,
    [api.orgId, id],
  );
  const execution = await owner.query(
    `insert into executions (org_id, runbook, runbook_version, incident_id, requested_by, mode, target, inputs, status, workflow_id)
     values ($1, 'restart', 1, $2, 'holdfast', 'semi_auto', 'payments', '{}', 'waiting', 'w') returning id`,
    [api.orgId, id],
  );
  await owner.query(
    `insert into approvals (org_id, id, execution_id, incident_id, runbook, requested_by, requested_at, expires_at, status, workflow_id)
     values ($1, $2, $2, $3, 'restart', 'holdfast', now(), now() + interval '1 hour', 'pending', 'w')`,
    [api.orgId, execution.rows[0].id, id],
  );
}
