import { fitLinearTrend, type LinearTrend, type Point, trendAt } from './linear-trend.ts';

/**
 * When a growing series comes to a threshold:
 * - `reached`: its latest value is there already
 * - `forecast`: the line comes there at `at`; `latest` is null where the data also allow 'never'
 * - `never`: the line does not rise
 * All times are epoch milliseconds and none lies before `now`.
 */
export type Crossing =
  | { threshold: number; state: 'reached' }
  | { threshold: number; state: 'forecast'; at: number; earliest: number; latest: number | null }
  | { threshold: number; state: 'never' };

/** The crossings of `thresholds` by the series' linear trend; undefined where no line can be laid. */
export function timeToThreshold(
  series: readonly Point[],
  thresholds: readonly number[],
  now: number,
): Crossing[] | undefined {
  const trend = fitLinearTrend(series);
  if (!trend) return undefined;
  const current = series.reduce((latest, point) => (point.at >= latest.at ? point : latest));
  return thresholds.map((threshold) => crossing(trend, current.value, threshold, now));
}

/**
 * The interval is where the 95 % band of the line crosses the threshold: Fieller's theorem, as in Draper &
 * Smith, 'Applied Regression Analysis', section 3.2 (inverse regression).
 */
export function crossing(trend: LinearTrend, current: number, threshold: number, now: number): Crossing {
  if (current >= threshold) return { threshold, state: 'reached' };
  if (!(trend.slope > 0)) return { threshold, state: 'never' };
  const distance = threshold - trend.meanValue;
  const at = Math.max(now, trend.meanAt + distance / trend.slope);
  // (slope·u − distance)² = t²·(meanError² + slopeError²·u²), u being the time from the line's centre
  const slopeHalf = trend.t * trend.slopeError;
  const meanHalf = trend.t * trend.meanError;
  const a = trend.slope ** 2 - slopeHalf ** 2;
  const discriminant = Math.sqrt(Math.max(0, slopeHalf ** 2 * distance ** 2 + a * meanHalf ** 2));
  const root = (sign: 1 | -1) => trend.meanAt + (trend.slope * distance + sign * discriminant) / a;
  if (!(a > 0)) {
    // the data allow a line that never rises: the band's upper edge still says how early it could be
    return {
      threshold,
      state: 'forecast',
      at,
      earliest: earliestOfBand(trend, threshold, now, at),
      latest: null,
    };
  }
  return {
    threshold,
    state: 'forecast',
    at,
    earliest: Math.max(now, Math.min(at, root(-1))),
    latest: Math.max(at, root(1)),
  };
}

/** When the band's upper edge first reaches the threshold between `now` and `at`; it rises all the way. */
function earliestOfBand(trend: LinearTrend, threshold: number, now: number, at: number): number {
  let low = now;
  let high = at;
  if (trendAt(trend, low).high >= threshold) return low;
  for (let i = 0; i < 60 && high - low > 1000; i++) {
    const middle = (low + high) / 2;
    if (trendAt(trend, middle).high >= threshold) high = middle;
    else low = middle;
  }
  return high;
}
