import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mean, median, percentile } from './summary.ts';

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('mean and percentiles', () => {
  it('says nothing about no values', () => {
    expect([mean([]), median([]), percentile([], 0.9)]).toEqual([undefined, undefined, undefined]);
  });

  it('interpolates as percentile_cont does', () => {
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(percentile([10, 20, 30, 40, 50], 0.95)).toBeCloseTo(48);
    expect(median([3, 1, 2])).toBe(2);
  });

  it('refuses a share outside 0 to 1', () => {
    expect(() => percentile([1], 95)).toThrow(RangeError);
  });

  it('lies between the extremes, rises with the share and ignores the order', () => {
    fc.assert(
      fc.property(
        values,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, p, q) => {
          const low = percentile(list, Math.min(p, q))!;
          const high = percentile(list, Math.max(p, q))!;
          // neighbours that are equal but for rounding
          expect(low).toBeLessThanOrEqual(high + 1e-6);
          expect(low).toBeGreaterThanOrEqual(Math.min(...list) - 1e-6);
          expect(high).toBeLessThanOrEqual(Math.max(...list) + 1e-6);
          expect(percentile([...list].reverse(), p)).toBe(percentile(list, p));
        },
      ),
    );
  });
});
