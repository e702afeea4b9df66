/** A measurement: epoch milliseconds and a value in the series' own unit. */
export interface Point {
  at: number;
  value: number;
}

/**
 * A straight line through a series by least squares, with what is needed to say how far it can be trusted.
 * It turns around its centre (`meanAt`, `meanValue`): value(at) = meanValue + slope × (at − meanAt).
 */
export interface LinearTrend {
  points: number;
  from: number;
  to: number;
  meanAt: number;
  meanValue: number;
  /** Value per millisecond. */
  slope: number;
  /** Standard error of `slope`, widened for neighbours that resemble each other. */
  slopeError: number;
  /** Standard error of the line's height at its centre, widened likewise. */
  meanError: number;
  /** Points that are worth as much as independent ones; at most `points`. */
  effectivePoints: number;
  /** Student's t for a two-sided 95 % interval at these degrees of freedom. */
  t: number;
  /** Share of the variance that the line explains, 0 to 1; 1 for a flat line without noise. */
  rSquared: number;
}

/**
 * Least-squares line through `points`, in any order; undefined for fewer than 3 points or no span in time.
 *
 * Measurements of a machine an hour apart resemble each other, so the textbook error of the slope is far too
 * small. It is widened by the effective sample size n(1 − r)/(1 + r), r being the lag-1 autocorrelation of
 * the residuals (Santer et al. 2000, 'Statistical significance of trends and trend differences in
 * layer-average atmospheric temperature time series', J. Geophys. Res. 105, equation 6).
 */
export function fitLinearTrend(points: readonly Point[]): LinearTrend | undefined {
  const series = points.filter((point) => Number.isFinite(point.value)).toSorted((a, b) => a.at - b.at);
  const first = series[0];
  const last = series.at(-1);
  const n = series.length;
  if (n < 3 || !first || !last || first.at === last.at) return undefined;

  // times relative to the first: epoch milliseconds squared would lose the digits that matter
  const meanOffset = series.reduce((sum, point) => sum + (point.at - first.at), 0) / n;
  const meanValue = series.reduce((sum, point) => sum + point.value, 0) / n;
  let sxx = 0;
  let sxy = 0;
  let syy = 0;
  for (const point of series) {
    const dx = point.at - first.at - meanOffset;
    const dy = point.value - meanValue;
    sxx += dx * dx;
    sxy += dx * dy;
    syy += dy * dy;
  }
  const slope = sxy / sxx;
  const residuals = series.map(
    (point) => point.value - meanValue - slope * (point.at - first.at - meanOffset),
  );
  const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0);
  const effectivePoints = effectiveSampleSize(residuals, squares);
  const freedom = effectivePoints - 2;
  const variance = squares / freedom;

  return {
    points: n,
    from: first.at,
    to: last.at,
    meanAt: first.at + meanOffset,
    meanValue,
    slope,
    slopeError: Math.sqrt(variance / sxx),
    meanError: Math.sqrt(variance / effectivePoints),
    effectivePoints,
    t: studentT95(freedom),
    rSquared: syy === 0 ? 1 : Math.max(0, 1 - squares / syy),
  };
}

/** The line's value at a time, and the 95 % interval of the line (not of single measurements) around it. */
export function trendAt(trend: LinearTrend, at: number): { value: number; low: number; high: number } {
  const distance = at - trend.meanAt;
  const value = trend.meanValue + trend.slope * distance;
  const half = trend.t * Math.hypot(trend.meanError, trend.slopeError * distance);
  return { value, low: value - half, high: value + half };
}

/** The 95 % interval of the slope, per millisecond. */
export function slopeInterval(trend: LinearTrend): { low: number; high: number } {
  const half = trend.t * trend.slopeError;
  return { low: trend.slope - half, high: trend.slope + half };
}

/** At least 3, so that an error can be given at all; no more than there are points. */
function effectiveSampleSize(residuals: readonly number[], squares: number): number {
  const n = residuals.length;
  if (squares === 0) return n;
  let products = 0;
  for (let i = 1; i < n; i++) products += (residuals[i] ?? 0) * (residuals[i - 1] ?? 0);
  const r = Math.min(0.999, Math.max(0, products / squares));
  return Math.max(3, (n * (1 - r)) / (1 + r));
}

/**
 * Student's t at 0.975. Exact for 1 and 2 degrees of freedom, else the expansion of Abramowitz & Stegun
 * 26.7.5, whose error is below 0.3 % from 3 degrees on. Between 1 and 2, and 2 and 3, the lower one is taken.
 */
export function studentT95(degreesOfFreedom: number): number {
  if (degreesOfFreedom < 2) return 12.7062;
  if (degreesOfFreedom < 3) return 4.3027;
  const x = 1.959964;
  const v = degreesOfFreedom;
  const g1 = (x ** 3 + x) / 4;
  const g2 = (5 * x ** 5 + 16 * x ** 3 + 3 * x) / 96;
  const g3 = (3 * x ** 7 + 19 * x ** 5 + 17 * x ** 3 - 15 * x) / 384;
  const g4 = (79 * x ** 9 + 776 * x ** 7 + 1482 * x ** 5 - 1920 * x ** 3 - 945 * x) / 92_160;
  return x + g1 / v + g2 / v ** 2 + g3 / v ** 3 + g4 / v ** 4;
}
