import { z } from 'zod';
import type { Resource, ResourceSeries } from '../../domain/reports/capacity.ts';

/**
 * Prometheus refused, failed or could not be reached. `mendable`: asking again may help (away, overloaded,
 * timed out); otherwise the query or the address is wrong and the message says what to change.
 */
export class PrometheusError extends Error {
  override name = 'PrometheusError';
  readonly mendable: boolean;

  constructor(message: string, options: { mendable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.mendable = options.mendable;
  }
}

export interface RangeQuery {
  query: string;
  /** Epoch milliseconds. */
  from: number;
  to: number;
  stepMs: number;
}

export interface RangeSeries {
  labels: Record<string, string>;
  points: { at: number; value: number }[];
}

/** Points per series at most; Prometheus itself refuses more than 11,000. */
const mostPoints = 2000;
const mostBytes = 32 * 1024 * 1024;
const queryTimeoutMs = 20_000;

/**
 * `POST /api/v1/query_range` (https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries).
 * The step grows where the range would hold more than 2,000 points. Throws PrometheusError.
 */
export async function queryRange(baseUrl: string, range: RangeQuery): Promise<RangeSeries[]> {
  const stepMs = Math.max(range.stepMs, Math.ceil((range.to - range.from) / mostPoints / 1000) * 1000);
  const body = new URLSearchParams({
    query: range.query,
    start: String(range.from / 1000),
    end: String(range.to / 1000),
    step: String(stepMs / 1000),
    timeout: `${queryTimeoutMs / 1000}s`,
  });
  const { url, authorization } = endpoint(baseUrl);
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: authorization ? { authorization } : {},
      // a login page in front would turn the POST into a GET of itself
      redirect: 'manual',
      // the query's own time-out answers first and says why
      signal: AbortSignal.timeout(queryTimeoutMs + 5000),
    });
    status = response.status;
    text = await readAtMost(response, mostBytes);
  } catch (error) {
    if (error instanceof PrometheusError) throw error;
    throw new PrometheusError(`Prometheus cannot be reached at ${url.origin}: ${reasonOf(error)}`, {
      mendable: true,
      cause: error,
    });
  }
  return parseAnswer(status, text, url);
}

const answerSchema = z.union([
  z.object({
    status: z.literal('success'),
    data: z.object({
      resultType: z.literal('matrix'),
      result: z.array(
        z.object({
          metric: z.record(z.string(), z.string()),
          values: z.array(z.tuple([z.number(), z.string()])).default([]),
        }),
      ),
    }),
  }),
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
]);

function parseAnswer(status: number, text: string, url: URL): RangeSeries[] {
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) {
    throw new PrometheusError(
      `${url.origin} answered ${status} with something that is no Prometheus answer: check PROMETHEUS_URL, which is the address without /api/v1`,
      { mendable: status >= 500 || status === 429 },
    );
  }
  if (answer.data.status === 'error') {
    throw new PrometheusError(
      `Prometheus refused the query (${answer.data.errorType}): ${answer.data.error.slice(0, 500)}`,
      { mendable: answer.data.errorType !== 'bad_data' },
    );
  }
  return answer.data.data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values
      .map(([seconds, value]) => ({ at: Math.round(seconds * 1000), value: Number(value) }))
      .filter((point) => Number.isFinite(point.value)),
  }));
}

/** A path in the address is kept, for a Prometheus behind a prefix; user and password become a header. */
function endpoint(baseUrl: string): { url: URL; authorization: string | undefined } {
  const url = new URL(baseUrl);
  const authorization = url.username
    ? `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`
    : undefined;
  url.username = '';
  url.password = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query_range`;
  return { url, authorization };
}

async function readAtMost(response: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) {
      throw new PrometheusError(
        `Prometheus answered more than ${limit / 1024 / 1024} MB: too many instances for one report`,
        { mendable: false },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${(queryTimeoutMs + 5000) / 1000} s`;
  // fetch says 'fetch failed' and keeps the reason in its cause
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}

// ---- capacity ----

const hourMs = 3_600_000;

/** File systems that hold no data of their own or cannot grow: in memory, images, read-only media. */
const noDisk =
  'fstype!~"tmpfs|devtmpfs|ramfs|rootfs|overlay|squashfs|erofs|iso9660|udf|fuse.lxcfs|nsfs|proc|sysfs|cgroup2?|autofs|tracefs|debugfs|configfs|fuse.snapfuse"';

/**
 * Use as a share of what there is, hourly means, from node_exporter:
 * - disk: 1 − avail / size. `avail` leaves out what is reserved for root, so 1 is where writing fails.
 * - memory: 1 − MemAvailable / MemTotal, the kernel's own estimate of what can be had without swapping.
 * - CPU: 1 − the idle share of all cores' time.
 */
export const capacityQueries: Record<Resource, string> = {
  disk: `1 - avg_over_time(node_filesystem_avail_bytes{${noDisk}}[1h]) / (avg_over_time(node_filesystem_size_bytes{${noDisk}}[1h]) > 0)`,
  memory:
    '1 - avg_over_time(node_memory_MemAvailable_bytes[1h]) / (avg_over_time(node_memory_MemTotal_bytes[1h]) > 0)',
  cpu: '1 - avg by (job, instance) (rate(node_cpu_seconds_total{mode="idle"}[1h]))',
};

/**
 * Hourly use of disks, memory and CPU of every instance that node_exporter reports, over the days before
 * `now`. Empty where Prometheus holds no such metrics. Throws PrometheusError.
 */
export async function readCapacity(baseUrl: string, now: number, days: number): Promise<ResourceSeries[]> {
  const range = { from: now - days * 24 * hourMs, to: now, stepMs: hourMs };
  const answers = await Promise.all(
    (['disk', 'memory', 'cpu'] as const).map(async (resource) => {
      const series = await queryRange(baseUrl, { ...range, query: capacityQueries[resource] });
      return resource === 'disk' ? disksOf(series) : series.map((one) => machineSeries(resource, one));
    }),
  );
  return answers.flat();
}

function machineSeries(resource: Resource, series: RangeSeries): ResourceSeries {
  return { instance: instanceOf(series), resource, part: '', points: shares(series) };
}

/** One series per device: a device that is mounted twice (bind mounts, containers) fills up once. */
function disksOf(all: readonly RangeSeries[]): ResourceSeries[] {
  const byDevice = new Map<string, RangeSeries>();
  for (const series of all) {
    const key = JSON.stringify([series.labels.job, series.labels.instance, series.labels.device]);
    const known = byDevice.get(key);
    if (!known || mountOf(series).length < mountOf(known).length) byDevice.set(key, series);
  }
  return [...byDevice.values()].map((series) => ({
    instance: instanceOf(series),
    resource: 'disk',
    part: mountOf(series),
    points: shares(series),
  }));
}

const instanceOf = (series: RangeSeries): string => series.labels.instance ?? 'unnamed instance';
const mountOf = (series: RangeSeries): string =>
  series.labels.mountpoint ?? series.labels.device ?? 'unnamed disk';

/** Rounding and counter resets may leave the range by a hair. */
const shares = (series: RangeSeries): ResourceSeries['points'] =>
  series.points.map(({ at, value }) => ({ at, value: Math.min(1, Math.max(0, value)) }));
