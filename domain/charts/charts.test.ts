import { describe, expect, it } from 'vitest';
import { barChart } from './bar-chart.ts';
import { type LineChart, lineChart } from './line-chart.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-16T08:00:00Z');

const disk: LineChart = {
  id: 'disk-1',
  title: '/data on db-1',
  description: 'At 84 % now.',
  points: Array.from({ length: 48 }, (_, i) => ({ at: now - (47 - i) * 3_600_000, value: 0.7 + i * 0.003 })),
  line: [
    { at: now - 2 * day, value: 0.7, low: 0.69, high: 0.71 },
    { at: now, value: 0.84, low: 0.83, high: 0.85 },
    { at: now + 2 * day, value: 0.98, low: 0.9, high: 1.2 },
  ],
  thresholds: [{ value: 0.9, label: '90 %' }],
  top: 1.05,
  ticks: [0, 0.5],
  formatValue: (value) => `${Math.round(value * 100)} %`,
  now,
  formatTime: (at) => new Date(at).toISOString().slice(5, 10),
};

describe('lineChart', () => {
  it('names axis, threshold and now, dashes the forecast and shades its interval', () => {
    const { svg } = lineChart(disk);
    for (const label of ['0 %', '50 %', '90 %', 'now, 11-16', '11-14', '11-18'])
      expect(svg).toContain(`>${label}<`);
    expect(svg).toContain('stroke-dasharray="6 4"');
    expect(svg).toContain('fill-opacity');
    expect(svg).toContain('aria-labelledby="disk-1-title disk-1-desc"');
  });

  it('draws nothing ahead where there is no forecast', () => {
    const chart = lineChart({ ...disk, line: [] });
    expect(chart.svg).not.toContain('stroke-dasharray="6 4"');
    expect(chart.svg).not.toContain('fill-opacity');
    expect(chart.note).toMatch(/^Measured/);
  });

  it('stays inside its frame, whatever the values', () => {
    const { svg } = lineChart({
      ...disk,
      points: [
        { at: now - day, value: -5 },
        { at: now, value: 99 },
      ],
      line: [
        { at: now, value: 1, low: -80, high: 200 },
        { at: now + day, value: 2, low: -80, high: 200 },
      ],
    });
    const heights = [...svg.matchAll(/[ML][\d.]+ (-?[\d.]+)/g)].map((match) => Number(match[1]));
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...heights)).toBeLessThanOrEqual(180);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('keeps a single point from dividing by nothing', () => {
    const { svg } = lineChart({ ...disk, points: [{ at: now, value: 0.5 }], line: [] });
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('takes names from outside as text, and has no inline style', () => {
    const { svg } = lineChart({ ...disk, title: '<script>alert(1)</script> on "db"' });
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;');
    expect(svg).not.toMatch(/ style=/);
  });

  it('says the same as a table: a row a day, then the forecast with its interval', () => {
    expect(lineChart(disk).table).toEqual({
      columns: ['When', 'Value'],
      rows: [
        ['11-14', '74 %'],
        ['11-15', '81 %'],
        ['11-16', '84 %'],
        ['11-18 (forecast)', '98 % (90 % to 120 %)'],
      ],
    });
  });
});

describe('barChart', () => {
  it('draws a bar each, names every so many, and lists all in the table', () => {
    const bars = Array.from({ length: 24 }, (_, hour) => ({
      label: String(hour),
      value: hour === 3 ? 7 : 0,
    }));
    const chart = barChart({
      id: 'pages',
      title: 'Pages by hour',
      description: '7 pages.',
      unit: 'page',
      axis: 'hour of the day (UTC)',
      bars,
      labelEvery: 6,
    });
    expect(chart.svg.match(/<rect /g)).toHaveLength(24);
    expect(chart.svg).toContain('>8 pages<');
    expect(chart.svg).toContain('>18<');
    expect(chart.svg).not.toContain('>17<');
    expect(chart.table.rows).toHaveLength(24);
    expect(chart.svg).not.toMatch(/NaN|Infinity| style=/);
  });

  it('counts a single one in the singular', () => {
    const chart = barChart({
      id: 'pages',
      title: 'Pages by hour',
      description: '1 page.',
      unit: 'page',
      axis: 'hour of the day (UTC)',
      bars: [
        { label: '0', value: 1 },
        { label: '1', value: 0 },
      ],
      labelEvery: 1,
    });
    expect(chart.svg).toContain('>1 page<');
    expect(chart.svg).toContain('0: 1 page<');
    expect(chart.svg).toContain('1: 0 pages<');
    expect(chart.table.columns).toEqual(['hour of the day (UTC)', 'pages']);
  });

  it('holds without any bar above zero', () => {
    const chart = barChart({
      id: 'n',
      title: 't',
      description: 'd',
      unit: 'u',
      axis: 'a',
      bars: [],
      labelEvery: 1,
    });
    expect(chart.svg).not.toMatch(/NaN|Infinity/);
  });
});
