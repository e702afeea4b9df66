import { html, type Markup } from '../markup.ts';
import type { Chart } from '../reports/stored.ts';
import {
  data,
  forecast,
  frame,
  grid,
  height,
  ink,
  label,
  limit,
  type Point,
  plot,
  plotHeight,
  plotTop,
  plotWidth,
  stroke,
} from './drawing.ts';

/** What was measured, and its trend with an interval ahead. */
export interface LineChart {
  /** Unique in its page: the SVG's ids begin with it. Letters, digits and '-'. */
  id: string;
  title: string;
  /** What it shows, in a sentence, for those who don't see it. */
  description: string;
  points: readonly Point[];
  /** The trend: solid up to `now`, dashed after it, its interval shaded. */
  line: readonly (Point & { low: number; high: number })[];
  thresholds: readonly { value: number; label: string }[];
  /** The value axis goes from 0 to this. */
  top: number;
  ticks: readonly number[];
  formatValue: (value: number) => string;
  now: number;
  formatTime: (at: number) => string;
}

export function lineChart(chart: LineChart): Chart {
  const times = [...chart.points, ...chart.line].map((point) => point.at);
  const from = Math.min(...times, chart.now);
  const to = Math.max(...times, chart.now);
  const span = Math.max(1, to - from);
  // the nested drawing is 1000 wide and as high as its pixels
  const x = (at: number): number => ((at - from) / span) * 1000;
  const y = (value: number): number => (1 - Math.min(chart.top, Math.max(0, value)) / chart.top) * plotHeight;
  const path = (points: readonly Point[]): string =>
    points
      .map(({ at, value }, i) => `${i === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`)
      .join('');
  const past = chart.line.filter((point) => point.at <= chart.now);
  const ahead = chart.line.filter((point) => point.at >= chart.now);
  const band = [
    ...ahead.map(({ at, high }) => ({ at, value: high })),
    ...ahead.toReversed().map(({ at, low }) => ({ at, value: low })),
  ];

  const drawn = plot(html`${chart.ticks.map((tick) => stroke(`M0 ${y(tick).toFixed(1)}H1000`, grid, 1))}
${ahead.length > 1 && html`<path d="${path(band)}Z" fill="${forecast}" fill-opacity="0.16"/>`}
${chart.thresholds.map(({ value }) => stroke(`M0 ${y(value).toFixed(1)}H1000`, limit, 1, '2 3'))}
${ahead.length > 1 && stroke(`M${x(chart.now).toFixed(1)} 0V${plotHeight}`, ink, 1)}
${past.length > 1 && stroke(path(past), forecast, 1.5)}
${ahead.length > 1 && stroke(path(ahead), forecast, 2, '6 4')}
${stroke(path(chart.points), data, 2)}`);
  const svg = frame(
    chart,
    height,
    html`${drawn}
${chart.ticks.map((tick) => label('100%', plotTop + y(tick) + 4, 'end', ink, chart.formatValue(tick)))}
${chart.thresholds.map(({ value, label: name }) => label('100%', plotTop + y(value) + 4, 'end', limit, name))}
${timeLabels(chart, from, to, ahead.length > 1)}`,
  );
  return {
    id: chart.id,
    title: chart.title,
    svg: svg.text,
    table: lineTable(chart),
    note:
      ahead.length > 1
        ? 'Measured until now; dashed: the trend, shaded: its 95 % interval.'
        : 'Measured until now, and its trend where there is one.',
  };
}

/** First and last time, and now where it stands clear of both. */
function timeLabels(chart: LineChart, from: number, to: number, hasForecast: boolean): Markup[] {
  const line = plotTop + plotHeight + 18;
  const labels = [
    label('0%', line, 'start', ink, chart.formatTime(from)),
    label(`${plotWidth}%`, line, 'end', ink, chart.formatTime(to)),
  ];
  const position = (chart.now - from) / Math.max(1, to - from);
  if (hasForecast && position > 0.25 && position < 0.75) {
    labels.push(
      label(
        `${(position * plotWidth).toFixed(2)}%`,
        line,
        'middle',
        ink,
        `now, ${chart.formatTime(chart.now)}`,
      ),
    );
  }
  return labels;
}

/** A row a day, the last of each, then the forecast. */
function lineTable(chart: LineChart): Chart['table'] {
  const byDay = new Map<string, Point>();
  for (const point of chart.points) byDay.set(chart.formatTime(point.at), point);
  const ahead = chart.line.filter((point) => point.at > chart.now);
  return {
    columns: ['When', 'Value'],
    rows: [
      ...[...byDay].map(([day, point]) => [day, chart.formatValue(point.value)]),
      ...ahead.map(({ at, value, low, high }) => [
        `${chart.formatTime(at)} (forecast)`,
        `${chart.formatValue(Math.max(0, value))} (${chart.formatValue(Math.max(0, low))} to ${chart.formatValue(high)})`,
      ]),
    ],
  };
}
