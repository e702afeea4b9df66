import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { capacityReport } from '../../domain/reports/capacity.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { type Prometheus, startPrometheus } from '../../test/parts/prometheus.ts';
import { PrometheusError } from '../prometheus/client.ts';
import { queryRange } from '../prometheus/query-range.ts';
import { readCapacity } from './prometheus.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
// on the hour, so that the tests see the same samples whenever they run
const now = Math.floor(Date.now() / hour) * hour;
const from = now - 7 * day;

/** A metric with its samples, to be written into the past of a Prometheus. */
interface History {
  name: string;
  type: 'gauge' | 'counter';
  series: { labels: Record<string, string>; samples: { at: number; value: number }[] }[];
}

function openMetrics(history: readonly History[]): string {
  const lines = history.flatMap(({ name, type, series }) => [
    // a counter's family is named without the _total of its samples
    `# TYPE ${type === 'counter' ? name.replace(/_total$/, '') : name} ${type}`,
    ...series.flatMap(({ labels, samples }) => {
      const set = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      return samples.map(({ at, value }) => `${name}{${set.join(',')}} ${value} ${at / 1000}`);
    }),
  ]);
  return `${lines.join('\n')}\n# EOF\n`;
}

const samples = (value: (ms: number) => number) =>
  Array.from({ length: (7 * day) / (5 * minute) }, (_, i) => ({
    at: from + i * 5 * minute,
    value: value(i * 5 * minute),
  }));

const size = 100e9;
const disk = (name: string, value: (ms: number) => number): History => ({
  name,
  type: 'gauge',
  series: [
    {
      labels: { job: 'node', instance: 'db-1:9100', device: '/dev/vdb', mountpoint: '/data', fstype: 'ext4' },
      samples: samples(value),
    },
    // the same device again, mounted into a container
    {
      labels: {
        job: 'node',
        instance: 'db-1:9100',
        device: '/dev/vdb',
        mountpoint: '/var/lib/containers/data',
        fstype: 'ext4',
      },
      samples: samples(value),
    },
    {
      labels: { job: 'node', instance: 'db-1:9100', device: 'tmpfs', mountpoint: '/run', fstype: 'tmpfs' },
      samples: samples(value),
    },
  ],
});
const machine = (name: string, value: (ms: number) => number): History => ({
  name,
  type: 'gauge',
  series: [{ labels: { job: 'node', instance: 'db-1:9100' }, samples: samples(value) }],
});

let prometheus: TriedPart<Prometheus>;
let empty: TriedPart<Prometheus>;
beforeAll(async () => {
  prometheus = await tryPart(() =>
    startPrometheus({
      backfill: openMetrics([
        // 70 % used at first, 2 % more a day
        disk('node_filesystem_avail_bytes', (ms) => size * (0.3 - (0.02 * ms) / day)),
        disk('node_filesystem_size_bytes', () => size),
        machine('node_memory_MemAvailable_bytes', (ms) => 8e9 + 4e8 * Math.sin((2 * Math.PI * ms) / day)),
        machine('node_memory_MemTotal_bytes', () => 16e9),
        {
          name: 'node_cpu_seconds_total',
          type: 'counter',
          // two cores, one idle for three quarters of the time, the other for a quarter
          series: [0.75, 0.25].map((share, cpu) => ({
            labels: { job: 'node', instance: 'db-1:9100', cpu: String(cpu), mode: 'idle' },
            samples: samples((ms) => (ms / 1000) * share),
          })),
        },
      ]),
    }),
  );
  empty = await tryPart(startPrometheus);
});
afterAll(async () => {
  await prometheus?.part?.close();
  await empty?.part?.close();
});

describe('a real Prometheus', () => {
  it('gives hourly use of disk, memory and CPU, one disk per device, none in memory', async (test) => {
    const { url } = prometheus.orSkip(test);
    const series = await readCapacity(url, now, 14);
    expect(series.map((one) => [one.instance, one.resource, one.part])).toEqual([
      ['db-1:9100', 'disk', '/data'],
      ['db-1:9100', 'memory', ''],
      ['db-1:9100', 'cpu', ''],
    ]);
    for (const one of series) expect(one.points.length).toBeGreaterThan(160);
    const report = capacityReport(series, now);
    const [data] = report.rows;
    expect(data).toMatchObject({ resource: 'disk', state: 'growing', confidence: 'high' });
    expect(data!.growthPerDay!.value).toBeCloseTo(0.02, 4);
    expect(data!.current).toBeCloseTo(0.84, 2);
    const full = data!.crossings[2]!;
    if (full.state !== 'forecast') throw new Error('a forecast was expected');
    expect((full.at - now) / day).toBeCloseTo(8, 1);
    const memory = report.rows.find((row) => row.resource === 'memory')!;
    expect(memory.mean).toBeCloseTo(0.5, 1);
    expect(memory.state).not.toBe('growing');
    const cpu = report.rows.find((row) => row.resource === 'cpu')!;
    expect(cpu.mean).toBeCloseTo(0.5, 2);
  });

  it('gives nothing where no machine reports', async (test) => {
    const { url } = empty.orSkip(test);
    expect(await readCapacity(url, now, 14)).toEqual([]);
  });

  it('refuses a wrong query for good, with the reason', async (test) => {
    const { url } = empty.orSkip(test);
    const error = await queryRange(url, { query: 'rate(', from, to: now, stepMs: hour }).catch((e) => e);
    expect(error).toBeInstanceOf(PrometheusError);
    expect(error).toMatchObject({ mendable: false });
    expect(error.message).toMatch(/refused the query \(bad_data\).*parse error/);
  });

  it('asks for no more points than are needed, however long the range', async (test) => {
    const { url } = prometheus.orSkip(test);
    const series = await queryRange(url, {
      query: 'vector(1)',
      from: now - 365 * day,
      to: now,
      stepMs: minute,
    });
    expect(series[0]!.points.length).toBeLessThanOrEqual(2001);
  });
});

describe('queryRange', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }
  const range = { query: 'up', from, to: now, stepMs: hour };

  it('sends the password as a header and keeps a path prefix', async () => {
    let seen: unknown;
    const url = await serve((request, response) => {
      seen = [request.method, request.url, request.headers.authorization];
      response.end('{"status":"success","data":{"resultType":"matrix","result":[]}}');
    });
    await queryRange(`${url.replace('//', '//ana:p%40ss@')}/prometheus/`, range);
    const basic = Buffer.from('ana:p@ss').toString('base64');
    expect(seen).toEqual(['POST', '/prometheus/api/v1/query_range', `Basic ${basic}`]);
  });

  it('leaves out what is no number', async () => {
    const url = await serve((_, response) =>
      response.end(
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"NaN"],[2,"+Inf"],[3,"0.5"]]}]}}',
      ),
    );
    expect((await queryRange(url, range))[0]!.points).toEqual([{ at: 3000, value: 0.5 }]);
  });

  it('names the address and the reason when nobody listens, and may be asked again', async () => {
    const error = await queryRange('http://127.0.0.1:9', range).catch((e) => e);
    expect(error).toMatchObject({ name: 'PrometheusError', mendable: true });
    expect(error.message).toMatch(/cannot be reached at http:\/\/127\.0\.0\.1:9/);
  });

  it('tells a wrong address from an overloaded server', async () => {
    const url = await serve((request, response) => {
      response.statusCode = request.url?.startsWith('/busy') ? 503 : 404;
      response.end('<h1>no</h1>');
    });
    const wrong = await queryRange(url, range).catch((e) => e);
    expect(wrong).toMatchObject({ mendable: false });
    expect(wrong.message).toMatch(/check PROMETHEUS_URL/);
    expect(await queryRange(`${url}/busy`, range).catch((e) => e)).toMatchObject({ mendable: true });
  });

  it('reads no more than 32 MB', async () => {
    const url = await serve((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const error = await queryRange(url, range).catch((e) => e);
    expect(error).toMatchObject({ mendable: false });
    expect(error.message).toMatch(/more than 32 MB/);
  });
});
