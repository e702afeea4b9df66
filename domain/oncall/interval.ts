/** Epoch milliseconds, half-open: at `to` it is over. */
export interface Interval {
  from: number;
  to: number;
}

/** In the order of time; those that overlap or touch become one. */
export function union(intervals: readonly Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** The part of `whole` that lies in [from, to), with all else that it says; undefined: nothing does. */
export function within<T extends Interval>(whole: T, from: number, to: number): T | undefined {
  const [start, end] = [Math.max(whole.from, from), Math.min(whole.to, to)];
  return start < end ? { ...whole, from: start, to: end } : undefined;
}

/**
 * Each of `parts` without what lies in `covered` (in the order of time, none overlapping, as `union` gives them); what
 * is left keeps all else that the part says.
 */
export function subtract<T extends Interval>(parts: readonly T[], covered: readonly Interval[]): T[] {
  return parts.flatMap((part) => {
    const left: T[] = [];
    let from = part.from;
    for (let i = firstEndingAfter(covered, part.from); i < covered.length; i++) {
      const cover = covered[i];
      if (cover === undefined || cover.from >= part.to) break;
      if (cover.from > from) left.push({ ...part, from, to: cover.from });
      from = Math.max(from, cover.to);
    }
    if (from < part.to) left.push(from === part.from ? part : { ...part, from });
    return left;
  });
}

/** Each of `parts` where it lies in `covered` (as `union` gives them), cut to it. */
export function intersect<T extends Interval>(parts: readonly T[], covered: readonly Interval[]): T[] {
  return parts.flatMap((part) => {
    const inside: T[] = [];
    for (let i = firstEndingAfter(covered, part.from); i < covered.length; i++) {
      const cover = covered[i];
      if (cover === undefined || cover.from >= part.to) break;
      const piece = within(part, cover.from, cover.to);
      if (piece) inside.push(piece);
    }
    return inside;
  });
}

/** Index of the first of `sorted` that ends after `at`; its length where none does. */
function firstEndingAfter(sorted: readonly Interval[], at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { to } = sorted[middle] as Interval;
    if (to > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
