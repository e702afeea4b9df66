import { describe, expect, test } from 'vitest';
import { correlation, robustChange } from './robust-change.ts';

/** Around `level`, by the same small steps each time. */
const around = (level: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => level + ((i * 7) % 11) - 5);

describe('a robust change', () => {
  test('is measured in the usual spread, whatever the outliers of the past', () => {
    const quiet = around(100, 50);
    const change = robustChange(quiet, around(130, 5));
    expect(change?.usual).toBe(100);
    expect(change?.deviation).toBeGreaterThan(5);
    const spiked = robustChange([...around(100, 200), 100_000], around(130, 5));
    expect(spiked?.deviation).toBeGreaterThan(5);
  });

  test('is near nothing when nothing changed', () => {
    expect(Math.abs(robustChange(around(100, 50), around(100, 20))?.deviation ?? 99)).toBeLessThan(1.5);
  });

  test('has the sign of its direction, and looks only where it is told to', () => {
    expect(robustChange(around(100, 50), around(60, 5))?.deviation).toBeLessThan(-5);
    expect(robustChange(around(100, 50), around(60, 5), 1)?.deviation).toBe(0);
    expect(robustChange(around(100, 50), around(60, 5), -1)?.deviation).toBeLessThan(-5);
  });

  test('is bounded where the past never moved', () => {
    expect(robustChange([0, 0, 0, 0], [7])).toEqual({ usual: 0, reached: 7, deviation: 50 });
    expect(robustChange([100, 100, 100], [100])?.deviation).toBe(0);
  });

  test('needs values on both sides', () => {
    expect(robustChange([], [1])).toBeUndefined();
    expect(robustChange([1], [])).toBeUndefined();
  });

  test('does not take a single outlier among many for a change', () => {
    const during = around(100, 50);
    during[20] = 10_000;
    expect(robustChange(around(100, 50), during)?.deviation).toBeLessThan(2);
  });
});

test('correlation is 1 in step, -1 against it, 0 without movement or with too little to tell', () => {
  expect(correlation([1, 2, 3, 9], [10, 20, 30, 90])).toBeCloseTo(1);
  expect(correlation([1, 2, 3, 9], [-1, -2, -3, -9])).toBeCloseTo(-1);
  expect(correlation([1, 2, 3], [5, 5, 5])).toBe(0);
  expect(correlation([1, 2], [1, 2])).toBe(0);
});
