import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const group = (body: unknown) =>
  api.ask('POST', '/api/v1/analysis/correlate', { token: api.tokens.viewer, body });

const dependencies = [
  { from: 'shop', to: 'payments' },
  { from: 'payments', to: 'db' },
  { from: 'search', to: 'index' },
];

test('alerts of two outages and one of none are three groups, whatever their order and way to write times', async () => {
  const { status, body } = await group({
    alerts: [
      { service: 'shop', name: 'HighLatency', startsAt: '2026-01-31T03:00:40Z', labels: {} },
      { service: 'index', name: 'DiskFull', startsAt: 1769828405, labels: {} },
      { service: 'db', name: 'ConnectionErrors', startsAt: 1769828400000, labels: {} },
      { name: 'HighErrorRate', startsAt: '2026-01-31T03:00:20Z', labels: { app: 'payments' } },
      { service: 'search', name: 'HighLatency', startsAt: '2026-01-31T03:00:10+00:00' },
      { service: 'mail', name: 'QueueBacklog', startsAt: '2026-01-31T03:00:10Z', labels: {} },
    ],
    dependencies,
  });
  expect(status).toBe(200);
  expect(body.groups).toEqual([[0, 2, 3], [1, 4], [5]]);
  expect(body.reasons[3]).toBe('payments calls db, 20 s apart');
});

test('no alerts are no groups', async () => {
  expect((await group({ alerts: [], dependencies: [] })).body).toEqual({ groups: [], reasons: [] });
});

test('10,000 alerts are grouped while others are answered', { timeout: 60_000 }, async () => {
  const services = Array.from({ length: 200 }, (_, i) => `service-${i}`);
  const calls = services.flatMap((from, i) => [
    { from, to: `service-${Math.floor(i / 2)}` },
    { from, to: `service-${(i * 7) % 200}` },
  ]);
  const alerts = Array.from({ length: 10_000 }, (_, i) => ({
    service: services[(i * 13) % 200],
    name: `Alert${i % 40}`,
    startsAt: 1769828400 + ((i * 17) % 3600),
    labels: { host: `node-${i % 30}`, cluster: 'one' },
  }));
  let grouped = false;
  const grouping = group({ alerts, dependencies: calls }).finally(() => {
    grouped = true;
  });
  let answered = 0;
  while (!grouped) {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    answered++;
  }
  const { status, body } = await grouping;
  expect(status).toBe(200);
  expect(body.groups.flat().sort((a: number, b: number) => a - b)).toEqual(alerts.map((_, index) => index));
  expect(answered).toBeGreaterThan(3);
});

test('few alerts of many and long labels hold up nobody', { timeout: 60_000 }, async () => {
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`label${i}`, 'a-'.repeat(500)]));
  const alerts = Array.from({ length: 200 }, (_, i) => ({ name: `Alert${i}`, startsAt: i, labels }));
  let grouped = false;
  const grouping = group({ alerts }).finally(() => {
    grouped = true;
  });
  let answered = 0;
  while (!grouped) {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    answered++;
  }
  expect((await grouping).status).toBe(200);
  expect(answered).toBeGreaterThan(3);
});

test('what cannot be read is refused by its place', async () => {
  const { status, body } = await group({ alerts: [{ service: 'a', name: 'x', startsAt: 'yesterday' }] });
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ field: 'alerts.0.startsAt' }]);
  const labels = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`label${i}`, 'x']));
  const laden = await group({ alerts: [{ service: 'a', name: 'x', startsAt: 1, labels }] });
  expect(laden).toMatchObject({ status: 400, body: { errors: [{ field: 'alerts.0.labels' }] } });
  const anonymous = await api.ask('POST', '/api/v1/analysis/correlate', { body: { alerts: [] } });
  expect(anonymous.status).toBe(401);
});
