import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MeasuringAlert, readIncidentMetrics } from './incident-metrics.ts';

interface Answer {
  status?: number;
  body?: object;
  delayMs?: number;
}

let server: Server;
let url: string;
let asked: URLSearchParams[];
let answerTo: (query: string) => Answer;
let underWay: number;
let mostUnderWay: number;

beforeEach(async () => {
  asked = [];
  underWay = mostUnderWay = 0;
  answerTo = () => series([{ labels: {} }]);
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    asked.push(form);
    const { status = 200, body = {}, delayMs = 0 } = answerTo(form.get('query') ?? '');
    mostUnderWay = Math.max(mostUnderWay, ++underWay);
    await delay(delayMs);
    underWay--;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  url = `http://127.0.0.1:${address.port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const series = (found: { labels: Record<string, string>; values?: [number, string][] }[]): Answer => ({
  body: {
    status: 'success',
    data: {
      resultType: 'matrix',
      result: found.map(({ labels, values = [[1000, '1']] }) => ({ metric: labels, values })),
    },
  },
});
const alert = (expression: string, labels: Record<string, string> = {}): MeasuringAlert => ({
  name: 'HighLatency',
  service: labels.service ?? null,
  labels: { alertname: 'HighLatency', ...labels },
  generatorUrl: `http://elsewhere/graph?g0.expr=${encodeURIComponent(expression)}`,
});
const read = (alerts: MeasuringAlert[], patienceMs?: number) =>
  readIncidentMetrics(url, {
    incident: 'one',
    alerts,
    from: 0,
    to: 3_600_000,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });

test('asks once for each expression, without its comparison, in no more than 120 points', async () => {
  await read([
    alert('latency > 1', { service: 'a' }),
    alert('latency > 1', { service: 'b' }),
    { ...alert('x'), generatorUrl: 'https://grafana/alerting/view' },
    { ...alert('x'), generatorUrl: null },
  ]);
  expect(asked.map((form) => form.get('query'))).toEqual(['latency']);
  expect(asked[0]?.get('step')).toBe('30');
  expect(asked[0]?.get('start')).toBe('0');
});

test("draws the alerts' own series, and takes those of other services as evidence", async () => {
  answerTo = () =>
    series([
      { labels: { __name__: 'latency', service: 'a', pod: 'a-1' }, values: [[30, '0.123456789']] },
      { labels: { __name__: 'latency', service: 'a', pod: 'a-2' } },
      { labels: { __name__: 'latency', service: 'other', pod: 'o-1' } },
      { labels: { __name__: 'latency', pod: 'of nobody' } },
    ]);
  const { metrics, evidence, notes } = await read([
    alert('latency > 1', { service: 'a', pod: 'a-1', severity: 'critical' }),
    alert('latency > 1', { service: 'a', pod: 'a-2', severity: 'critical' }),
  ]);
  expect(metrics).toMatchObject([
    {
      title: 'HighLatency on a',
      service: 'a',
      threshold: 1,
      series: [{ name: 'pod=a-1' }, { name: 'pod=a-2' }],
    },
  ]);
  expect(metrics[0]?.series[0]?.points).toEqual([[30, 0.123457]]);
  expect(evidence.map(({ service, metric }) => `${service} ${metric}`)).toEqual([
    'a latency',
    'a latency',
    'other latency',
  ]);
  expect(notes).toEqual([]);
});

test('what is refused costs its own expression, and a note says why', async () => {
  answerTo = (query) =>
    query === 'bad'
      ? { status: 400, body: { status: 'error', errorType: 'bad_data', error: 'no such function' } }
      : series([{ labels: {} }]);
  const { metrics, notes } = await read([alert('bad > 1'), alert('good > 1')]);
  expect(metrics).toHaveLength(1);
  expect(notes).toEqual([
    'Metrics could not be read: Prometheus refused the query (bad_data): no such function',
  ]);
});

test('one that is away is not asked again and again', async () => {
  answerTo = () => ({ status: 503, body: { status: 'error', errorType: 'unavailable', error: 'starting' } });
  const { notes } = await read(Array.from({ length: 10 }, (_, n) => alert(`m${n} > 1`)));
  expect(asked).toHaveLength(4);
  expect(notes).toHaveLength(1);
});

test('one that is slow costs what it was not asked for in time', async () => {
  answerTo = () => ({ ...series([{ labels: {} }]), delayMs: 60 });
  const { metrics, notes } = await read(
    Array.from({ length: 10 }, (_, n) => alert(`m${n} > 1`)),
    50,
  );
  expect(metrics).toHaveLength(4);
  expect(notes).toEqual(['Metrics: 4 of 10 expressions took Prometheus too long to ask for more.']);
});

test('expressions and series by the hundred are bounded, and a note says so', async () => {
  answerTo = () => series(Array.from({ length: 500 }, (_, n) => ({ labels: { service: `s${n}` } })));
  const { metrics, evidence, notes } = await read(Array.from({ length: 100 }, (_, n) => alert(`m${n} > 1`)));
  expect(asked).toHaveLength(12);
  expect(evidence).toHaveLength(12 * 60);
  expect(metrics[0]?.series).toHaveLength(8);
  expect(notes).toEqual(['Metrics: only the first 12 of 100 expressions were read.']);
});

test('the link leads to the same query, and holds no password', async () => {
  const { metrics } = await readIncidentMetrics(url.replace('//', '//ana:secret@'), {
    incident: 'one',
    alerts: [alert('latency > 1')],
    from: 0,
    to: 3_600_000,
  });
  expect(metrics[0]?.link).toBe(
    `${url}/graph?g0.expr=latency&g0.tab=0&g0.range_input=1h&g0.end_input=1970-01-01+01%3A00%3A00`,
  );
});

test('what reaches far or reads everything is not asked for, and a note says why', async () => {
  const refused = [
    'count({__name__=~".+"})',
    'max_over_time(x[30d])',
    'sum_over_time(x[1d:1s])',
    'x offset 1y',
  ];
  const { metrics, notes } = await read([...refused, 'up == 0'].map((expression) => alert(expression)));
  expect(asked.map((form) => form.get('query'))).toEqual(['up']);
  expect(asked[0]?.get('limit')).toBe('1000');
  expect(metrics).toHaveLength(1);
  expect(notes).toEqual([
    expect.stringMatching(/^Metrics of HighLatency were not asked for: it reads metrics without a name/),
    expect.stringMatching(/more than a day/),
    expect.stringMatching(/subquery/),
  ]);
});

test('however many incidents there are, four queries are under way at once', async () => {
  answerTo = () => ({ ...series([{ labels: {} }]), delayMs: 20 });
  const incidents = Array.from({ length: 5 }, (_, i) =>
    readIncidentMetrics(url, {
      incident: `incident ${i}`,
      alerts: Array.from({ length: 4 }, (_, k) => alert(`metric_${i}_${k}`)),
      from: 0,
      to: 3_600_000,
    }),
  );
  expect((await Promise.all(incidents)).map(({ metrics }) => metrics.length)).toEqual([4, 4, 4, 4, 4]);
  expect(mostUnderWay).toBe(4);
});
