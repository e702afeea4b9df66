import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capacityReport, capacityRow, type ResourceSeries } from './capacity.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.parse('2026-11-16T08:00:00Z');

function series(
  value: (hours: number) => number,
  options: Partial<ResourceSeries> & { hours?: number } = {},
) {
  const hours = options.hours ?? 168;
  return {
    instance: 'db-1',
    resource: 'disk',
    part: '/data',
    points: Array.from({ length: hours }, (_, i) => ({ at: now - (hours - 1 - i) * hour, value: value(i) })),
    ...options,
  } satisfies ResourceSeries;
}
const rhythm = (i: number) => 0.05 * Math.sin((2 * Math.PI * i) / 24);

describe('capacityRow', () => {
  it('forecasts a disk that grows by 1.5 % a day', () => {
    const row = capacityRow(
      series((i) => 0.6 + (0.015 * i) / 24 + 0.002 * Math.sin(i * 1.7)),
      now,
    )!;
    expect(row.state).toBe('growing');
    expect(row.growthPerDay!.value).toBeCloseTo(0.015, 3);
    expect(row.confidence).toBe('high');
    const full = row.crossings.find((crossing) => crossing.threshold === 1)!;
    if (full.state !== 'forecast') throw new Error('a forecast was expected');
    expect((full.at - now) / day).toBeCloseTo(0.2956 / 0.015, 0);
    expect(row.verdict).toMatch(
      /^80 % in 6 days, 90 % in 13 days, 100 % in 20 days \(.*\), high confidence$/,
    );
  });

  it('takes a daily rhythm for what it is', () => {
    const row = capacityRow(
      series((i) => 0.5 + rhythm(i), { resource: 'cpu', part: '' }),
      now,
    )!;
    expect(['steady', 'unclear']).toContain(row.state);
    expect(row.crossings.every((crossing) => crossing.state === 'never')).toBe(true);
  });

  it('says so when there are too few points, and still shows what is', () => {
    const row = capacityRow(
      series((i) => 0.9 + i / 100, { hours: 5 }),
      now,
    )!;
    expect(row).toMatchObject({ state: 'too_few_points', growthPerDay: null, confidence: 'none', line: [] });
    expect(row.current).toBeCloseTo(0.94);
    expect(row.crossings.map((crossing) => crossing.state)).toEqual(['reached', 'reached', 'never']);
    expect(row.verdict).toBe('too few points: 5 over 4 hours; a trend needs 24 over 2 days');
  });

  it('says not growing for flat and shrinking ones', () => {
    expect(
      capacityRow(
        series(() => 0.4),
        now,
      )!.verdict,
    ).toBe('not growing');
    expect(
      capacityRow(
        series((i) => 0.9 - i / 1000),
        now,
      )!.verdict,
    ).toBe('not growing: it shrinks');
  });

  it('does not tell the far future', () => {
    expect(
      capacityRow(
        series((i) => 0.2 + (0.0005 * i) / 24),
        now,
      )!.verdict,
    ).toBe('grows slowly: 80 % is more than a year away');
  });

  it('lowers its confidence for what lies far beyond the history', () => {
    const row = capacityRow(
      series((i) => 0.2 + (0.01 * i) / 24),
      now,
    )!;
    expect(row.confidence).toBe('medium');
  });

  it('leaves out a series without a number', () => {
    expect(
      capacityRow(
        series(() => Number.NaN),
        now,
      ),
    ).toBeUndefined();
  });

  it('holds together for any series', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (values) => {
          const row = capacityRow(
            series((i) => values[i] ?? 0, { hours: values.length }),
            now,
          )!;
          expect(row.crossings).toHaveLength(3);
          if (row.state !== 'growing') {
            expect(row.crossings.some((crossing) => crossing.state === 'forecast')).toBe(false);
            expect(row.confidence).toBe('none');
          } else {
            expect(row.growthPerDay!.low).toBeGreaterThan(0);
          }
          expect(row.verdict).not.toMatch(/NaN|Infinity|undefined/);
          for (const point of row.line) expect(point.low).toBeLessThanOrEqual(point.high);
        },
      ),
    );
  });
});

describe('capacityReport', () => {
  it('puts what is full soonest first, and says it in a sentence', () => {
    const report = capacityReport(
      [
        series((i) => 0.3 + rhythm(i), { instance: 'web-1', resource: 'cpu', part: '' }),
        series((i) => 0.5 + (0.012 * i) / 24, { instance: 'web-1', part: '/' }),
        series((i) => 0.7 + (0.02 * i) / 24),
      ],
      now,
    );
    expect(report.rows.map((row) => `${row.instance} ${row.resource}`)).toEqual([
      'db-1 disk',
      'web-1 disk',
      'web-1 cpu',
    ]);
    expect(report).toMatchObject({ instances: 2, urgent: 2 });
    expect(report.sentence).toBe(
      '/data on db-1 is at 84 % and full in 8 days. 1 more is at 90 % or comes there within 30 days.',
    );
  });

  it('does not call a busy processor urgent', () => {
    const report = capacityReport([series(() => 0.97, { resource: 'cpu', part: '' })], now);
    expect(report.urgent).toBe(0);
    expect(report.sentence).toBe('Nothing comes to 90 % of its disk or memory within 30 days.');
  });

  it('says that there is nothing rather than that all is well', () => {
    expect(capacityReport([], now).sentence).toMatch(/no instance sent a measurement/);
  });
});
