import { describe, expect, it } from 'vitest';
import { formatQuantity, roundTicks } from './quantity.ts';
import { type SeriesChart, seriesChart } from './series-chart.ts';

const start = Date.parse('2026-11-21T02:00:00Z');
const at = (minutes: number) => start + minutes * 60_000;
const points = (values: number[]) => values.map((value, index) => ({ at: at(index), value }));

const latency: SeriesChart = {
  id: 'latency',
  title: 'p99 <latency>',
  unit: 's',
  series: [{ name: 'checkout', points: points([0.2, 0.2, 0.3, 2.1, 2.4]) }],
  threshold: 0.5,
  marks: [
    { at: at(3), kind: 'incident', label: 'opened' },
    { at: at(1), kind: 'change', label: 'A' },
    { at: at(90), kind: 'change', label: 'Z' },
  ],
};

describe('a chart of series', () => {
  it('names threshold, unit and what happened, and leaves out what lies beside the axis', () => {
    const { svg } = seriesChart(latency);
    for (const text of ['threshold 500 ms', 'opened', 'A', '2 s', '02:00', '02:04'])
      expect(svg).toContain(`>${text}<`);
    expect(svg).not.toContain('>Z<');
    expect(svg).toContain('p99 &lt;latency&gt;');
  });

  it('draws no line over what was not measured', () => {
    const gap = [...points([1, 1, 1]), { at: at(20), value: 1 }, { at: at(21), value: 1 }];
    const { svg } = seriesChart({
      ...latency,
      series: [{ name: 'a', points: gap }],
      marks: [],
      threshold: null,
    });
    const line = [...svg.matchAll(/ d="(M[^"]*L[^"]*)"/g)].map((match) => match[1] ?? '');
    expect(line.map((path) => path.match(/M/g)?.length)).toEqual([2]);
  });

  it('does not press values that hardly vary against the top', () => {
    const { svg } = seriesChart({
      ...latency,
      unit: 'ratio',
      threshold: 0.99,
      series: [{ name: 'a', points: points([1, 0.999, 0.985]) }],
    });
    expect(svg).not.toContain('>0 %<');
    expect(svg).toContain('>99 %<');
  });

  it('draws six series, says how many more there are, and tells them apart without colour', () => {
    const series = Array.from({ length: 9 }, (_, index) => ({
      name: `pod-${index}`,
      points: points([index, index + 1]),
    }));
    const { legend, omitted, svg } = seriesChart({ ...latency, series });
    expect([legend.length, omitted]).toEqual([6, 3]);
    expect(new Set(legend.map(({ swatch }) => /dasharray="([^"]*)"/.exec(swatch)?.[1])).size).toBe(6);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('holds one point, equal points and none', () => {
    for (const values of [[0], [3], [3, 3, 3], [-2, 5]]) {
      const { svg } = seriesChart({
        ...latency,
        threshold: null,
        series: [{ name: 'a', points: points(values) }],
      });
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
    expect(seriesChart({ ...latency, series: [] }).svg).toBe('');
  });

  it('puts the numbers into a table of a readable length', () => {
    const many = Array.from({ length: 900 }, (_, index) => ({ at: at(index / 10), value: index }));
    const { table } = seriesChart({
      ...latency,
      series: [
        { name: 'a', points: many },
        { name: 'b', points: points([7]) },
      ],
    });
    expect(table.rows.length).toBeLessThanOrEqual(24);
    expect(table.rows[0]?.cells).toEqual(['0 s', '7 s']);
    expect(table.columns).toEqual(['a', 'b']);
  });
});

describe('a quantity', () => {
  it.each([
    [0.34, 's', '340 ms'],
    [12.5, 's', '12.5 s'],
    [0.97, 'ratio', '97 %'],
    [2_576_980_378, 'bytes', '2.4 GiB'],
    [12_000, 'req/s', '12,000 req/s'],
    [3_400_000, null, '3.4 M'],
    [0, 's', '0 s'],
    [Number.NaN, 's', '–'],
  ])('%d %s reads %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it('has round ticks around it', () => {
    expect(roundTicks(0, 2.4, 3)).toEqual([0, 1, 2, 3]);
    expect(roundTicks(5, 5, 3)[0]).toBeLessThanOrEqual(5);
  });
});
