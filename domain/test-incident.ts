import { fingerprintOf } from './alertmanager.ts';

/** Incidents made up to try Holdfast with: an alert as Alertmanager posts it, and log lines around it. */
export const testIncidentKinds = ['database', 'cpu', 'latency'] as const;
export type TestIncidentKind = (typeof testIncidentKinds)[number];

export interface TestIncident {
  kind: TestIncidentKind;
  /** The body for POST /api/v1/alerts/alertmanager. */
  webhook: AlertmanagerBody;
  /** The objects for POST /api/v1/logs, oldest first, of the minutes before `now`. */
  logs: TestLogLine[];
}

export interface AlertmanagerBody {
  version: '4';
  groupKey: string;
  truncatedAlerts: number;
  status: 'firing' | 'resolved';
  receiver: string;
  groupLabels: Record<string, string>;
  commonLabels: Record<string, string>;
  commonAnnotations: Record<string, string>;
  externalURL: string;
  alerts: {
    status: 'firing' | 'resolved';
    labels: Record<string, string>;
    annotations: Record<string, string>;
    startsAt: string;
    endsAt: string;
    generatorURL: string;
    fingerprint: string;
  }[];
}

export interface TestLogLine {
  timestamp: string;
  service: string;
  host: string;
  level: 'info' | 'warn' | 'error' | 'fatal';
  message: string;
  labels: Record<string, string>;
}

interface Scenario {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  query: string;
  /** What its service logs, `everySeconds` apart during the last `forSeconds`; `n` counts from 0. */
  logs: {
    level: TestLogLine['level'];
    everySeconds: number;
    forSeconds: number;
    message(n: number): string;
  }[];
}

/** `pick` chooses for 'random': any whole number. */
export function testIncidentKind(asked: TestIncidentKind | 'random', pick: number): TestIncidentKind {
  if (asked !== 'random') return asked;
  return testIncidentKinds[Math.abs(pick) % testIncidentKinds.length] ?? 'database';
}

/** The same kind has the same fingerprint every time: made again it is seen again, and it can be resolved. */
export function testIncident(
  kind: TestIncidentKind,
  status: 'firing' | 'resolved',
  now: number,
): TestIncident {
  const scenario = scenarios[kind];
  const { labels, annotations } = scenario;
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    kind,
    webhook: {
      version: '4',
      groupKey: `{}:{alertname="${labels.alertname}"}`,
      truncatedAlerts: 0,
      status,
      receiver: 'holdfast',
      groupLabels: { alertname: labels.alertname ?? '' },
      commonLabels: labels,
      commonAnnotations: annotations,
      externalURL: 'http://alertmanager.example:9093',
      alerts: [
        {
          status,
          labels,
          annotations,
          // as a rule with 'for: 1m' would have it
          startsAt: iso(now - 60_000),
          endsAt: status === 'resolved' ? iso(now) : '0001-01-01T00:00:00Z',
          generatorURL: `http://prometheus.example:9090/graph?g0.expr=${encodeURIComponent(scenario.query)}&g0.tab=1`,
          fingerprint: fingerprintOf(labels),
        },
      ],
    },
    logs: status === 'resolved' ? [] : logsOf(scenario, now),
  };
}

function logsOf({ labels, logs }: Scenario, now: number): TestLogLine[] {
  const { service = '', host = '', namespace = '', pod = '' } = labels;
  return logs
    .flatMap(({ level, everySeconds, forSeconds, message }) => {
      const count = Math.floor(forSeconds / everySeconds);
      return Array.from({ length: count }, (_, n) => ({
        at: now - (forSeconds - n * everySeconds) * 1000 + ((n * 137) % 900),
        level,
        message: message(n),
      }));
    })
    .sort((a, b) => a.at - b.at)
    .map(({ at, level, message }) => ({
      timestamp: new Date(at).toISOString(),
      service,
      host,
      level,
      message,
      labels: { namespace, pod },
    }));
}

/** Numbers that look as if they came from outside, and are the same every time. */
const varied = (n: number, from: number, to: number) => from + ((n * 7919 + 104_729) % (to - from + 1));

const scenarios: Record<TestIncidentKind, Scenario> = {
  database: {
    labels: {
      alertname: 'DatabaseConnectionsExhausted',
      severity: 'critical',
      service: 'orders-db',
      host: 'db-primary',
      instance: 'db-primary:9187',
      namespace: 'shop',
      pod: 'orders-db-0',
      job: 'postgres-exporter',
      test: 'true',
    },
    annotations: {
      summary: 'orders-db refuses connections: 200 of 200 in use',
      description:
        'PostgreSQL on db-primary has had no free connection for a minute. New requests of checkout and inventory fail.',
      runbook_url: 'https://runbooks.example/database-connections',
    },
    query: 'pg_stat_activity_count / pg_settings_max_connections > 0.95',
    logs: [
      {
        level: 'info',
        everySeconds: 12,
        forSeconds: 290,
        message: (n) =>
          `checkpoint complete: wrote ${varied(n, 400, 9000)} buffers; write=${varied(n, 1, 29)}.${varied(n, 100, 999)} s`,
      },
      {
        level: 'warn',
        everySeconds: 15,
        forSeconds: 150,
        message: (n) => `connection pool "orders" waited ${varied(n, 800, 4900)} ms for a connection`,
      },
      {
        level: 'fatal',
        everySeconds: 3,
        forSeconds: 75,
        message: (n) =>
          `[${varied(n, 10_000, 60_000)}] FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute`,
      },
      {
        level: 'error',
        everySeconds: 20,
        forSeconds: 70,
        message: (n) =>
          [
            `order ${varied(n, 100_000, 999_999)} could not be stored`,
            'java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.',
            '\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)',
            '\tat com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:181)',
            '\tat com.example.orders.OrderRepository.save(OrderRepository.java:88)',
            '\tat com.example.orders.OrderService.place(OrderService.java:41)',
          ].join('\n'),
      },
    ],
  },
  cpu: {
    labels: {
      alertname: 'HighCpuUsage',
      severity: 'warning',
      service: 'checkout',
      host: 'node-7',
      instance: 'node-7:9100',
      namespace: 'shop',
      pod: 'checkout-6f9c7d5b8-x2x7k',
      job: 'node-exporter',
      test: 'true',
    },
    annotations: {
      summary: 'checkout uses 96 % of the processor on node-7',
      description: 'The processor of node-7 has been above 90 % for a minute; checkout takes most of it.',
    },
    query: '100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m])) * 100 > 90',
    logs: [
      {
        level: 'info',
        everySeconds: 10,
        forSeconds: 290,
        message: (n) => `GET /cart/${varied(n, 1000, 9999)} 200 in ${varied(n, 12, 90)} ms`,
      },
      {
        level: 'warn',
        everySeconds: 6,
        forSeconds: 90,
        message: (n) => `event loop was blocked for ${varied(n, 400, 2600)} ms`,
      },
      {
        level: 'error',
        everySeconds: 18,
        forSeconds: 80,
        message: (n) =>
          `worker ${varied(n, 1, 8)} timed out recalculating the prices of ${varied(n, 200, 900)} items`,
      },
    ],
  },
  latency: {
    labels: {
      alertname: 'ApiLatencyHigh',
      severity: 'critical',
      service: 'payment-api',
      host: 'node-3',
      instance: 'payment-api-3:8080',
      namespace: 'payments',
      pod: 'payment-api-7c4d9f6b5-q8w2m',
      job: 'payment-api',
      test: 'true',
    },
    annotations: {
      summary: 'payment-api answers in 4.8 s at the 99th percentile',
      description:
        'The 99th percentile of POST /payments has been above 2 s for a minute; usually it is 180 ms.',
    },
    query: 'histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[1m])) > 2',
    logs: [
      {
        level: 'info',
        everySeconds: 8,
        forSeconds: 290,
        message: (n) => `POST /payments 201 in ${varied(n, 120, 240)} ms id=pay_${varied(n, 10_000, 99_999)}`,
      },
      {
        level: 'warn',
        everySeconds: 5,
        forSeconds: 90,
        message: (n) =>
          `POST /payments 201 in ${varied(n, 2100, 6400)} ms id=pay_${varied(n, 10_000, 99_999)}`,
      },
      {
        level: 'error',
        everySeconds: 9,
        forSeconds: 80,
        message: (n) => `upstream card-gateway timed out after 5000 ms (attempt ${varied(n, 1, 3)} of 3)`,
      },
    ],
  },
};
