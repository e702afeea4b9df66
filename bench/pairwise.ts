export interface PairwiseScore {
  precision: number;
  recall: number;
  f1: number;
}

/**
 * Of two alerts in one group how many belong to one outage, and the other way round; all shares, 1 where there are none.
 * @param groups indices of alerts
 */
export function pairwise(alerts: readonly { outage: number }[], groups: readonly number[][]): PairwiseScore {
  const { predicted, actual, both } = countPairs(alerts, groups);
  const precision = predicted === 0 ? 1 : both / predicted;
  const recall = actual === 0 ? 1 : both / actual;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1 };
}

function countPairs(
  alerts: readonly { outage: number }[],
  groups: readonly number[][],
): { predicted: number; actual: number; both: number } {
  const pairs = (count: number) => (count * (count - 1)) / 2;
  const outageSizes = (indices: number[]) => {
    const sizes = new Map<number, number>();
    for (const index of indices) {
      const outage = alerts[index]?.outage ?? 0;
      sizes.set(outage, (sizes.get(outage) ?? 0) + 1);
    }
    return [...sizes.values()];
  };
  const sum = (counts: number[]) => counts.reduce((total, count) => total + pairs(count), 0);
  return {
    predicted: sum(groups.map(({ length }) => length)),
    actual: sum(outageSizes(alerts.map((_, index) => index))),
    both: sum(groups.flatMap(outageSizes)),
  };
}
