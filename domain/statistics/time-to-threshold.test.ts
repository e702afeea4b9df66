import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeToThreshold } from './time-to-threshold.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2026-11-09T00:00:00Z');
const now = start + 7 * day;

const hourly = (value: (hours: number) => number) =>
  Array.from({ length: 168 }, (_, i) => ({ at: start + i * hour, value: value(i) }));
const wobble = (i: number) => Math.sin(i * 2.1) * 0.01;

describe('timeToThreshold', () => {
  it('says nothing where no line can be laid', () => {
    expect(timeToThreshold([{ at: now, value: 0.5 }], [0.8], now)).toBeUndefined();
  });

  it('finds when a disk that grows by 2 % a day is full', () => {
    const [eighty, ninety, full] = timeToThreshold(
      hourly((i) => 0.6 + (0.02 * i) / 24),
      [0.8, 0.9, 1],
      now,
    )!;
    for (const [crossing, days] of [
      [eighty, 10],
      [ninety, 15],
      [full, 20],
    ] as const) {
      expect(crossing).toMatchObject({ state: 'forecast' });
      if (crossing?.state === 'forecast') expect((crossing.at - start) / day).toBeCloseTo(days, 1);
    }
  });

  it('names what is reached already, and what never will be', () => {
    const growing = timeToThreshold(
      hourly((i) => 0.83 + i / 10_000),
      [0.8, 0.9],
      now,
    )!;
    expect(growing.map((crossing) => crossing.state)).toEqual(['reached', 'forecast']);
    const shrinking = timeToThreshold(
      hourly((i) => 0.7 - i / 1000),
      [0.8, 1],
      now,
    )!;
    expect(shrinking.map((crossing) => crossing.state)).toEqual(['never', 'never']);
    const flat = timeToThreshold(
      hourly(() => 0.5),
      [0.8],
      now,
    )!;
    expect(flat[0]!.state).toBe('never');
  });

  it('leaves the latest time open where the data also allow that it never comes', () => {
    const [crossing] = timeToThreshold(
      hourly((i) => 0.5 - Math.sin(i / 9) * 0.1),
      [0.8],
      now,
    )!;
    if (crossing?.state !== 'forecast') throw new Error('a forecast was expected');
    expect(crossing.latest).toBeNull();
    expect(crossing.earliest).toBeLessThan(crossing.at);
  });

  it('orders now ≤ earliest ≤ at ≤ latest, and higher thresholds later, whatever the series', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.7, noNaN: true }),
        fc.double({ min: -0.05, max: 0.05, noNaN: true }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (height, perDay, loudness) => {
          const series = hourly((i) => height + (perDay * i) / 24 + wobble(i) * loudness);
          const crossings = timeToThreshold(series, [0.8, 0.9, 1], now)!;
          let previous = now;
          for (const crossing of crossings) {
            if (crossing.state !== 'forecast') continue;
            expect(crossing.earliest).toBeGreaterThanOrEqual(now);
            expect(crossing.earliest).toBeLessThanOrEqual(crossing.at);
            expect(crossing.latest ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(crossing.at);
            expect(crossing.at).toBeGreaterThanOrEqual(previous);
            previous = crossing.at;
          }
        },
      ),
    );
  });
});
