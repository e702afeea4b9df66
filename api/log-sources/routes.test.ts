import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { insertLogs } from '../../db/logs.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { type LokiDouble, startLokiDouble } from '../../test/harness/loki-double.ts';

let api: TestApi;
let loki: LokiDouble;
beforeAll(async () => {
  api = await createTestApi();
  loki = await startLokiDouble({ tenant: 'shop' });
});
beforeEach(() => api.fixture.owner.query('delete from log_sources; delete from log_templates'));
afterAll(async () => {
  await api.close();
  await loki.close();
});

const ask = (method: string, path: string, body?: unknown, token = api.tokens.admin) =>
  api.ask(method, `/api/v1/${path}`, { token, ...(body === undefined ? {} : { body }) });

describe('log sources', () => {
  test('each kind is taken, shown, put again as it was shown, and deleted, with an audit entry each', async () => {
    const sources: Record<string, object> = {
      es: {
        kind: 'elasticsearch',
        url: 'https://es.example.com:9200',
        credential: 'env:LOGS_KEY',
        ca: 'file:es-ca.pem',
        index: 'logs-*,shop',
        linkUrl: 'https://kibana.example.com/s/ops',
        fields: { service: ['svc.name'] },
        match: { service: 'pay-*' },
        timeoutSeconds: 5,
      },
      loki: {
        kind: 'loki',
        url: 'http://10.0.0.7:3100',
        tenant: 'shop',
        user: 'u',
        credential: 'ssm:/logs/key',
        timeoutSeconds: 10,
      },
      aws: {
        kind: 'cloudwatch',
        region: 'eu-central-1',
        logGroups: ['/aws/lambda/checkout'],
        timeoutSeconds: 10,
      },
      splunk: { kind: 'splunk', url: 'https://splunk:8089', index: 'main, k8s*', timeoutSeconds: 10 },
      own: { kind: 'builtin', timeoutSeconds: 10 },
    };
    for (const [name, source] of Object.entries(sources)) {
      const put = await ask('PUT', `log-sources/${name}`, source);
      expect(put.body, name).toEqual({ name, ...source, updatedAt: expect.any(String) });
      expect((await ask('PUT', `log-sources/${name}`, put.body)).status).toBe(200);
    }
    const { body } = await ask('GET', 'log-sources', undefined, api.tokens.viewer);
    expect(body.items.map((one: { name: string }) => one.name)).toEqual([
      'aws',
      'es',
      'loki',
      'own',
      'splunk',
    ]);
    expect((await ask('DELETE', 'log-sources/es')).status).toBe(204);
    const { rows } = await api.fixture.owner.query(
      `select action from audit_log where subject = 'log-source:es' order by id`,
    );
    expect(rows.map(({ action }) => action)).toEqual([
      'log-source.created',
      'log-source.changed',
      'log-source.deleted',
    ]);
  });

  test('what would not work or hold a secret is refused by its field', async () => {
    const refused = async (body: object): Promise<string[]> =>
      ((await ask('PUT', 'log-sources/x', body)).body.errors ?? []).map(
        (error: { field: string }) => error.field,
      );
    expect(await refused({ kind: 'loki', url: 'http://ana:p4ss@loki:3100' })).toEqual(['url']);
    expect(await refused({ kind: 'loki', url: 'ftp://loki' })).toEqual(['url']);
    expect(await refused({ kind: 'elasticsearch', url: 'https://es', credential: 'the key itself' })).toEqual(
      ['credential'],
    );
    expect(await refused({ kind: 'cloudwatch', region: 'eu-central-1', logGroups: [] })).toEqual([
      'logGroups',
    ]);
    expect(await refused({ kind: 'splunk', url: 'https://s', index: 'main | delete' })).toEqual(['index']);
    expect((await ask('PUT', 'log-sources/x', { kind: 'builtin' }, api.tokens.operator)).status).toBe(403);
  });

  test('a probe says how it is, and the answer stays beside the source', async () => {
    await ask('PUT', 'log-sources/loki', { kind: 'loki', url: loki.url, tenant: 'shop' });
    await ask('PUT', 'log-sources/keyless', { kind: 'loki', url: loki.url, credential: 'env:NOT_THERE' });
    await ask('PUT', 'log-sources/wrong', { kind: 'loki', url: loki.url, tenant: 'other' });
    expect((await ask('POST', 'log-sources/loki/probe')).body).toMatchObject({
      health: '0 stream labels in the last hours',
      error: null,
      checkedAt: expect.any(String),
    });
    expect((await ask('POST', 'log-sources/keyless/probe')).body).toMatchObject({
      health: null,
      error: 'env:NOT_THERE is not there',
    });
    await ask('POST', 'log-sources/wrong/probe');
    const { body } = await ask('GET', 'log-sources-health', undefined, api.tokens.viewer);
    expect(body.items.map((one: { name: string; error: string | null }) => [one.name, one.error])).toEqual([
      ['keyless', 'env:NOT_THERE is not there'],
      ['loki', null],
      ['wrong', expect.stringMatching(/^Loki answered 401: no org id/)],
    ]);
    expect((await ask('POST', 'log-sources/nope/probe')).status).toBe(404);
    // what it said of another address is not said of this one
    await ask('PUT', 'log-sources/loki', { kind: 'loki', url: 'http://127.0.0.1:1' });
    const again = (await ask('GET', 'log-sources-health')).body.items[1];
    expect(again).toMatchObject({ name: 'loki', health: null, checkedAt: null });
  });

  test('another organization sees none of them', async () => {
    await ask('PUT', 'log-sources/loki', { kind: 'loki', url: loki.url });
    const other = '00000000-0000-4000-8000-000000000000';
    const { rows } = await api.fixture.owner
      .query(`begin; set local role holdfast_app; select set_config('app.org_id', '${other}', true);`)
      .then(async () => {
        const found = await api.fixture.owner.query('select name from log_sources');
        await api.fixture.owner.query('rollback');
        return found;
      });
    expect(rows).toEqual([]);
  });
});

describe('log query templates', () => {
  const template = {
    kind: 'loki',
    match: { service: 'check*' },
    query: '{service_name={{service}}} |= "pool"',
  };

  test('one is taken, shown and put again; one that would splice a value in is refused', async () => {
    const put = await ask('PUT', 'log-templates/pool', template);
    expect(put.body).toEqual({ name: 'pool', ...template, updatedAt: expect.any(String) });
    expect((await ask('PUT', 'log-templates/pool', put.body)).status).toBe(200);
    const refused = await ask('PUT', 'log-templates/pool', {
      ...template,
      query: '{service_name="{{service}}"}',
    });
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toEqual([
      {
        field: 'query',
        message: '{{service}} stands for a whole quoted value: take away the quotes or slashes around it',
      },
    ]);
    expect((await ask('DELETE', 'log-templates/pool')).status).toBe(204);
  });

  test('a preview shows the statement and what it finds for an incident', async () => {
    const { rows } = await api.fixture.owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 7, 'x', 'critical', 0) returning id`,
      [api.orgId],
    );
    const at = Date.UTC(2026, 10, 21, 2, 14);
    await api.fixture.owner.query(
      `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
         annotations, starts_at, received_at, incident_id)
       values ($1, $2, 'f', 'firing', 'A', 'critical', 0, 'checkout', '{"service":"checkout\\"x"}', '{}', $3, $3, $4)`,
      [api.orgId, api.integrationId, new Date(at), rows[0].id],
    );
    loki.push({ service_name: 'checkout"x' }, [
      { at, text: 'pool exhausted' },
      { at, text: 'something else' },
    ]);
    const preview = (body: object) => ask('POST', 'log-template-previews', body);
    expect((await preview({ template, incident: 7 })).body).toMatchObject({
      source: null,
      problem: 'no log source of this kind is configured',
    });
    await ask('PUT', 'log-sources/loki', { kind: 'loki', url: loki.url, tenant: 'shop' });
    expect((await preview({ template, incident: 7 })).body).toEqual({
      source: 'loki',
      statement: '{service_name="checkout\\"x"} |= "pool"',
      problem: null,
      total: 1,
      lines: [
        {
          at: new Date(at).toISOString(),
          service: 'checkout"x',
          host: null,
          level: 'info',
          message: 'pool exhausted',
        },
      ],
    });
    const lacking = { ...template, query: '{service_name={{labels.region}}}' };
    expect((await preview({ template: lacking, incident: 7 })).body.problem).toBe(
      'the alert has no labels.region',
    );
    expect((await preview({ template, incident: 8 })).status).toBe(404);
    await ask('PUT', 'log-sources/loki', { kind: 'loki', url: loki.url, credential: 'env:NOT_THERE' });
    expect(await preview({ template, incident: 7 })).toMatchObject({
      status: 200,
      body: { source: null, problem: 'env:NOT_THERE is not there' },
    });
  });
});

test('lines of the built-in store are read by a source of that kind', async () => {
  await api.write((tx) =>
    insertLogs(tx, {
      orgId: api.orgId,
      lines: [{ at: Date.now(), service: 'a', host: null, level: 'info', message: 'x', labels: {} }],
    }),
  );
  await ask('PUT', 'log-sources/own', { kind: 'builtin' });
  expect((await ask('POST', 'log-sources/own/probe')).body.health).toMatch(/kept in the database/);
});
