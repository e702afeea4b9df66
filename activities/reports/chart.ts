import { plural } from '../../domain/reports/sla.ts';
import type { Chart } from '../../domain/reports/stored.ts';
import { html, type Markup } from '../messages/markup.ts';

/**
 * Charts as SVG for pages. They fill the width that they get and keep their type at 12 px: what must stretch
 * is drawn in a nested SVG without a fixed aspect ratio, what must not is placed by percentages. Colours are
 * the page's tokens with a fallback each; there is no inline style, so a strict CSP lets them through.
 */
interface Point {
  at: number;
  value: number;
}

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

const plotHeight = 180;
const plotTop = 20;
const height = plotTop + plotHeight + 28;
/** Right of it, in percent of the width, stands the value axis of a line chart. */
const plotWidth = 88;

const ink = 'var(--ink-2, #50545a)';
const grid = 'var(--line, #e4e3de)';
const surface = 'var(--surface, #ffffff)';
const data = 'var(--accent, #0f6a5b)';
const forecast = 'var(--busy, #6344b8)';
const limit = 'var(--critical, #b3261e)';

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

  const svg = html`<svg class="chart" width="100%" height="${height}" role="img" aria-labelledby="${chart.id}-title ${chart.id}-desc" font-family="inherit" font-size="12">
<title id="${chart.id}-title">${chart.title}</title>
<desc id="${chart.id}-desc">${chart.description}</desc>
<svg x="0" y="${plotTop}" width="${plotWidth}%" height="${plotHeight}" viewBox="0 0 1000 ${plotHeight}" preserveAspectRatio="none">
${chart.ticks.map((tick) => stroke(`M0 ${y(tick).toFixed(1)}H1000`, grid, 1))}
${ahead.length > 1 && html`<path d="${path(band)}Z" fill="${forecast}" fill-opacity="0.16"/>`}
${chart.thresholds.map(({ value }) => stroke(`M0 ${y(value).toFixed(1)}H1000`, limit, 1, '2 3'))}
${ahead.length > 1 && stroke(`M${x(chart.now).toFixed(1)} 0V${plotHeight}`, ink, 1)}
${past.length > 1 && stroke(path(past), forecast, 1.5)}
${ahead.length > 1 && stroke(path(ahead), forecast, 2, '6 4')}
${stroke(path(chart.points), data, 2)}
</svg>
${chart.ticks.map((tick) => label('100%', plotTop + y(tick) + 4, 'end', ink, chart.formatValue(tick)))}
${chart.thresholds.map(({ value, label: name }) => label('100%', plotTop + y(value) + 4, 'end', limit, name))}
${timeLabels(chart, from, to, ahead.length > 1)}
</svg>`;
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

function stroke(path: string, colour: string, width: number, dashes?: string): Markup {
  return html`<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round" vector-effect="non-scaling-stroke"${dashes !== undefined && html` stroke-dasharray="${dashes}"`}/>`;
}

/** With a halo in the page's colour, so that it can be read on a line. */
function label(x: string, y: number, anchor: string, colour: string, text: string): Markup {
  return html`<text x="${x}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}" stroke="${surface}" stroke-width="3" stroke-linejoin="round" paint-order="stroke">${text}</text>`;
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

export interface BarChart {
  id: string;
  title: string;
  description: string;
  /** What the bars count, one of it: 'page'. */
  unit: string;
  /** What stands below them: 'hour of the day'. */
  axis: string;
  bars: readonly {
    label: string;
    value: number /** Drawn in the colour of a warning. */;
    marked?: boolean;
  }[];
  /** Labels are drawn at every so many bars; all of them stand in the table. */
  labelEvery: number;
}

export function barChart(chart: BarChart): Chart {
  const top = niceTop(Math.max(0, ...chart.bars.map((bar) => bar.value)));
  const ticks = top <= 1 ? [0, top] : [0, Math.round(top / 2), top];
  const slot = 100 / Math.max(1, chart.bars.length);
  const y = (value: number): number => plotTop + (1 - value / top) * plotHeight;
  const svg = html`<svg class="chart" width="100%" height="${height + 16}" role="img" aria-labelledby="${chart.id}-title ${chart.id}-desc" font-family="inherit" font-size="12">
<title id="${chart.id}-title">${chart.title}</title>
<desc id="${chart.id}-desc">${chart.description}</desc>
${ticks.map((tick) => html`<line x1="0" x2="100%" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="${grid}"/>`)}
${chart.bars.map((bar, i) => html`<rect x="${(slot * (i + 0.15)).toFixed(2)}%" width="${(slot * 0.7).toFixed(2)}%" y="${y(bar.value).toFixed(1)}" height="${(plotTop + plotHeight - y(bar.value)).toFixed(1)}" rx="1.5" fill="${bar.marked ? forecast : data}"><title>${bar.label}: ${plural(bar.value, chart.unit)}</title></rect>`)}
${ticks.slice(1).map((tick) => label('0%', y(tick) - 4, 'start', ink, tick === top ? plural(tick, chart.unit) : String(tick)))}
${chart.bars.map((bar, i) => i % chart.labelEvery === 0 && label(`${(slot * (i + 0.5)).toFixed(2)}%`, plotTop + plotHeight + 18, i === 0 ? 'start' : 'middle', ink, bar.label))}
${label('50%', plotTop + plotHeight + 36, 'middle', ink, chart.axis)}
</svg>`;
  return {
    id: chart.id,
    title: chart.title,
    svg: svg.text,
    table: {
      columns: [chart.axis, `${chart.unit}s`],
      rows: chart.bars.map((bar) => [bar.label, String(bar.value)]),
    },
    note: chart.description,
  };
}

/** The next even number of the kind 2, 4, 6, 8, 10, 20, 40…: its half is a whole number too. */
function niceTop(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const found = [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value);
  return found ?? 10 * power;
}
