import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { spanId, traceId, tracesJson } from '../../test/harness/otlp.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  await api.fixture.owner.query(`insert into teams (org_id, slug, name) values ($1, 'shop', 'Shop')`, [
    api.orgId,
  ]);
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.fixture.owner.query('truncate spans, services, service_dependencies, incident_keys');
  await api.fixture.owner.query('delete from incidents');
});

const yaml = `services:
  - name: web
    team: shop
    calls: [api]
  - name: db
    kind: database
dependencies:
  - from: api
    to: db
`;
const put = (body: string, query = '', token = api.tokens.admin) =>
  api.ask('PUT', `/api/v1/topology${query}`, {
    token,
    body,
    headers: { 'content-type': 'application/yaml' },
  });
const see = (path: string, token = api.tokens.viewer) => api.ask('GET', path, { token });

/** An unresolved incident at some services. */
async function incident(number: number, services: string[], cause: string | null = null): Promise<void> {
  const { rows } = await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, cause_service)
     values ($1, $2, 'it fails', 'critical', 0, $3, $4) returning id`,
    [api.orgId, number, services[0], cause],
  );
  for (const service of services) {
    await api.fixture.owner.query(
      `insert into incident_keys (org_id, key, incident_id) values ($1, $2, $3)`,
      [api.orgId, `service=${service}`, rows[0].id],
    );
  }
}

describe('declaring', () => {
  test('a plan changes nothing; what is put is there and can be exported and put again', async () => {
    const planned = await put(yaml, '?plan=true');
    expect(planned).toMatchObject({ status: 200, body: { applied: false } });
    expect((await see('/api/v1/topology')).body.services).toEqual([]);

    const { status, body } = await put(yaml);
    expect(status).toBe(200);
    expect(body.applied).toBe(true);
    expect(body.plan.services.added.map(({ name }: { name: string }) => name)).toEqual(['web', 'db']);
    expect(body.plan.dependencies.added).toEqual([
      { from: 'api', to: 'db' },
      { from: 'web', to: 'api' },
    ]);

    const exported = await see('/api/v1/topology/export');
    expect(exported.headers.get('content-type')).toContain('application/yaml');
    expect(exported.body).toContain('team: shop');
    const again = await put(exported.body);
    expect(again.body.plan).toEqual({
      services: { added: [], changed: [], removed: [] },
      dependencies: { added: [], removed: [] },
    });
    const { rows } = await api.fixture.owner.query(
      `select action from audit_log where action = 'topology.changed'`,
    );
    expect(rows).toHaveLength(1);
  });

  test('what is left out goes, unless traces showed it', async () => {
    await put(yaml);
    const spans = [
      { service: 'web', traceId: traceId(7), spanId: spanId(1) },
      { service: 'api', traceId: traceId(7), spanId: spanId(2), parentSpanId: spanId(1), failed: 'no' },
    ];
    await api.ask('POST', '/v1/traces', { token: api.ingestKey, body: tracesJson(spans) });
    await put('services: []');
    const { body } = await see('/api/v1/topology');
    expect(body.dependencies).toEqual([
      {
        from: 'web',
        to: 'api',
        declared: false,
        observedIn: 'traces',
        calls: 1,
        errors: 1,
        lastSeenAt: expect.any(String),
        failing: false,
      },
    ]);
    expect((await see('/api/v1/services')).body.items.map(({ name }: { name: string }) => name)).toEqual([
      'api',
      'web',
    ]);
  });

  test('problems name line and column, also of a team that there is not', async () => {
    const { status, body } = await put('services:\n  - name: a\n    kind: databse\n');
    expect(status).toBe(422);
    expect(body.errors).toEqual([
      {
        field: 'line 3, column 11',
        message: 'write one of service, database, cache, queue, external, infrastructure',
      },
    ]);
    const unknown = await put('services:\n  - name: b\n  - name: a\n    team: nobody\n');
    expect(unknown.body.errors).toEqual([
      { field: 'line 4, column 11', message: "there is no team 'nobody'; there are shop" },
    ]);
    const services = Array.from({ length: 1000 }, (_, i) => `  - name: service-${i}\n`).join('');
    const large = await put(`services:\n${services}  - name: a\n    team: nobody\n`);
    expect(large.body.errors).toMatchObject([{ field: 'line 1003, column 11' }]);
    expect((await put(yaml, '', api.tokens.operator)).status).toBe(403);
  });
});

describe('the graph', () => {
  test('shows where it fails, and only what is near when asked', async () => {
    await put(yaml);
    await incident(42, ['web', 'db'], 'db');
    const { body } = await see('/api/v1/topology');
    expect(body.services).toEqual([
      { name: 'api', kind: 'service', incidents: [], isCause: false },
      { name: 'db', kind: 'database', incidents: [42], isCause: true },
      { name: 'web', kind: 'service', incidents: [42], isCause: false },
    ]);
    expect(body.dependencies).toMatchObject([
      { from: 'api', to: 'db', declared: true, failing: true },
      { from: 'web', to: 'api', failing: true },
    ]);
    const near = await see('/api/v1/topology?around=db&hops=1');
    expect(near.body.services.map(({ name }: { name: string }) => name)).toEqual(['db', 'api']);
    expect((await see('/api/v1/topology?around=nobody')).status).toBe(404);
  });
});

describe('services', () => {
  test('one says what calls it, what it calls, what fails with it and what is wrong', async () => {
    await put(yaml);
    await incident(42, ['web', 'db'], 'db');
    const { body } = await see('/api/v1/services/db');
    expect(body).toMatchObject({
      name: 'db',
      kind: 'database',
      declared: true,
      callers: [{ from: 'api', to: 'db' }],
      callees: [],
      blastRadius: [
        { service: 'api', hops: 1 },
        { service: 'web', hops: 2 },
      ],
      incidents: [{ number: 42, severity: 'critical', isCause: true }],
    });
    expect((await see('/api/v1/services/nobody')).status).toBe(404);
  });

  test('are listed by name, page by page, and found by a part of it', async () => {
    await put(yaml);
    await incident(42, ['web']);
    const first = (await see('/api/v1/services?limit=2')).body;
    expect(first.items).toMatchObject([
      { name: 'api', callers: 1, callees: 1, incidents: [], declared: false },
      { name: 'db', callers: 1, callees: 0 },
    ]);
    const next = (await see(`/api/v1/services?limit=2&cursor=${first.nextCursor}`)).body;
    expect(next).toMatchObject({ items: [{ name: 'web', team: 'shop', incidents: [42] }], nextCursor: null });
    expect((await see('/api/v1/services?q=B')).body.items.map(({ name }: { name: string }) => name)).toEqual([
      'db',
      'web',
    ]);
  });

  test('of another team are not seen, but as ends of calls', async () => {
    await put(yaml);
    const { rows } = await api.fixture.owner.query(
      `insert into teams (org_id, slug, name) values ($1, 'ops', 'Ops') returning id`,
      [api.orgId],
    );
    const { token } = await api.addPerson('ops@example.com', 'viewer', rows[0].id);
    expect((await see('/api/v1/services/web', token)).status).toBe(404);
    const { body } = await see('/api/v1/services', token);
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(['api', 'db']);
    expect((await see('/api/v1/services/api', token)).body.blastRadius).toEqual([
      { service: 'web', hops: 1 },
    ]);
  });

  test('one is declared with its calls, and declared no longer', async () => {
    const path = `/api/v1/services/${encodeURIComponent('a/b c')}`;
    const made = await api.ask('PUT', path, {
      token: api.tokens.admin,
      body: { kind: 'queue', team: 'shop', calls: ['web', 'web'] },
    });
    expect(made).toMatchObject({ status: 200, body: { name: 'a/b c', kind: 'queue', team: 'shop' } });
    expect(made.body.callees).toMatchObject([{ to: 'web', declared: true }]);
    const changed = await api.ask('PUT', path, { token: api.tokens.admin, body: { calls: [] } });
    expect(changed.body).toMatchObject({ kind: 'service', team: null, callees: [] });
    expect(await api.ask('PUT', path, { token: api.tokens.admin, body: { calls: ['a/b c'] } })).toMatchObject(
      { status: 400, body: { errors: [{ field: 'calls.0' }] } },
    );
    expect((await api.ask('DELETE', path, { token: api.tokens.admin })).status).toBe(204);
    expect((await api.ask('DELETE', path, { token: api.tokens.admin })).status).toBe(404);
    expect((await see(path)).status).toBe(404);
  });
});
