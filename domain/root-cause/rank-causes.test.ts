import { describe, expect, test } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import type { Dependency } from '../topology/service.ts';
import type { AlertEvidence, Evidence, MetricEvidence } from './evidence.ts';
import { rankCauses } from './rank-causes.ts';

/** 'web > api > db' is two calls. */
function calls(...chains: string[]): Dependency[] {
  return chains.flatMap((chain) => {
    const services = chain.split(' > ');
    return services.slice(1).map((to, i) => ({ from: services[i] ?? '', to }));
  });
}

const night = Date.UTC(2026, 0, 31, 3);
/** One alert each, all at one time or a second apart in this order. */
function alerts(services: string[], apartMs = 0, name = 'HighErrorRate'): AlertEvidence[] {
  return services.map((service, i) => ({ service, name, startsAt: night + i * apartMs }));
}

const order = (evidence: Evidence): string[] => rankCauses(evidence).map(({ service }) => service);

describe('by alerts', () => {
  test('the deepest failing service comes first', () => {
    const causes = rankCauses({
      alerts: alerts(['web', 'db', 'api']),
      dependencies: calls('web > api > db > disk'),
    });
    expect(causes[0]).toMatchObject({ service: 'db', score: 1 });
    expect(causes[0]?.confidence).toBeGreaterThan(0.6);
    expect(causes[0]?.reasons).toEqual([
      '2 services in trouble depend on it: api, web',
      'HighErrorRate fired on it',
      'nothing that it calls is in trouble',
    ]);
  });

  test('an alert lost in the middle of a chain does not stop the way down', () => {
    expect(order({ alerts: alerts(['web', 'db']), dependencies: calls('web > api > db') })[0]).toBe('db');
  });

  test('what all the failing ones share comes first though it is silent itself', () => {
    const dependencies = calls('a > shared', 'b > shared', 'c > shared', 'd > shared', 'a > other');
    const [first] = rankCauses({ alerts: alerts(['a', 'b', 'c', 'd']), dependencies });
    expect(first?.service).toBe('shared');
    expect(first?.reasons).toContain('nothing is seen of shared itself');
  });

  test('a silent callee of one failing service is not the cause', () => {
    expect(order({ alerts: alerts(['api']), dependencies: calls('api > db', 'api > cache') })[0]).toBe('api');
  });

  test('a callee that only misses traffic is an effect', () => {
    const evidence = {
      alerts: [...alerts(['web', 'api']), ...alerts(['mailer'], 0, 'LowTraffic')],
      dependencies: calls('web > api > mailer'),
    };
    expect(order(evidence)[0]).toBe('api');
  });

  test('in a cycle the one that failed first comes first', () => {
    const dependencies = calls('a > b > c > a');
    expect(order({ alerts: alerts(['b', 'a', 'c'], 90_000), dependencies })[0]).toBe('b');
    expect(order({ alerts: alerts(['c', 'b', 'a'], 90_000), dependencies })[0]).toBe('c');
  });

  test('a bystander that nothing failing depends on does not come first', () => {
    const evidence = {
      alerts: alerts(['batch', 'web', 'api', 'db'], 1000),
      dependencies: calls('web > api > db', 'cron > batch'),
    };
    expect(order(evidence)[0]).toBe('db');
  });

  test('alerts of no service, and services of no dependency, are no trouble', () => {
    expect(rankCauses({ alerts: [{ service: null, name: 'x', startsAt: night }], dependencies: [] })).toEqual(
      [],
    );
    expect(order({ alerts: alerts(['alone']), dependencies: [] })).toEqual(['alone']);
    expect(rankCauses({ alerts: [], dependencies: calls('a > b') })).toEqual([]);
  });
});

describe('by what else is known', () => {
  const twins: Evidence = {
    alerts: alerts(['web']),
    dependencies: calls('web > left', 'web > right'),
  };
  const both = { ...twins, alerts: alerts(['web', 'left', 'right']) };

  test('a change shortly before', () => {
    const change = { service: 'right', at: night - 60_000, score: 0.85, title: 'right v2.3.0 → v2.3.1' };
    const [first] = rankCauses({ ...both, changes: [change] });
    expect(first?.service).toBe('right');
    expect(first?.reasons).toContain('changed shortly before: right v2.3.0 → v2.3.1');
  });

  test('failures that began there in the traces', () => {
    const traces = [
      { service: 'right', firstFailures: 9, of: 10 },
      { service: 'web', firstFailures: 1, of: 10 },
    ];
    const [first] = rankCauses({ ...both, traces });
    expect(first?.service).toBe('right');
    expect(first?.reasons).toContain('in 9 of 10 failed traces it failed first');
  });

  test('errors in its logs, and others that name it in theirs', () => {
    expect(order({ ...both, logs: [{ service: 'right', errors: 40, newPatterns: 2 }] })[0]).toBe('right');
    const [first] = rankCauses({
      ...both,
      logs: [{ service: 'web', errors: 9, newPatterns: 0, mentions: ['right'] }],
    });
    expect(first?.service).toBe('right');
    expect(first?.reasons).toContain('errors of web name it');
  });

  test('confidence grows with evidence that agrees', () => {
    const little = rankCauses(both)[0]?.confidence ?? 1;
    const more = rankCauses({
      ...both,
      traces: [{ service: 'right', firstFailures: 9, of: 10 }],
      logs: [{ service: 'right', errors: 40, newPatterns: 2 }],
    });
    expect(little).toBeLessThan(0.6);
    expect(more[0]?.confidence).toBeGreaterThan(0.8);
  });
});

const start = 1_750_000_000;
const past = 60;
const at = start + past * 60;

/** Minutes of readings around `usual`, then around each of `during`. */
function series(service: string, metric: string, usual: number, during: number[]): MetricEvidence {
  const levels = [...Array.from({ length: past }, () => usual), ...during];
  const salt = service.length + metric.length;
  return {
    service,
    metric,
    points: levels.map((level, i): [number, number] => [
      start + i * 60,
      level * (1 + (((i * 7 + salt) % 11) - 5) / 200),
    ]),
  };
}

describe('by metrics', () => {
  const dependencies = calls('web > api > db', 'web > search');
  const symptom = { service: 'web', metric: 'latency', at };
  const wave = [1, 1.4, 2, 1.8, 1.1];
  const slowed = (service: string, usual: number, by: number): MetricEvidence =>
    series(
      service,
      'latency',
      usual,
      wave.map((height) => usual + by * (height - 1)),
    );
  const well = (service: string, usual: number): MetricEvidence => slowed(service, usual, 0);

  test('a service whose own callees are well is slow by itself', () => {
    const metrics = [
      slowed('web', 0.2, 0.3),
      slowed('api', 0.1, 0.3),
      well('db', 0.01),
      well('search', 0.05),
    ];
    const [first] = rankCauses({ alerts: [], dependencies, metrics, symptom });
    expect(first?.service).toBe('api');
    expect(first?.reasons[1]).toMatch(/^its latency rose from 0\.1 to 0\.\d+, in step with the symptom$/);
  });

  test('a callee that accounts for the delay of its callers is the cause, however small its own share looks', () => {
    const metrics = [
      slowed('web', 0.2, 0.3),
      slowed('api', 0.001, 0.3),
      slowed('db', 0.1, 0.3),
      well('search', 0.05),
    ];
    expect(order({ alerts: [], dependencies, metrics, symptom })[0]).toBe('db');
  });

  test('what differs from the usual since long before is not the cause', () => {
    const drifted = series('search', 'latency', 0.05, []);
    const drift = {
      ...drifted,
      points: drifted.points.map(([time, value], i): [number, number] => [time, i < 40 ? value : value * 4]),
    };
    const longer = series(
      'search',
      'latency',
      0.2,
      wave.map(() => 0.2),
    ).points.slice(past);
    const metrics = [
      slowed('web', 0.2, 0.3),
      slowed('api', 0.1, 0.3),
      well('db', 0.01),
      { ...drift, points: [...drift.points, ...longer] },
    ];
    expect(order({ alerts: [], dependencies, metrics, symptom })[0]).toBe('api');
  });

  test('a callee that is asked less is an effect; one that runs out of CPU is not', () => {
    const starved = series('db', 'requests', 1000, [900, 500, 100, 200, 800]);
    const metrics = [slowed('web', 0.2, 0.3), slowed('api', 0.1, 0.3), starved, well('search', 0.05)];
    expect(order({ alerts: [], dependencies, metrics, symptom })[0]).toBe('api');
    const hog = series('db', 'cpu_usage', 20, [20, 60, 95, 90, 30]);
    expect(order({ alerts: [], dependencies, metrics: [...metrics.slice(0, 2), hog], symptom })[0]).toBe(
      'db',
    );
  });

  test('a balancer that the graph does not connect is not taken for the service behind it', () => {
    const graph = calls('web > balancer', 'web > api', 'api > db');
    const metrics = [
      slowed('web', 0.2, 0.3),
      slowed('balancer', 0.12, 0.3),
      slowed('api', 0.1, 0.3),
      well('db', 0.01),
    ];
    expect(order({ alerts: [], dependencies: graph, metrics, symptom })[0]).toBe('api');
  });

  test('an alarm that comes late, gaps, other names and other units change nothing', () => {
    const metrics = [slowed('web', 0.2, 0.3), slowed('api', 0.1, 0.3), well('db', 0.01)];
    const milliseconds = metrics.map((one) => ({
      service: one.service,
      metric: 'http_request_duration_p99',
      unit: 'ms',
      points: one.points
        .filter((_, i) => i % 9 !== 4)
        .map(([time, value]): [number, number] => [time, value * 1000]),
    }));
    const late = { service: 'web', at: at + 120 };
    expect(order({ alerts: [], dependencies, metrics: milliseconds.toReversed(), symptom: late })[0]).toBe(
      'api',
    );
  });

  test('what is usual may be told by a period long after, where there is none before', () => {
    const metrics = [slowed('web', 0.2, 0.3), slowed('api', 0.1, 0.3), well('db', 0.01)].map((one) => ({
      ...one,
      points: one.points.map(([time, value]): [number, number] => [
        time < at ? time + 12_000_000 : time,
        value,
      ]),
    }));
    expect(order({ alerts: [], dependencies, metrics, symptom })[0]).toBe('api');
  });

  test('CPU that more requests account for is not the cause, but whoever is flooded from outside is', () => {
    const flood = (service: string, usual: number) =>
      series(
        service,
        'requests',
        usual,
        wave.map((height) => usual * height),
      );
    const hot = (service: string) =>
      series(
        service,
        'cpu_usage',
        20,
        wave.map((height) => 20 * height),
      );
    const metrics = [
      slowed('web', 0.2, 0.3),
      slowed('api', 0.1, 0.3),
      flood('api', 100),
      hot('api'),
      flood('db', 300),
      hot('db'),
      series(
        'web',
        'requests',
        100,
        wave.map(() => 100),
      ),
    ];
    expect(order({ alerts: [], dependencies, metrics, symptom })[0]).toBe('api');
  });

  test('without a symptom the series themselves tell when it began', () => {
    const higher = wave.map((height) => height + 1);
    const rise = (service: string, usual: number) =>
      series(
        service,
        'latency',
        usual,
        higher.map((height) => usual + 0.3 * height),
      );
    const metrics = [rise('web', 0.2), rise('api', 0.1), well('db', 0.01), well('search', 0.05)];
    expect(order({ alerts: [], dependencies, metrics })[0]).toBe('api');
  });

  test('nothing that moves has no causes, and readings that are no numbers are passed over', () => {
    const metrics = [well('web', 0.2), well('api', 0.1)];
    expect(order({ alerts: [], dependencies: [], metrics }).length).toBe(0);
    const broken = {
      service: 'web',
      metric: 'latency',
      points: [
        [start, Number.NaN],
        [Number.NaN, 1],
      ] as [number, number][],
    };
    expect(() => rankCauses({ alerts: [], dependencies, metrics: [broken], symptom })).not.toThrow();
  });
});

test('2,000 services with 10,000 alerts are ranked within a second of computing', () => {
  const dependencies = Array.from({ length: 6000 }, (_, i) => ({
    from: `s${Math.floor((i % 2000) / 2)}`,
    to: `s${(i % 2000) + (i < 2000 ? 0 : (i * 31) % 7)}`,
  }));
  const storm = Array.from({ length: 10_000 }, (_, i) => ({
    service: `s${i % 1500}`,
    name: 'Down',
    startsAt: night + i,
  }));
  const rank = () => expect(rankCauses({ alerts: storm, dependencies })).toHaveLength(20);
  expect(processorMs(rank)).toBeLessThan(1000);
});
