import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../test/harness/api.ts';
import { readiness } from './health/schema.ts';
import { reportStarted } from './reports/schema.ts';

let api: TestApi;
let isDown = false;
beforeAll(async () => {
  api = await createTestApi({
    metrics: new Registry(),
    dependencies: [
      { name: 'postgresql', probe: async () => {} },
      {
        name: 'temporal',
        probe: async () => {
          if (isDown) throw new Error('connect ECONNREFUSED 10.1.2.3:7233');
        },
      },
    ],
  });
});
afterAll(() => api.close());

test('the process is alive whatever else is; ready names each dependency and is 503 when one is down', async () => {
  isDown = false;
  const up = await api.ask('GET', '/readyz');
  expect(up.status).toBe(200);
  expect(readiness.parse(up.body).dependencies.map(({ name, state }) => [name, state])).toEqual([
    ['postgresql', 'up'],
    ['temporal', 'up'],
  ]);
  isDown = true;
  const down = await api.ask('GET', '/readyz');
  expect(down.status).toBe(503);
  expect(down.body.dependencies[1]).toMatchObject({ name: 'temporal', state: 'down' });
  expect(JSON.stringify(down.body)).not.toContain('10.1.2.3');
  expect((await api.ask('GET', '/healthz')).body).toEqual({ status: 'ok' });
});

test('metrics time requests by path, not by id', async () => {
  await api.ask('GET', '/api/v1/incidents/4711', { token: api.tokens.viewer });
  const { headers, body } = await api.ask('GET', '/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain/);
  expect(body).toContain(
    'holdfast_http_request_seconds_count{method="GET",path="/api/v1/incidents/{number}",status="404"} 1',
  );
  expect(body).not.toContain('4711');
});

test('the OpenAPI document describes every operation with its schemas, errors and keys', async () => {
  const { status, body } = await api.ask('GET', '/api/v1/openapi.json');
  expect(status).toBe(200);
  expect(body.openapi).toMatch(/^3\.1/);
  const operations = Object.entries<Record<string, { operationId: string; responses: object }>>(
    body.paths,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([
      'post /api/v1/alerts/alertmanager',
      'post /api/v1/logs',
      'get /api/v1/incidents',
      'get /api/v1/incidents/{number}/timeline',
      'post /api/v1/incidents/{number}/snooze',
      'post /api/v1/approvals/{id}/approve',
      'post /api/v1/runbooks/{name}/run',
      'get /api/v1/executions/{id}',
      'put /api/v1/escalation-policies/{name}',
      'put /api/v1/sla-policies/{name}',
      'put /api/v1/notification-channels/{name}',
      'post /api/v1/reports/capacity/send',
      'get /readyz',
      'get /api/v1/openapi.json',
    ]),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { operation } of operations) expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
  expect(body.paths['/api/v1/alerts/alertmanager'].post.security).toEqual([{ ingestKey: [] }]);
  expect(body.components.schemas.AlertmanagerWebhook.properties.alerts).toBeDefined();
  expect(body.components.schemas.Problem).toBeDefined();
  const references = JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  for (const [, name] of references) expect(body.components.schemas[name!], name).toBeDefined();
});

test('the OpenAPI document says what is sent in other forms than JSON', async () => {
  const { paths } = (await api.ask('GET', '/api/v1/openapi.json')).body;
  const sent = (path: string, method: string) => Object.keys(paths[path][method].requestBody.content);
  const answered = (path: string, method: string, status: number) =>
    Object.keys(paths[path][method].responses[status].content);
  expect(sent('/api/v1/logs', 'post')).toEqual(['application/x-ndjson']);
  expect(sent('/api/v1/topology', 'put')).toEqual(['application/yaml', 'application/json']);
  expect(answered('/api/v1/topology/export', 'get', 200)).toEqual(['application/yaml']);
  const exported = '/api/v1/incidents/{number}/export';
  expect(answered(exported, 'get', 200)).toEqual(['text/markdown', 'application/json']);
  const otlp = ['application/x-protobuf', 'application/json'];
  for (const path of ['/v1/traces', '/v1/logs']) {
    expect(sent(path, 'post')).toEqual(otlp);
    expect(answered(path, 'post', 200)).toEqual(otlp);
    expect(answered(path, 'post', 413)).toEqual(otlp);
    expect(paths[path].post.responses[401].content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/RpcStatus',
    });
  }
  const webhook = paths['/api/v1/changes/webhooks/{sourceId}'].post;
  expect(webhook.requestBody.required).toBe(true);
  expect(webhook.parameters.map((one: { in: string; name: string }) => `${one.in} ${one.name}`)).toEqual(
    expect.arrayContaining(['header X-Hub-Signature-256', 'header X-Holdfast-Token', 'query token']),
  );
  expect(webhook.responses[503]).toBeDefined();
});

test('log lines are taken by ingest key; a bad line is reported and does not lose the others', async () => {
  const line = (more: object) =>
    JSON.stringify({
      timestamp: '2026-11-21T03:00:00Z',
      service: 'checkout',
      level: 'error',
      message: 'x',
      ...more,
    });
  const body = [line({}), '{', line({ service: '' }), line({ host: 'h1', labels: { pod: 'p' } })].join('\n');
  const answer = await api.ask('POST', '/api/v1/logs', { token: api.ingestKey, body });
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({
    accepted: 2,
    rejected: 2,
    problems: [{ line: 2 }, { line: 3, field: 'service' }],
  });
  const { rows } = await api.fixture.owner.query(
    `select service, host from logs where org_id = $1 order by id`,
    [api.orgId],
  );
  expect(rows).toEqual([
    { service: 'checkout', host: null },
    { service: 'checkout', host: 'h1' },
  ]);
  const bad = await api.ask('POST', '/api/v1/logs', { token: api.ingestKey, body: 'not json' });
  expect([bad.status, bad.body.errors[0].field]).toEqual([400, 'line 1']);
  const empty = await api.ask('POST', '/api/v1/logs', { token: api.ingestKey });
  expect(empty.status).toBe(400);
  expect((await api.ask('POST', '/api/v1/logs', { token: api.tokens.owner, body })).status).toBe(401);
});

test('a test incident goes the way of the webhook, with logs, and is resolved by the same alert', async () => {
  const make = (body: object, token = api.tokens.operator) =>
    api.ask('POST', '/api/v1/test-incidents', { token, body });
  const before = api.woken.count;
  const made = await make({ kind: 'database' });
  expect(made.status).toBe(202);
  expect(made.body).toMatchObject({
    alert: 'DatabaseConnectionsExhausted',
    service: 'orders-db',
    new: 1,
    updated: 0,
  });
  expect(made.body.logLines).toBeGreaterThan(40);
  expect((await make({ kind: 'database' })).body).toMatchObject({ new: 0, updated: 1 });
  expect((await make({ kind: 'database', resolve: true })).body).toMatchObject({ resolved: 1, logLines: 0 });
  expect(api.woken.count).toBe(before + 3);
  const alerts = await api.fixture.owner.query(
    `select status from alerts where org_id = $1 and name = 'DatabaseConnectionsExhausted'`,
    [api.orgId],
  );
  expect(alerts.rows).toEqual([{ status: 'resolved' }]);
  expect((await make({ kind: 'random' })).status).toBe(202);
  expect((await make({ kind: 'earthquake' })).body.errors[0].field).toBe('kind');
  expect((await make({ kind: 'cpu' }, api.tokens.viewer)).status).toBe(403);
});

test('a report is started on demand and answers with its workflow', async () => {
  const { status, body } = await api.ask('POST', '/api/v1/reports/sla/send', { token: api.tokens.operator });
  expect(status).toBe(202);
  expect(reportStarted.parse(body).workflowId).toBe('report:sla');
  expect(api.messages.sent.at(-1)).toEqual({
    method: 'startReport',
    args: [api.orgId, 'sla', 'operator@example.com', { span: 'week' }],
  });
  expect((await api.ask('POST', '/api/v1/reports/sla/send', { token: api.tokens.viewer })).status).toBe(403);
  expect((await api.ask('GET', '/api/v1/reports', { token: api.tokens.viewer })).body).toEqual({
    items: [],
    nextCursor: null,
  });
});

test('what is no operation is 404 as a problem; what is no part of the API is left to the pages', async () => {
  const { status, headers, body } = await api.ask('GET', '/api/v1/nothing');
  expect(status).toBe(404);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body.detail).toMatch(/openapi\.json/);
  const page = await api.ask('GET', '/incidents');
  expect(page.headers.get('content-type')).toMatch(/text\/html/);
});
