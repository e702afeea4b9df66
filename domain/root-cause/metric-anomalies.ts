import { correlation, robustChange } from '../statistics/robust-change.ts';
import type { MetricEvidence, Symptom } from './evidence.ts';
import { type MetricKind, metricMeaning } from './metric-kind.ts';

/** How one metric of a service moved when the trouble began. */
export interface MetricAnomaly {
  metric: string;
  unit: string | null;
  kind: MetricKind;
  /** Before and during, in the metric's own unit. */
  usual: number;
  reached: number;
  /** Towards trouble, in robust standard deviations; 0 when it did not move that way. */
  deviation: number;
  /** With the symptom's own series around its beginning, -1 to 1; null when there is none to compare with. */
  together: number | null;
  /** 0 when nothing is wrong; grows by the logarithm of the deviation, and less when it does not move with the symptom. */
  strength: number;
}

/** All series of each service that can be compared, strongest first. Services without any are absent. */
export type MetricAnomalies = Map<string, MetricAnomaly[]>;

/**
 * Compares each series before `at` (unix seconds) with after it. Where the symptom's own series is among them, a
 * series that moved at another time counts less: a drift of last week and a deployment an hour ago also differ from
 * the usual, but do not go along with the symptom.
 */
export function metricAnomalies(
  metrics: readonly MetricEvidence[],
  at: number,
  symptom: Symptom | undefined,
): MetricAnomalies {
  const parts = metrics.map((series) => ({ series, ...split(series.points, at) }));
  const longest = parts.reduce((most, { before }) => Math.max(most, before.length), 0);
  const enough = Math.max(fewPoints, longest / 5);
  const anomalies = parts.map(({ series, before, during }) => anomalyOf(series, before, during, enough));
  const reference = referenceIndex(metrics, anomalies, symptom);
  const beat = reference === null ? undefined : beatOf(parts[reference]);
  const found: MetricAnomalies = new Map();
  for (const [i, part] of parts.entries()) {
    const anomaly = anomalies[i];
    if (!anomaly) continue;
    const together = beat ? togetherness(beat, part, directionOf(anomaly)) : null;
    const strength = Math.log1p(anomaly.deviation / 3) * shareOf(together);
    const list = found.get(part.series.service) ?? [];
    list.push({ ...anomaly, together, strength });
    found.set(part.series.service, list);
  }
  for (const list of found.values()) list.sort((a, b) => b.strength - a.strength);
  return found;
}

type Point = readonly [unixSeconds: number, value: number];

interface Parts {
  before: Point[];
  during: Point[];
}

/**
 * A long pause ends `during`: what was measured days later tells of other days. It then stands in for the past
 * where hardly any past was given.
 */
function split(points: MetricEvidence['points'], at: number): Parts {
  const finite = points.filter(([time, value]) => Number.isFinite(time) && Number.isFinite(value));
  const sorted = inOrder(finite) ? finite : finite.toSorted((a, b) => a[0] - b[0]);
  const start = sorted.findIndex(([time]) => time >= at);
  if (start === -1) return { before: sorted, during: [] };
  const before = sorted.slice(0, start);
  let end = start + 1;
  while (end < sorted.length && (sorted[end]?.[0] ?? 0) - (sorted[end - 1]?.[0] ?? 0) < pauseSeconds) end++;
  const later = sorted.slice(end);
  return {
    before: before.length < fewPoints ? [...later, ...before] : before,
    during: sorted.slice(start, end),
  };
}

const pauseSeconds = 86_400;
const fewPoints = 10;

function inOrder(points: readonly Point[]): boolean {
  for (let i = 1; i < points.length; i++) {
    if ((points[i]?.[0] ?? 0) < (points[i - 1]?.[0] ?? 0)) return false;
  }
  return true;
}

type Compared = Omit<MetricAnomaly, 'together' | 'strength'>;

/** With fewer than `enough` points before, nobody knows what is usual: then it counts less. */
function anomalyOf(
  series: MetricEvidence,
  before: Point[],
  during: Point[],
  enough: number,
): Compared | undefined {
  const { kind, bad } = metricMeaning(series.metric, series.unit);
  const change = robustChange(settled(before).map(reading), during.map(reading), bad);
  if (!change) return undefined;
  return {
    metric: series.metric,
    unit: series.unit ?? null,
    kind,
    usual: change.usual,
    reached: change.reached,
    deviation: Math.abs(change.deviation) * Math.min(1, before.length / enough),
  };
}

/** Alarms come late: what was measured shortly before may be of the trouble already. */
function settled(before: Point[]): Point[] {
  return before.slice(0, before.length - Math.min(10, before.length >> 3));
}

const reading = ([, value]: Point): number => value;
const directionOf = ({ usual, reached }: Compared): 1 | -1 => (reached < usual ? -1 : 1);

/** The symptom's series: the one that is named, else the one of the same kind that moved furthest. */
function referenceIndex(
  metrics: readonly MetricEvidence[],
  anomalies: readonly (Compared | undefined)[],
  symptom: Symptom | undefined,
): number | null {
  if (!symptom) return null;
  const kind = symptom.metric === undefined ? null : metricMeaning(symptom.metric).kind;
  let best: { index: number; weight: number } | null = null;
  for (const [index, series] of metrics.entries()) {
    const anomaly = anomalies[index];
    if (series.service !== symptom.service || !anomaly) continue;
    if (kind !== null && anomaly.kind !== kind) continue;
    const weight = anomaly.deviation + (series.metric === symptom.metric ? 1000 : 0);
    if (anomaly.deviation > 0 && (!best || weight > best.weight)) best = { index, weight };
  }
  return best?.index ?? null;
}

/** The symptom around its beginning, turned so that up is bad, by steps of its own sampling. */
interface Beat {
  from: number;
  to: number;
  step: number;
  values: Map<number, number>;
}

function beatOf(parts: (Parts & { series: MetricEvidence }) | undefined): Beat | undefined {
  if (!parts || parts.during.length === 0) return undefined;
  const { before, during, series } = parts;
  const lead = Math.max(3, Math.min(during.length, mostSamples));
  const window = [...before.slice(-lead), ...during.slice(0, mostSamples)];
  const step = medianStep(window);
  // what stands in for the past may be later than the trouble
  const times = window.map(([time]) => time);
  const from = Math.min(...times);
  const { bad } = metricMeaning(series.metric, series.unit);
  const sign = bad === -1 ? -1 : 1;
  return {
    from,
    to: Math.max(...times),
    step,
    values: new Map(window.map(([time, value]) => [Math.round((time - from) / step), sign * value])),
  };
}

const mostSamples = 120;

function medianStep(points: readonly Point[]): number {
  const steps = points.slice(1).map(([time], i) => time - (points[i]?.[0] ?? time));
  return Math.max(1, steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? 1);
}

function togetherness(beat: Beat, { before, during }: Parts, direction: 1 | -1): number {
  const mine: number[] = [];
  const theirs: number[] = [];
  for (const points of [before, during]) {
    for (const [time, value] of points) {
      if (time < beat.from - beat.step / 2 || time > beat.to + beat.step / 2) continue;
      const other = beat.values.get(Math.round((time - beat.from) / beat.step));
      if (other === undefined) continue;
      mine.push(direction * value);
      theirs.push(other);
    }
  }
  return correlation(mine, theirs);
}

function shareOf(together: number | null): number {
  return together === null ? 1 : 0.15 + 0.85 * Math.max(0, (together - 0.2) / 0.8);
}
