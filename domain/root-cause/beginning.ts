import { changePoint } from '../statistics/change-point.ts';
import { percentile } from '../statistics/summary.ts';
import type { Evidence, MetricEvidence } from './evidence.ts';

/**
 * Since when there is trouble, in Unix seconds: as the symptom says, else by its first alert, else where the symptom's
 * own series, or most series together, changed their level. Null when nothing tells.
 */
export function beginningOf({ symptom, alerts, metrics = [] }: Evidence): number | null {
  if (symptom?.at !== undefined) return symptom.at;
  const first = alerts.reduce((least, { startsAt }) => Math.min(least, startsAt), Number.POSITIVE_INFINITY);
  if (Number.isFinite(first)) return first / 1000;
  const own = metrics.filter(({ service }) => service === symptom?.service);
  return commonChange(own) ?? commonChange(metrics);
}

/** Standard deviations: neighbours resemble each other, and many places are looked at. */
const sure = 5;
const bins = 25;

/** The time around which most series changed, each by how clearly it did. */
function commonChange(metrics: readonly MetricEvidence[]): number | null {
  const changes = metrics.slice(0, mostSeries).flatMap(({ points }) => {
    const sorted = points.filter(([, value]) => Number.isFinite(value)).toSorted((a, b) => a[0] - b[0]);
    const change = changePoint(sorted.map(([, value]) => value));
    const time = change && sorted[change.index]?.[0];
    return change && time !== undefined && change.weight >= sure ? [{ time, weight: change.weight }] : [];
  });
  const times = changes.map(({ time }) => time);
  const from = Math.min(...times);
  const width = (Math.max(...times) - from) / bins;
  const votes = Map.groupBy(changes, ({ time }) => (width > 0 ? Math.floor((time - from) / width) : 0));
  const weights = [...votes.values()].map((bin) => ({
    bin,
    weight: bin.reduce((sum, { weight }) => sum + weight, 0),
  }));
  const [most] = weights.toSorted((a, b) => b.weight - a.weight);
  return most
    ? (percentile(
        most.bin.map(({ time }) => time),
        0.25,
      ) ?? null)
    : null;
}

/** A sample of the series is enough to agree on a time. */
const mostSeries = 1000;
