import { html } from '../markup.ts';
import { plural } from '../reports/sla.ts';
import type { Chart } from '../reports/stored.ts';
import { data, forecast, frame, grid, height, ink, label, plotHeight, plotTop } from './drawing.ts';

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
  const svg = frame(
    chart,
    height + 16,
    html`${ticks.map((tick) => html`<line x1="0" x2="100%" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="${grid}"/>`)}
${chart.bars.map((bar, i) => html`<rect x="${(slot * (i + 0.15)).toFixed(2)}%" width="${(slot * 0.7).toFixed(2)}%" y="${y(bar.value).toFixed(1)}" height="${(plotTop + plotHeight - y(bar.value)).toFixed(1)}" rx="1.5" fill="${bar.marked ? forecast : data}"><title>${bar.label}: ${plural(bar.value, chart.unit)}</title></rect>`)}
${ticks.slice(1).map((tick) => label('0%', y(tick) - 4, 'start', ink, tick === top ? plural(tick, chart.unit) : String(tick)))}
${chart.bars.map((bar, i) => i % chart.labelEvery === 0 && label(`${(slot * (i + 0.5)).toFixed(2)}%`, plotTop + plotHeight + 18, i === 0 ? 'start' : 'middle', ink, bar.label))}
${label('50%', plotTop + plotHeight + 36, 'middle', ink, chart.axis)}`,
  );
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
