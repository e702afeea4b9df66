/** How far a series moved from what it used to be, in units of its own usual spread. */
export interface RobustChange {
  /** The median before. */
  usual: number;
  /** What it reached in the direction in which it moved further: its 80th or 20th percentile during. */
  reached: number;
  /** Positive upwards; in robust standard deviations of that direction; -50 to 50. */
  deviation: number;
}

/**
 * Compares `during` with `before`; undefined where either has no values.
 *
 * Median and MAD, as a mean and a standard deviation would be carried off by the outliers of an ordinary day
 * (Rousseeuw & Croux 1993). Metrics have heavy tails to one side, so the spread of a direction is at least what
 * its own 1 % tail says. A series that never moved has no spread: a hundredth of its level stands in for one.
 *
 * The 80th percentile during, not the maximum: two seconds of a thousand prove nothing, one reading of three does.
 * `bad` looks in one direction only: 1 up, -1 down, 0 in the one in which it moved further.
 */
export function robustChange(
  before: readonly number[],
  during: readonly number[],
  bad: 1 | -1 | 0 = 0,
): RobustChange | undefined {
  if (before.length === 0 || during.length === 0) return undefined;
  const past = Float64Array.from(before).sort();
  const present = Float64Array.from(during).sort();
  const usual = quantile(past, 0.5);
  const spread = 1.4826 * quantile(past.map((value) => Math.abs(value - usual)).sort(), 0.5);
  const high = quantile(present, 0.8);
  const low = quantile(present, 0.2);
  const up = deviationOf(high - usual, spread, quantile(past, 0.99) - usual, usual);
  const down = deviationOf(usual - low, spread, usual - quantile(past, 0.01), usual);
  return bad === 1 || (bad === 0 && up >= down)
    ? { usual, reached: high, deviation: up }
    : { usual, reached: low, deviation: -down };
}

function deviationOf(move: number, spread: number, tail: number, usual: number): number {
  if (move <= 0) return 0;
  // 2.33 standard deviations hold 99 % of a normal distribution
  const usualMove = Math.max(spread, tail / 2.33, Math.abs(usual) / 100);
  return usualMove > 0 ? Math.min(furthest, move / usualMove) : furthest;
}

/** Beyond, everything is equally impossible. */
const furthest = 50;

/** Of sorted values, interpolated between neighbours. */
function quantile(sorted: Float64Array, p: number): number {
  const position = p * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}

/** Pearson's r of two series of the same length; 0 where either does not move or they have fewer than 3 values. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const n = Math.min(a.length, b.length);
  if (n < 3) return 0;
  let sumA = 0;
  let sumB = 0;
  for (let i = 0; i < n; i++) {
    sumA += a[i] ?? 0;
    sumB += b[i] ?? 0;
  }
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < n; i++) {
    const da = (a[i] ?? 0) - sumA / n;
    const db = (b[i] ?? 0) - sumB / n;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
