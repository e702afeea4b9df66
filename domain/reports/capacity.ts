import { oneLine } from '../markup.ts';
import {
  fitLinearTrend,
  type LinearTrend,
  type Point,
  slopeInterval,
  trendAt,
} from '../statistics/linear-trend.ts';
import { mean, percentile } from '../statistics/summary.ts';
import { type Crossing, crossing } from '../statistics/time-to-threshold.ts';

export const resources = ['disk', 'memory', 'cpu'] as const;
export type Resource = (typeof resources)[number];

/** Use of one resource of one instance over time, as a share of its capacity: 0 to 1. */
export interface ResourceSeries {
  instance: string;
  resource: Resource;
  /** Which of them, for a disk its mount point; '' where an instance has one. */
  part: string;
  points: Point[];
}

export const thresholds = [0.8, 0.9, 1] as const;

/** Shorter than this is a daily rhythm, not a trend. */
export const leastSpanMs = 48 * 3_600_000;
export const leastPoints = 24;
/** Slower than this, in share of capacity per day, is standing still, however surely: a year for 3.6 %. */
export const leastGrowthPerDay = 0.0001;
/** Nothing is forecast beyond this many milliseconds: a line through two weeks says nothing of next year. */
export const horizonMs = 365 * 86_400_000;

/**
 * - `too_few_points`: under 24 points or under 48 hours of them
 * - `growing`, `shrinking`: the 95 % interval of the slope lies on one side of zero
 * - `unclear`: it rises by more than nothing, but the interval includes zero
 * - `steady`: none of these
 */
export type CapacityState = 'too_few_points' | 'growing' | 'shrinking' | 'unclear' | 'steady';

export interface CapacityRow {
  instance: string;
  resource: Resource;
  part: string;
  /** The latest value, 0 to 1. */
  current: number;
  mean: number;
  /** The value below which 95 % of the measurements lie. */
  p95: number;
  state: CapacityState;
  points: number;
  spanMs: number;
  /** Share of capacity per day, with its 95 % interval; null with too few points. */
  growthPerDay: { value: number; low: number; high: number } | null;
  /** One per threshold; forecasts only where the state is `growing`. Times are epoch milliseconds. */
  crossings: Crossing[];
  confidence: 'high' | 'medium' | 'low' | 'none';
  /** The state and, where it grows, what follows from it, in words. */
  verdict: string;
  series: Point[];
  /** The line and its 95 % band at the series' first point, at now and at the forecast's end. */
  line: { at: number; value: number; low: number; high: number }[];
}

export interface CapacityReport {
  sentence: string;
  rows: CapacityRow[];
  instances: number;
  /** Rows that grow to 90 % within the month, or are there. */
  urgent: number;
}

/** What is full soonest stands first. Series without points are left out. */
export function capacityReport(series: readonly ResourceSeries[], now: number): CapacityReport {
  const rows = series
    .map((one) => capacityRow(one, now))
    .filter((row) => row !== undefined)
    .sort((a, b) => urgency(a, now) - urgency(b, now) || b.current - a.current);
  const urgent = rows.filter((row) => isUrgent(row, now));
  return {
    rows,
    instances: new Set(rows.map((row) => row.instance)).size,
    urgent: urgent.length,
    sentence: sentenceOf(rows, urgent, now),
  };
}

export function capacityRow(series: ResourceSeries, now: number): CapacityRow | undefined {
  const points = series.points
    .filter((point) => Number.isFinite(point.value))
    .toSorted((a, b) => a.at - b.at);
  const values = points.map((point) => point.value);
  const first = points[0];
  const last = points.at(-1);
  const average = mean(values);
  const p95 = percentile(values, 0.95);
  if (!first || !last || average === undefined || p95 === undefined) return undefined;

  const spanMs = last.at - first.at;
  const trend = points.length >= leastPoints && spanMs >= leastSpanMs ? fitLinearTrend(points) : undefined;
  const state = trend ? stateOf(trend) : 'too_few_points';
  const crossings = thresholds.map((threshold): Crossing => {
    if (last.value >= threshold) return { threshold, state: 'reached' };
    return trend && state === 'growing'
      ? crossing(trend, last.value, threshold, now)
      : { threshold, state: 'never' };
  });
  const confidence = trend && state === 'growing' ? confidenceOf(trend, crossings, now) : 'none';
  const perDay = trend && slopeInterval(trend);
  return {
    instance: series.instance,
    resource: series.resource,
    part: series.part,
    current: last.value,
    mean: average,
    p95,
    state,
    points: points.length,
    spanMs,
    growthPerDay:
      trend && perDay
        ? { value: trend.slope * dayMs, low: perDay.low * dayMs, high: perDay.high * dayMs }
        : null,
    crossings,
    confidence,
    verdict: verdictOf(state, crossings, confidence, points.length, spanMs, now),
    series: points,
    line: trend ? lineOf(trend, state, first.at, now) : [],
  };
}

const dayMs = 86_400_000;

function stateOf(trend: LinearTrend): CapacityState {
  const { low, high } = slopeInterval(trend);
  const least = leastGrowthPerDay / dayMs;
  if (low > 0 && trend.slope >= least) return 'growing';
  if (high < 0 && trend.slope <= -least) return 'shrinking';
  return trend.slope >= 10 * least ? 'unclear' : 'steady';
}

/**
 * From the width of the growth's 95 % interval: within a tenth of it high, within a third medium, else low;
 * one step lower where the next threshold is further away than four times the history is long.
 */
function confidenceOf(
  trend: LinearTrend,
  crossings: readonly Crossing[],
  now: number,
): 'high' | 'medium' | 'low' {
  const width = (trend.t * trend.slopeError) / trend.slope;
  const grades = ['high', 'medium', 'low'] as const;
  const next = crossings.find((one) => one.state === 'forecast');
  const far = next !== undefined && next.at - now > 4 * (trend.to - trend.from);
  const grade = (width <= 0.1 ? 0 : width <= 1 / 3 ? 1 : 2) + (far ? 1 : 0);
  return grades[Math.min(grade, 2)] ?? 'low';
}

function verdictOf(
  state: CapacityState,
  crossings: readonly Crossing[],
  confidence: CapacityRow['confidence'],
  points: number,
  spanMs: number,
  now: number,
): string {
  switch (state) {
    case 'too_few_points':
      return `too few points: ${points} over ${formatDays(spanMs)}; a trend needs ${leastPoints} over 2 days`;
    case 'shrinking':
      return 'not growing: it shrinks';
    case 'steady':
      return 'not growing';
    case 'unclear':
      return 'no clear growth: it varies more than it grows';
    case 'growing':
      return growingVerdict(crossings, confidence, now);
  }
}

/** Each threshold that is still to come and when, with the interval of the last. */
function growingVerdict(
  crossings: readonly Crossing[],
  confidence: CapacityRow['confidence'],
  now: number,
): string {
  const ahead = crossings.filter((one) => one.state === 'forecast');
  const next = ahead[0];
  if (!next) return 'full';
  const near = ahead.filter((one) => one.at - now <= horizonMs);
  const last = near.at(-1);
  if (!last) return `grows slowly: ${formatThreshold(next)} is more than a year away`;
  const times = near.map((one) => `${formatThreshold(one)} ${formatAhead(one.at - now)}`);
  return `${times.join(', ')} (${formatInterval(last, now)}), ${confidence} confidence`;
}

const formatThreshold = ({ threshold }: Crossing): string => `${Math.round(threshold * 100)} %`;

/** 'between 3 and 5 days' of a forecast's interval, seen from `now`. */
export function formatInterval(forecast: Extract<Crossing, { state: 'forecast' }>, now: number): string {
  const earliest = formatDays(forecast.earliest - now);
  if (forecast.latest === null || forecast.latest - now > horizonMs) return `${earliest} at the earliest`;
  const latest = formatDays(forecast.latest - now);
  if (earliest === latest) return 'give or take less than a day';
  const [, unit] = latest.split(' ');
  // 'between 3 and 5 days', not 'between 3 days and 5 days'
  return earliest.endsWith(` ${unit}`)
    ? `between ${earliest.split(' ')[0]} and ${latest}`
    : `between ${earliest} and ${latest}`;
}

/** 'now', 'in 5 hours', 'in 12 days', 'in 7 weeks', 'in more than a year'. */
export function formatAhead(ms: number): string {
  if (ms > horizonMs) return 'in more than a year';
  if (ms < 3_600_000) return 'now';
  return `in ${formatDays(ms)}`;
}

function formatDays(ms: number): string {
  const hours = Math.round(ms / 3_600_000);
  if (hours < 48) return hours === 1 ? '1 hour' : `${hours} hours`;
  const days = Math.round(ms / dayMs);
  return days < 60 ? `${days} days` : `${Math.round(days / 7)} weeks`;
}

/** Epoch milliseconds when `threshold` comes: now where it is reached, infinity where it never does. */
export function arrival(row: CapacityRow, threshold: number, now: number): number {
  const found = row.crossings.find((one) => one.threshold === threshold);
  if (!found || found.state === 'never') return Number.POSITIVE_INFINITY;
  return found.state === 'reached' ? now : found.at;
}

/** CPU at 100 % is slow, a full disk is an outage: a busy processor alone is not urgent. */
function isUrgent(row: CapacityRow, now: number): boolean {
  if (row.resource === 'cpu') return false;
  return arrival(row, 0.9, now) - now <= 30 * dayMs;
}

function urgency(row: CapacityRow, now: number): number {
  const ninety = arrival(row, 0.9, now);
  // what stands at 90 % without growing comes after what is full within two weeks
  const soonest = Math.min(arrival(row, 1, now), Math.max(ninety, now + 14 * dayMs));
  // beyond the horizon the forecast says nothing: there the fuller one stands first
  const known = soonest - now <= horizonMs ? soonest : now + horizonMs;
  return row.resource === 'cpu' ? known + horizonMs : known;
}

function sentenceOf(rows: readonly CapacityRow[], urgent: readonly CapacityRow[], now: number): string {
  if (rows.length === 0) return 'There is nothing to report: no instance sent a measurement.';
  const worst = urgent[0];
  if (!worst) return 'Nothing comes to 90 % of its disk or memory within 30 days.';
  const others = urgent.length - 1;
  const rest =
    others === 0
      ? ''
      : ` ${others} more ${others === 1 ? 'is at 90 % or comes' : 'are at 90 % or come'} there within 30 days.`;
  const ninety = arrival(worst, 0.9, now);
  const what = `${oneLine(nameOf(worst), 120)} is at ${Math.round(worst.current * 100)} %`;
  const full = worst.crossings.find((one) => one.threshold === 1);
  if (full?.state === 'forecast' && full.at - now <= horizonMs) {
    return `${what} and full ${formatAhead(full.at - now)}.${rest}`;
  }
  return ninety <= now ? `${what}.${rest}` : `${what} and at 90 % ${formatAhead(ninety - now)}.${rest}`;
}

/** '+1.52 %' of the capacity. */
export function formatGrowth(perDay: number): string {
  const value = perDay * 100;
  const digits = Math.abs(value) >= 10 ? 0 : Math.abs(value) >= 1 ? 1 : 2;
  return `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(digits)} %`;
}

/** '/data on db-1', 'memory of db-1', 'CPU of db-1'. */
export function nameOf(row: { instance: string; resource: Resource; part: string }): string {
  if (row.resource === 'disk') return `${row.part} on ${row.instance}`;
  return `${row.resource === 'cpu' ? 'CPU' : 'memory'} of ${row.instance}`;
}

function lineOf(trend: LinearTrend, state: CapacityState, from: number, now: number): CapacityRow['line'] {
  const full =
    trend.slope > 0 ? trend.meanAt + (1 - trend.meanValue) / trend.slope : Number.POSITIVE_INFINITY;
  // as far ahead as the history reaches back, less where it is full before
  const end = state === 'growing' ? Math.min(now + (now - from), Math.max(now + dayMs, full)) : now;
  const steps =
    end > now ? [from, now, ...[0.25, 0.5, 0.75, 1].map((part) => now + part * (end - now))] : [from, now];
  return steps.map((at) => ({ at, ...trendAt(trend, at) }));
}
