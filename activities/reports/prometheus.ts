import type { Resource, ResourceSeries } from '../../domain/reports/capacity.ts';
import { queryRange, type RangeSeries } from '../prometheus/query-range.ts';

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
