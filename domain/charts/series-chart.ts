import { html, type Markup } from '../markup.ts';
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
import { formatQuantity, roundTicks } from './quantity.ts';

/** Measured series on one time axis, with what happened marked on it. */
export interface SeriesChart {
  /** Unique in its page: the SVG's ids begin with it. Letters, digits and '-'. */
  id: string;
  title: string;
  unit: string | null;
  /** In the order of time. */
  series: readonly { name: string; points: readonly Point[] }[];
  threshold: number | null;
  marks: readonly TimeMark[];
}

/** What happened at a time: 'opened', or a change by its letter. */
export interface TimeMark {
  at: number;
  kind: 'incident' | 'change';
  label: string;
}

export interface DrawnSeries {
  svg: string;
  /** Says which line is which. */
  legend: { name: string; swatch: string; least: string; most: string; last: string }[];
  /** Series that were not drawn because there were too many. */
  omitted: number;
  table: { columns: string[]; rows: { at: string; cells: string[] }[] };
}

/** More lines are a tangle. */
const seriesDrawn = 6;
const tableRows = 24;
const timeTicks = 4;

/** A line is told by its colour and by its dashes. */
const strokes: readonly { colour: string; dashes?: string }[] = [
  { colour: data },
  { colour: 'var(--low, #2a62ad)', dashes: '7 3' },
  { colour: 'var(--high, #b0470a)', dashes: '2 2' },
  { colour: 'var(--good, #1e6e3d)', dashes: '9 3 2 3' },
  { colour: 'var(--warning, #855c00)', dashes: '4 4' },
  { colour: 'var(--info, #5b6169)', dashes: '1 3' },
];

export function seriesChart(chart: SeriesChart): DrawnSeries {
  const drawn = chart.series.filter(({ points }) => points.length > 0).slice(0, seriesDrawn);
  const points = drawn.flatMap((series) => series.points);
  if (points.length === 0) return { svg: '', legend: [], omitted: 0, table: { columns: [], rows: [] } };
  const from = least(points.map(({ at }) => at));
  const to = Math.max(from + 1, most(points.map(({ at }) => at)));
  const ticks = valueTicks(points, chart.threshold);
  const bottom = ticks[0] ?? 0;
  const top = ticks.at(-1) ?? 1;
  // the nested drawing is 1000 wide and as high as its pixels
  const x = (at: number): number => ((at - from) / (to - from)) * 1000;
  const y = (value: number): number =>
    (1 - (clamp(value, bottom, top) - bottom) / (top - bottom)) * plotHeight;
  const marks = chart.marks.filter(({ at }) => at >= from && at <= to);
  const lines = plot(html`${ticks.map((tick) => stroke(`M0 ${y(tick).toFixed(1)}H1000`, grid, 1))}
${marks.map(({ at, kind }) => stroke(`M${x(at).toFixed(1)} 0V${plotHeight}`, kind === 'incident' ? ink : forecast, 1, kind === 'incident' ? undefined : '3 3'))}
${chart.threshold !== null && stroke(`M0 ${y(chart.threshold).toFixed(1)}H1000`, limit, 1.5, '2 3')}
${drawn.map((series, index) => stroke(path(series.points, x, y), colourOf(index), 2, strokes[index]?.dashes))}`);
  const svg = frame(
    { ...chart, description: describe(chart, points) },
    height,
    html`${lines}
${ticks.map((tick) => label('100%', plotTop + y(tick) + 4, 'end', ink, formatQuantity(tick, chart.unit)))}
${chart.threshold !== null && label('0%', thresholdLine(plotTop + y(chart.threshold)), 'start', limit, `threshold ${formatQuantity(chart.threshold, chart.unit)}`)}
${marks.map((mark) => markLabel(mark, x(mark.at)))}
${timeLabels(from, to)}`,
  );
  return {
    svg: svg.text,
    legend: drawn.map((series, index) => legendOf(series, index, chart.unit)),
    omitted: chart.series.length - drawn.length,
    table: tableOf(drawn, chart.unit),
  };
}

/** What happened to the incident stands above the plot, a change's letter beside its line. */
function markLabel(mark: TimeMark, x: number): Markup {
  const place = `${((x / 1000) * plotWidth).toFixed(2)}%`;
  if (mark.kind === 'incident') return label(place, 12, anchorAt(x), ink, mark.label);
  const atEnd = x > 960;
  return html`<g transform="translate(${atEnd ? -4 : 4} 0)">${label(place, plotTop + 12, atEnd ? 'end' : 'start', forecast, mark.label)}</g>`;
}

/** From zero, unless that would press the lines flat against the top. */
function valueTicks(points: readonly Point[], threshold: number | null): number[] {
  const values = points.map(({ value }) => value);
  const low = Math.min(least(values), threshold ?? Number.POSITIVE_INFINITY);
  const high = Math.max(most(values), threshold ?? Number.NEGATIVE_INFINITY);
  const fromZero = low >= 0 && low <= high * 0.6;
  return roundTicks(fromZero ? 0 : low, high, 3);
}

/** With a gap where points are missing: what was not measured is not drawn. */
function path(points: readonly Point[], x: (at: number) => number, y: (value: number) => number): string {
  const steps = points.slice(1).map(({ at }, index) => at - (points[index]?.at ?? at));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  return points
    .map(({ at, value }, index) => {
      const gap = index === 0 || at - (points[index - 1]?.at ?? at) > usual * 3;
      return `${gap ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    })
    .join('');
}

function timeLabels(from: number, to: number): Markup[] {
  return Array.from({ length: timeTicks + 1 }, (_, index) => {
    const at = new Date(from + ((to - from) * index) / timeTicks).toISOString();
    const place = `${((index / timeTicks) * plotWidth).toFixed(2)}%`;
    const anchor = index === 0 ? 'start' : index === timeTicks ? 'end' : 'middle';
    // web/assets/time.js writes it in the reader's zone
    return html`<text x="${place}" y="${plotTop + plotHeight + 18}" text-anchor="${anchor}" fill="${ink}" data-time="clock" data-at="${at}">${at.slice(11, 16)}</text>`;
  });
}

/** Above its line, or below one that runs along the top. */
const thresholdLine = (line: number): number => (line < plotTop + 16 ? line + 14 : line - 5);

const anchorAt = (x: number): string => (x < 60 ? 'start' : x > 940 ? 'end' : 'middle');

const colourOf = (index: number): string => strokes[index]?.colour ?? ink;

function legendOf(
  series: SeriesChart['series'][number],
  index: number,
  unit: string | null,
): DrawnSeries['legend'][number] {
  const values = series.points.map(({ value }) => value);
  const dashes = strokes[index]?.dashes;
  const swatch = html`<svg class="swatch" width="26" height="8" viewBox="0 0 26 8" aria-hidden="true"><path d="M1 4H25" stroke="${colourOf(index)}" stroke-width="2"${dashes !== undefined && html` stroke-dasharray="${dashes}"`}/></svg>`;
  return {
    name: series.name,
    swatch: swatch.text,
    least: formatQuantity(least(values), unit),
    most: formatQuantity(most(values), unit),
    last: formatQuantity(values.at(-1) ?? Number.NaN, unit),
  };
}

function describe(chart: SeriesChart, points: readonly Point[]): string {
  const values = points.map(({ value }) => value);
  const range = `${formatQuantity(least(values), chart.unit)} to ${formatQuantity(most(values), chart.unit)}`;
  const threshold =
    chart.threshold === null ? '' : `; the threshold is ${formatQuantity(chart.threshold, chart.unit)}`;
  return `${range}${threshold}. The numbers stand in the table below.`;
}

/** The times of the longest series, thinned out; of the others what was measured last before each. */
function tableOf(drawn: SeriesChart['series'], unit: string | null): DrawnSeries['table'] {
  const longest = drawn.reduce((a, b) => (b.points.length > a.points.length ? b : a));
  const every = Math.max(1, Math.ceil(longest.points.length / tableRows));
  const times = longest.points.filter((_, index) => index % every === 0).map(({ at }) => at);
  return {
    columns: drawn.map(({ name }) => name),
    rows: times.map((at) => ({
      at: new Date(at).toISOString(),
      cells: drawn.map(({ points }) => {
        const point = points.findLast((known) => known.at <= at);
        return point ? formatQuantity(point.value, unit) : '–';
      }),
    })),
  };
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const least = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
