/** One line of a benchmark's output. `ratio` is value / baseline, of paired runs. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  baseline?: number;
  ratio?: number;
}

/** Prints a figure as a JSON line. */
export function printFigure(figure: Figure): void {
  const { name, value, unit, baseline, ratio } = figure;
  const rounded = (number: number | undefined): number | undefined =>
    number === undefined ? undefined : Number(number.toPrecision(4));
  console.log(
    JSON.stringify({ name, value: rounded(value), unit, baseline: rounded(baseline), ratio: rounded(ratio) }),
  );
}

/** By the nearest rank: of 100 samples, the 99th percentile is the 99th smallest. Throws without samples. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const sample = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (sample === undefined) throw new Error('there are no samples');
  return sample;
}

export const median = (samples: readonly number[]): number => percentile(samples, 50);

/** The product and its baseline, measured one right after the other. */
export interface Pair {
  value: number;
  baseline: number;
}

/** The medians of both, and of their ratio pair by pair: what else the machine does weighs on both alike. */
export function mediansOf(pairs: readonly Pair[]): Required<Pick<Figure, 'value' | 'baseline' | 'ratio'>> {
  return {
    value: median(pairs.map(({ value }) => value)),
    baseline: median(pairs.map(({ baseline }) => baseline)),
    ratio: median(pairs.map(({ value, baseline }) => value / baseline)),
  };
}

/** For the reader of a run, not for its figures: goes to stderr. */
export function note(text: string): void {
  console.error(`# ${text}`);
}
