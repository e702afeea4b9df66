import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitLinearTrend, slopeInterval, studentT95, trendAt } from './linear-trend.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-01T00:00:00Z');

/** The same noise each run: a linear congruential generator through the Box–Muller transform. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 4_294_967_297;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

describe('fitLinearTrend', () => {
  it('gives no line for fewer than three points or one point in time', () => {
    expect(fitLinearTrend([])).toBeUndefined();
    expect(
      fitLinearTrend([
        { at: 1, value: 1 },
        { at: 2, value: 2 },
      ]),
    ).toBeUndefined();
    expect(fitLinearTrend([1, 2, 3].map((value) => ({ at: start, value })))).toBeUndefined();
    expect(fitLinearTrend([1, 2, Number.NaN].map((value) => ({ at: start + value, value })))).toBeUndefined();
  });

  it('finds any line that the points lie on, in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1000, max: 1000, noNaN: true }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.integer({ min: 3, max: 200 }),
        (height, perHour, n) => {
          const points = Array.from({ length: n }, (_, i) => ({
            at: start + i * hour,
            value: height + perHour * i,
          }));
          const trend = fitLinearTrend([...points].reverse())!;
          expect(trend.slope * hour).toBeCloseTo(perHour, 6);
          expect(trendAt(trend, start).value).toBeCloseTo(height, 6);
          expect(trendAt(trend, start + 1000 * hour).value).toBeCloseTo(height + 1000 * perHour, 3);
        },
      ),
    );
  });

  it('moves with the series: shifting, scaling and delaying change the line and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 60 }),
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        fc.integer({ min: 0, max: 1_000_000_000 }),
        (values, scale, delay) => {
          const base = fitLinearTrend(values.map((value, i) => ({ at: start + i * hour, value })))!;
          const moved = fitLinearTrend(
            values.map((value, i) => ({ at: start + delay + i * hour, value: value * scale + 7 })),
          )!;
          expect(moved.slope * hour).toBeCloseTo(base.slope * hour * scale, 6);
          expect(moved.slopeError * hour).toBeCloseTo(base.slopeError * hour * scale, 4);
        },
      ),
    );
  });

  it('covers the true slope about 95 times in 100 for independent noise', () => {
    const gauss = noise(7);
    let covered = 0;
    for (let run = 0; run < 400; run++) {
      const points = Array.from({ length: 40 }, (_, i) => ({
        at: start + i * hour,
        value: 0.02 * i + gauss(),
      }));
      const { low, high } = slopeInterval(fitLinearTrend(points)!);
      if (low * hour <= 0.02 && 0.02 <= high * hour) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.92);
  });

  it('is not fooled by a wandering series: neighbours that resemble each other widen the interval', () => {
    const gauss = noise(11);
    let covered = 0;
    for (let run = 0; run < 400; run++) {
      let wander = 0;
      const points = Array.from({ length: 168 }, (_, i) => {
        wander = 0.8 * wander + gauss();
        return { at: start + i * hour, value: wander };
      });
      const { low, high } = slopeInterval(fitLinearTrend(points)!);
      if (low <= 0 && high >= 0) covered++;
    }
    // the textbook error would cover zero in about half of them
    expect(covered / 400).toBeGreaterThan(0.88);
  });
});

describe('studentT95', () => {
  it('agrees with the tables', () => {
    for (const [freedom, t] of [
      [3, 3.182],
      [5, 2.571],
      [10, 2.228],
      [30, 2.042],
      [120, 1.98],
      [10_000, 1.96],
    ] as const) {
      expect(Math.abs(studentT95(freedom) / t - 1)).toBeLessThan(0.004);
    }
    expect(studentT95(1.5)).toBe(12.7062);
    expect(studentT95(2)).toBe(4.3027);
  });
});
