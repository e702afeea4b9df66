import { lineChart } from '../../domain/charts/line-chart.ts';
import { oneLine } from '../../domain/markup.ts';
import {
  arrival,
  type CapacityReport,
  type CapacityRow,
  formatGrowth,
  nameOf,
  type Resource,
} from '../../domain/reports/capacity.ts';
import { formatDay, formatDayAndTime, formatPeriod } from '../../domain/reports/period.ts';
import { plural } from '../../domain/reports/sla.ts';
import type { CapacityGap, Chart } from '../../domain/reports/stored.ts';
import type { Block, Mail, Tone } from '../messages/mail-layout.ts';
import { barsBlock } from './mail-bars.ts';
import type { ReportFrame } from './sla-mail.ts';

const barsInMail: Record<Resource, number> = { disk: 15, memory: 10, cpu: 10 };
const chartsOnPage = 12;

export function capacityMail(
  report: CapacityReport,
  gap: CapacityGap | null,
  frame: ReportFrame,
): { subject: string; mail: Mail } {
  const organization = oneLine(frame.organization, 60);
  const sentence = gap ? gapSentence(gap) : report.sentence;
  const tone: Tone = gap ? 'neutral' : toneOf(report, frame.to);
  const state = gap
    ? 'no measurements'
    : report.urgent > 0
      ? `${plural(report.urgent, 'resource')} at or near 90 %`
      : 'nothing fills up soon';
  return {
    subject: `[report] Capacity of ${organization}: ${state}`,
    mail: {
      sentence,
      meta: [state, organization, formatPeriod(frame.from, frame.to, frame.timeZone)],
      tone,
      buttons: [{ label: 'Open the report', url: frame.reportUrl }],
      blocks: gap
        ? [{ kind: 'paragraph', heading: 'What to do', text: gapRemedy(gap) }]
        : [...resourceBlocks(report, frame), howToRead],
      footer: `You get this every week because ${organization} sends its reports to this address (Settings, Reports).`,
      publicUrl: frame.publicUrl,
    },
  };
}

function gapSentence(gap: CapacityGap): string {
  switch (gap.kind) {
    case 'not_configured':
      return 'There is no capacity to report on: no Prometheus is configured.';
    case 'empty':
      return 'There is no capacity to report on: Prometheus holds no measurements of machines.';
    case 'failed':
      return 'There is no capacity report this week: Prometheus did not answer.';
  }
}

/** What to do about it, for the operator. */
export function gapRemedy(gap: CapacityGap): string {
  switch (gap.kind) {
    case 'not_configured':
      return 'Set PROMETHEUS_URL to the address of a Prometheus that scrapes node_exporter, and restart Holdfast.';
    case 'empty':
      return `${gap.url} answers, but has no node_filesystem_avail_bytes, node_memory_MemAvailable_bytes or node_cpu_seconds_total. Let it scrape node_exporter on the machines that matter.`;
    case 'failed':
      return `${gap.reason}\nIt was asked again for an hour. When it answers, send the report from the reports page.`;
  }
}

/** Charts for the report's page: what is full soonest first. */
export function capacityCharts(report: CapacityReport, frame: ReportFrame): Chart[] {
  return report.rows.slice(0, chartsOnPage).map((row, index) =>
    lineChart({
      id: `capacity-${index + 1}`,
      title: oneLine(nameOf(row), 120),
      description: `At ${percent(row.current)} now; ${row.verdict}.`,
      points: row.series,
      line: row.line,
      thresholds: [
        { value: 0.8, label: '80 %' },
        { value: 0.9, label: '90 %' },
        { value: 1, label: '100 %' },
      ],
      top: 1.05,
      ticks: [0, 0.25, 0.5],
      formatValue: percent,
      now: frame.to,
      formatTime: (at) =>
        row.spanMs < 2 * dayMs ? formatDayAndTime(at, frame.timeZone) : formatDay(at, frame.timeZone),
    }),
  );
}

const howToRead: Block = {
  kind: 'paragraph',
  heading: 'How to read it',
  text: 'The bar is the latest measurement. Growth is a straight line through hourly means of up to 14 days; a time is given only where the line surely rises, and in brackets stands its 95 % interval. A line knows nothing of the job that you will start tomorrow.',
};

const headings: Record<Resource, string> = { disk: 'Disks', memory: 'Memory', cpu: 'CPU' };

function resourceBlocks(report: CapacityReport, frame: ReportFrame): Block[] {
  return (['disk', 'memory', 'cpu'] as const).flatMap((resource) => {
    const rows = report.rows.filter((row) => row.resource === resource);
    if (rows.length === 0) return [];
    const shown = rows.slice(0, barsInMail[resource]);
    const rest = rows.length - shown.length;
    return [
      barsBlock(
        headings[resource],
        shown.map((row) => ({
          label: oneLine(resource === 'disk' ? nameOf(row) : row.instance, 90),
          share: row.current,
          value: percent(row.current),
          tone: rowTone(row, frame.to),
          note: noteOf(row),
        })),
        rest > 0 ? `${rest} more on the report's page, all with more room.` : undefined,
      ),
    ];
  });
}

function noteOf(row: CapacityRow): string {
  const growth =
    row.growthPerDay && row.state !== 'steady' ? `${formatGrowth(row.growthPerDay.value)} a day; ` : '';
  const busy =
    row.resource === 'disk' ? '' : `; mean ${percent(row.mean)}, 95 % of the time under ${percent(row.p95)}`;
  return `${growth}${row.verdict}${busy}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

const dayMs = 86_400_000;

/** CPU never turns red: a busy processor is slow, not down. */
function rowTone(row: CapacityRow, now: number): Tone {
  const full = arrival(row, 1, now) - now;
  if (row.resource === 'cpu') return row.p95 >= 0.9 ? 'warning' : 'ok';
  if (full <= 7 * dayMs || row.current >= 0.95) return 'critical';
  if (arrival(row, 0.9, now) - now <= 7 * dayMs) return 'high';
  if (arrival(row, 0.9, now) - now <= 30 * dayMs || row.current >= 0.8) return 'warning';
  return 'ok';
}

function toneOf(report: CapacityReport, now: number): Tone {
  const order = ['critical', 'high', 'warning'] as const;
  const tones = report.rows.map((row) => rowTone(row, now));
  return order.find((tone) => tones.includes(tone)) ?? 'ok';
}
