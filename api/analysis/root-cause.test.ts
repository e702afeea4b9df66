import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const rank = (body: unknown) =>
  api.ask('POST', '/api/v1/analysis/root-cause', { token: api.tokens.viewer, body });

const dependencies = [
  { from: 'shop', to: 'payments' },
  { from: 'shop', to: 'search' },
  { from: 'payments', to: 'db' },
];
const start = 1_750_000_000;
/** Quiet for `past` points, then at `level` for five. */
const series = (service: string, metric: string, usual: number, level: number, past = 60) => ({
  service,
  metric,
  points: Array.from({ length: past + 5 }, (_, i): [number, number | null] => [
    start + i * 60,
    i % 17 === 3 ? null : (i < past ? usual : level) * (1 + ((i * 7) % 5) / 100),
  ]),
});

describe('ranking causes over the API', () => {
  test('alerts alone point at the deepest failing service', async () => {
    const { status, body } = await rank({
      alerts: ['shop', 'payments', 'db'].map((service, i) => ({
        service,
        name: 'HighErrorRate',
        startsAt: `2026-01-31T03:00:${10 + i}Z`,
        labels: { severity: 'critical' },
      })),
      dependencies,
    });
    expect(status).toBe(200);
    expect(body.items[0]).toMatchObject({ service: 'db', score: 1 });
    expect(body.items[0].confidence).toBeGreaterThan(0.5);
    expect(body.items[0].reasons).toContainEqual(expect.stringContaining('HighErrorRate'));
  });

  test('metrics alone do, with the symptom in seconds, milliseconds or ISO 8601', async () => {
    const metrics = [
      series('shop', 'latency', 0.2, 0.5),
      series('payments', 'latency', 0.1, 0.4),
      series('db', 'latency', 0.01, 0.0101),
      series('search', 'latency', 0.05, 0.05),
    ];
    const at = start + 60 * 60;
    for (const moment of [at, at * 1000, new Date(at * 1000).toISOString()]) {
      const { body } = await rank({
        dependencies,
        metrics,
        symptom: { service: 'shop', metric: 'latency', at: moment },
      });
      expect(body.items[0]).toMatchObject({ service: 'payments' });
    }
  });

  test('more points than one turn of the event loop should take are ranked all the same', async () => {
    const metrics = ['shop', 'payments', 'db', 'search'].flatMap((service) =>
      Array.from({ length: 10 }, (_, i) =>
        series(service, `latency-${i}`, 0.1, service === 'search' ? 0.1 : 0.3, 3_000),
      ),
    );
    const { status, body } = await rank({
      dependencies,
      metrics,
      symptom: { service: 'shop', at: start + 3_000 * 60 },
    });
    expect(status).toBe(200);
    expect(body.items[0]).toMatchObject({ service: 'db' });
  });

  test('so are more series than that, however few their points, and alerts of many words', async () => {
    const metrics = Array.from({ length: 2000 }, (_, i) => series('shop', `latency-${i}`, 0.1, 0.3, 0));
    const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`label${i}`, 'a-'.repeat(50)]));
    const alerts = Array.from({ length: 20 }, () => ({
      service: 'db',
      name: 'Down',
      startsAt: start,
      labels,
    }));
    expect((await rank({ dependencies, metrics })).status).toBe(200);
    expect((await rank({ dependencies, alerts })).body.items[0]).toMatchObject({ service: 'db' });
    const laden = { service: 'db', startsAt: start, labels: { ['x'.repeat(1025)]: '' } };
    expect((await rank({ alerts: [laden] })).body.errors).toMatchObject([{ field: 'alerts.0.labels' }]);
  });

  test('nothing to go by has no causes', async () => {
    expect(await rank({ alerts: [], dependencies: [] })).toMatchObject({ status: 200, body: { items: [] } });
  });

  test('what cannot be read is refused by its place', async () => {
    const { status, body } = await rank({
      alerts: [{ service: 'shop', name: 'x', startsAt: 'yesterday' }],
      metrics: [{ service: 'shop', metric: 'latency', points: [[1, 'fast']] }],
    });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ field: 'alerts.0.startsAt' }, { field: 'metrics.0.points' }]);
    const anonymous = await api.ask('POST', '/api/v1/analysis/root-cause', { body: { alerts: [] } });
    expect(anonymous.status).toBe(401);
  });
});
