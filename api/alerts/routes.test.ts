import { afterAll, beforeAll, expect, test } from 'vitest';
import { Database } from '../../db/database.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { accepted } from './schema.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const path = '/api/v1/alerts/alertmanager';
const alert = (name: string, more: object = {}) => ({
  status: 'firing',
  labels: { alertname: name, severity: 'critical', service: 'checkout' },
  annotations: { summary: 'it fails' },
  startsAt: '2026-11-21T03:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: name,
  ...more,
});
const webhook = (...alerts: object[]) => ({ version: '4', status: 'firing', truncatedAlerts: 0, alerts });
const post = (body: unknown, token = api.ingestKey) => api.ask('POST', path, { token, body });

test('a batch is stored and answered with what was new and what was known; the dispatcher is woken', async () => {
  const before = api.woken.count;
  const first = await post(webhook(alert('a'), alert('b')));
  expect(first.status).toBe(202);
  expect(accepted.parse(first.body)).toEqual({
    received: 2,
    new: 2,
    updated: 0,
    resolved: 0,
    ignored: 0,
    rejected: [],
  });
  expect(api.woken.count).toBe(before + 1);
  const { body } = await post(
    webhook(alert('b'), alert('c'), alert('a', { status: 'resolved', endsAt: '2026-11-21T04:00:00Z' })),
  );
  expect(body).toMatchObject({ received: 3, new: 1, updated: 1, resolved: 1 });
  const { rows } = await api.fixture.owner.query(
    `select fingerprint, status, occurrences from alerts where org_id = $1 order by fingerprint`,
    [api.orgId],
  );
  expect(rows).toEqual([
    { fingerprint: 'a', status: 'resolved', occurrences: 1 },
    { fingerprint: 'b', status: 'firing', occurrences: 2 },
    { fingerprint: 'c', status: 'firing', occurrences: 1 },
  ]);
});

test('one bad alert is reported by its place and field and does not lose the others', async () => {
  const { status, body } = await post(
    webhook(alert('d'), { status: 'firing' }, alert('e', { startsAt: 'yesterday' })),
  );
  expect(status).toBe(202);
  expect(body).toMatchObject({ received: 3, new: 1 });
  const fields = body.rejected.map((rejected: { field: string }) => rejected.field);
  expect(fields).toEqual(expect.arrayContaining(['alerts.1.labels', 'alerts.2.startsAt']));
});

test('a body of the wrong shape is refused with the field, invalid JSON with where it breaks', async () => {
  const shape = await post({ alerts: 'none' });
  expect(shape.status).toBe(400);
  expect(shape.headers.get('content-type')).toContain('application/problem+json');
  expect(shape.body).toMatchObject({ status: 400, title: 'Invalid request', instance: path });
  expect(shape.body.errors[0].field).toBe('alerts');
  const json = await post('{"alerts": [}');
  expect(json.status).toBe(400);
  expect(json.body.errors[0]).toMatchObject({ field: 'body' });
  expect(json.body.errors[0].message).toMatch(/Unexpected token '}'/);
  expect((await post(undefined)).status).toBe(400);
  expect((await post(webhook({ status: 'firing' }))).status).toBe(400);
});

test('a body over 10 MB is refused with 413', async () => {
  const big = webhook(alert('big', { annotations: { summary: 'x'.repeat(10 * 1024 * 1024) } }));
  const { status, body } = await post(big);
  expect(status).toBe(413);
  expect(body.detail).toMatch(/10 MB/);
});

test('without the ingest key nothing is taken: no key, a wrong one, an API token', async () => {
  for (const token of [undefined, 'hfi_wrong', api.tokens.owner]) {
    const answer = await api.ask('POST', path, { body: webhook(alert('x')), ...(token ? { token } : {}) });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  }
  const basic = await api.ask('POST', path, {
    body: webhook(alert('x')),
    headers: { Authorization: 'Basic eA==' },
  });
  expect(basic.status).toBe(401);
});

test('the ingest key opens the intake and nothing else', async () => {
  const { status, body } = await api.ask('GET', '/api/v1/incidents', { token: api.ingestKey });
  expect(status).toBe(401);
  expect(body.detail).toMatch(/intake endpoints only/);
});

test('the integration shows when it last spoke', async () => {
  const { rows } = await api.fixture.owner.query(`select last_seen_at from integrations where id = $1`, [
    api.integrationId,
  ]);
  expect(rows[0].last_seen_at).toBeInstanceOf(Date);
});

test('with the database away the answer is 503 with Retry-After, with the key known or not', async () => {
  const url = new URL(api.fixture.url);
  url.port = '1';
  const away = new Database({ url: url.href, poolSize: 2 });
  const other = await createTestApi({ db: away });
  try {
    const { status, headers, body } = await other.ask('POST', path, {
      token: other.ingestKey,
      body: webhook(alert('x')),
    });
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|password/);
    expect((await other.ask('GET', '/api/v1/incidents', { token: other.tokens.owner })).status).toBe(503);
  } finally {
    await other.close();
    await away.close();
  }
});
