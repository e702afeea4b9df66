import { afterAll, beforeAll, beforeEach, expect, test as run } from 'vitest';
import { observeAlert } from '../db/correlation.ts';
import { deleteSlo, getStandingSlo, listSloPoints, putSlo, saveSloLook } from '../db/slos.ts';
import type { IncomingAlert } from '../domain/alert.ts';
import { nothingMeasured, resolvedAlerts } from '../domain/slo/evaluate.ts';
import { slo } from '../domain/slo/slo.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { type Prometheus, startPrometheus } from '../test/parts/prometheus.ts';
import { createSloActivities } from './slo.ts';

const minute = 60_000;
const now = Math.floor(Date.now() / minute) * minute - minute;
const actor = 'ana@example.com';

let test: TestDatabase;
let prometheus: TriedPart<Prometheus>;
beforeAll(async () => {
  test = await createTestDatabase();
  prometheus = await tryPart(() => startPrometheus({ backfill: samples() }));
}, 120_000);
afterAll(async () => {
  await prometheus?.part?.close();
  await test.close();
});
beforeEach(async () => {
  measuring = [];
  await test.owner.query('delete from slos');
  await test.owner.query('delete from alerts');
});

/** Ten requests a second for two hours; of checkout's 2 % fail in the last hour, of search's none, of down's all. */
function samples(): string {
  const lines = ['# TYPE http_requests counter'];
  const step = 30;
  for (const service of ['checkout', 'search', 'down']) {
    for (const code of ['200', '500']) {
      if (service === 'down' && code === '200') continue;
      let count = 0;
      for (let second = -7200; second <= 0; second += step) {
        const failing = service === 'down' ? 1 : service === 'checkout' && second > -3600 ? 0.02 : 0;
        count += 10 * step * (code === '500' ? failing : 1 - failing);
        lines.push(
          `http_requests_total{service="${service}",code="${code}"} ${count.toFixed(3)} ${now / 1000 + second}`,
        );
      }
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

const requests = (service: string, code = '') => `http_requests_total{service="${service}"${code}}[$window]`;
const objective = (service: string) =>
  slo.parse({
    service,
    objectivePercent: 99.9,
    windowDays: 1,
    indicator: {
      type: 'ratio',
      good: `sum(rate(${requests(service, ',code!~"5.."')}))`,
      total: `sum(rate(${requests(service)}))`,
    },
    alerts: [{ severity: 'critical', burnRate: 14.4, long: '1h', short: '5m' }],
  });

const burning = {
  ...nothingMeasured,
  alerts: [
    {
      severity: 'critical' as const,
      burnRate: 14.4,
      long: '1h',
      short: '5m',
      longBurn: 20,
      shortBurn: 20,
      firing: true,
      since: now,
      toldAt: now,
    },
  ],
};

/** What became of the schedule. */
let measuring: ('begun' | 'ended')[] = [];
const activities = (prometheusUrl: string | undefined, at = now, whileEnding = async () => {}) =>
  createSloActivities({
    db: test.db,
    prometheusUrl,
    ownsEnvironment: async () => true,
    measuring: {
      begin: async () => void measuring.push('begun'),
      end: async () => {
        measuring.push('ended');
        await whileEnding();
      },
    },
    clock: () => at,
  });
const make = (name: string, promised = objective(name), team: string | null = null) => {
  const definition = { ...promised, team };
  return test.db.write({ orgId: test.orgId }, (tx) =>
    putSlo(tx, { orgId: test.orgId, name, definition, actor }),
  );
};
const standing = (name: string) => test.db.read({ orgId: test.orgId }, (tx) => getStandingSlo(tx, name));
const alerts = async () =>
  (
    await test.owner.query<{ fingerprint: string; status: string; occurrences: number }>(
      'select fingerprint, status, occurrences from alerts order by id',
    )
  ).rows.map(({ fingerprint, status }) => `${fingerprint} ${status}`);

run('the alerts of an objective are its team’s, whatever teams own by labels', async () => {
  const { owner, orgId, db } = test;
  await owner.query(
    `insert into teams (org_id, slug, name, match) values ($1, 'labels', 'By labels', '{"service": "*"}'),
       ($1, 'search', 'Search', '{}')`,
    [orgId],
  );
  const alert = (name: string, service: string) => ({
    ...(resolvedAlerts(name, objective(service), burning, now)[0] as IncomingAlert),
    status: 'firing' as const,
    endsAt: null,
  });
  const teamOf = async (name: string, team: string | null, service = name) => {
    await make(name, objective(service), team);
    const slo = await standing(name);
    await db.write({ orgId }, (tx) =>
      saveSloLook(tx, {
        orgId,
        slo: name,
        updatedAt: slo!.updatedAt,
        state: burning,
        at: new Date(now),
        alerts: [alert(name, service)],
      }),
    );
    const { rows } = await owner.query<{ id: number }>(`select id from alerts where labels ->> 'slo' = $1`, [
      name,
    ]);
    await db.write({ orgId }, (tx) => observeAlert(tx, { orgId, alertId: rows[0]!.id, before: null }));
    const { rows: found } = await owner.query<{ slug: string }>(
      `select t.slug from alerts a join incidents i on i.id = a.incident_id join teams t on t.id = i.team_id
       where a.id = $1`,
      [rows[0]!.id],
    );
    return found[0]?.slug;
  };
  expect(await teamOf('search', 'search')).toBe('search');
  expect(await teamOf('checkout', null)).toBe('labels');
  // in another team's incident it is seen by whoever sees that
  expect(await teamOf('second', 'search', 'checkout')).toBe('labels');
  const { rows: kept } = await owner.query(
    `select labels ->> 'slo' as slo from alerts where team_id is not null`,
  );
  expect(kept).toEqual([{ slo: 'search' }]);
  await owner.query('update alerts set incident_id = null');
  await owner.query('delete from incident_feed');
  await owner.query('delete from incidents');
  await owner.query('delete from slos');
  await owner.query('delete from alerts');
  await owner.query('delete from teams');
});

run('measures what a real Prometheus has, and its alert fires and ends as any other', async (context) => {
  const { url } = prometheus.orSkip(context);
  await make('checkout');
  await make('search');
  // of before the longest window: goes when a new one comes
  await test.owner.query(
    `insert into slo_points (org_id, slo, at, budget_left, burn_rate) values ($1, 'checkout', now() - interval '91 days', 1, 0)`,
    [test.orgId],
  );
  expect(await activities(url).evaluateSlos({ orgId: test.orgId })).toEqual({
    measured: 2,
    failed: 0,
  });
  const checkout = (await standing('checkout'))?.state;
  expect(checkout?.alerts[0]?.longBurn).toBeCloseTo(20, 0);
  expect(checkout?.problem).toBeNull();
  expect((await standing('search'))?.state).toMatchObject({
    budgetLeft: 1,
    alerts: [{ firing: false, longBurn: 0 }],
  });
  expect(await alerts()).toEqual(['slo:checkout:critical:1h:5m firing']);
  const points = await test.db.read({ orgId: test.orgId }, (tx) =>
    listSloPoints(tx, 'checkout', new Date(0)),
  );
  expect(points).toHaveLength(1);

  // Prometheus is away: nothing ends, and the state says so
  const away = await activities('http://127.0.0.1:9', now + minute).evaluateSlos({ orgId: test.orgId });
  expect(away).toEqual({ measured: 0, failed: 2 });
  expect((await standing('checkout'))?.state).toMatchObject({
    problem: expect.stringMatching(/cannot be reached/),
    alerts: [{ firing: true }],
  });
  expect(await alerts()).toEqual(['slo:checkout:critical:1h:5m firing']);

  await test.db.write({ orgId: test.orgId }, (tx) =>
    deleteSlo(tx, { orgId: test.orgId, name: 'checkout', actor }),
  );
  expect(await alerts()).toEqual(['slo:checkout:critical:1h:5m resolved']);
});

run(
  'takes an outage without a single success for what it is, and a service without requests for no failure',
  async (context) => {
    const { url } = prometheus.orSkip(context);
    const preview = async (service: string) => {
      const definition = objective(service);
      return await activities(url).previewSlo({ orgId: test.orgId, definition });
    };
    expect((await preview('down')).alerts[0]?.longBurn).toBeCloseTo(1000, 0);
    expect(await preview('nowhere')).toMatchObject({
      budgetLeft: null,
      problem: expect.stringMatching(/no data over 5m, 1h, 1d/),
      alerts: [{ firing: false }],
    });
    expect(await standing('down')).toBeUndefined();
  },
);

run('says which query is not asked, and why', async (context) => {
  const { url } = prometheus.orSkip(context);
  const definition = slo.parse({
    objectivePercent: 99,
    indicator: { type: 'error_ratio', errorRatio: 'sum(rate({job=~".+"}[$window]))' },
  });
  const { problem } = await activities(url).previewSlo({ orgId: test.orgId, definition });
  expect(problem).toMatch(/the query errorRatio is not asked: it reads metrics without a name/);
});

run('measures anew what an edited objective promises, and keeps the alert that fires', async (context) => {
  const { url } = prometheus.orSkip(context);
  await make('checkout');
  await activities(url).evaluateSlos({ orgId: test.orgId });
  await make('checkout', { ...objective('checkout'), objectivePercent: 99 });
  expect((await standing('checkout'))?.state).toMatchObject({
    windows: {},
    budgetLeft: null,
    alerts: [{ firing: true }],
  });
  await activities(url, now + 1).evaluateSlos({ orgId: test.orgId });
  expect(await alerts()).toEqual(['slo:checkout:critical:1h:5m resolved']);
});

run('is asked no more where there is no objective, unless one is made at that moment', async () => {
  await activities(undefined).evaluateSlos({ orgId: test.orgId });
  expect(measuring).toEqual(['ended']);
  measuring = [];
  await activities(undefined, now, () => make('checkout')).evaluateSlos({ orgId: test.orgId });
  expect(measuring).toEqual(['ended', 'begun']);
  measuring = [];
  await activities(undefined).evaluateSlos({ orgId: test.orgId });
  expect(measuring).toEqual([]);
});

run('without a Prometheus each objective says so', async () => {
  await make('checkout');
  await activities(undefined).evaluateSlos({ orgId: test.orgId });
  expect((await standing('checkout'))?.state.problem).toMatch(/PROMETHEUS_URL/);
});
