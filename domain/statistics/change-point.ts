/** Where a series left its usual level. */
export interface ChangePoint {
  /** Index of the first value after it; at least half of the values come before. */
  index: number;
  /** By how many standard deviations the mean of what follows is off, counting each value as independent. */
  weight: number;
}

/**
 * The point in the second half of `values` from which on they lie furthest from the level of the first half; undefined
 * for fewer than 6 values or a first half that never moves and a second one that does not either. Cumulative sums as
 * of Page (1954, 'Continuous inspection schemes'), of values in robust standard deviations, none of which counts more
 * than 5, so that one outlier is not a change.
 */
export function changePoint(values: readonly number[]): ChangePoint | undefined {
  const n = values.length;
  if (n < 6) return undefined;
  const half = Math.ceil(n / 2);
  const past = Float64Array.from(values.slice(0, half)).sort();
  const usual = past[half >> 1] ?? 0;
  const distances = past.map((value) => Math.abs(value - usual)).sort();
  const spread = Math.max(1.4826 * (distances[half >> 1] ?? 0), Math.abs(usual) / 100);
  let sum = 0;
  let best: ChangePoint | undefined;
  for (let index = n - 1; index >= half; index--) {
    const move = (values[index] ?? 0) - usual;
    if (move !== 0) sum += Math.max(-5, Math.min(5, spread > 0 ? move / spread : Math.sign(move) * 5));
    const weight = Math.abs(sum) / Math.sqrt(n - index);
    if (weight > (best?.weight ?? 0)) best = { index, weight };
  }
  return best;
}
