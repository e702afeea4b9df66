import type { IncidentChange } from '../../db/incident-evidence.ts';
import { changeWords } from '../../domain/changes/score.ts';
import { type DrawnSeries, seriesChart, type TimeMark } from '../../domain/charts/series-chart.ts';
import type { IncidentMetric } from '../../domain/incident/analysis.ts';
import { webUrl } from './evidence-view.ts';

/** The tab of the metrics: a chart each, and what the letters in them stand for. */
export interface MetricsTabView {
  charts: (DrawnSeries & {
    id: string;
    title: string;
    expression: string;
    service: string | null;
    unit: string | null;
    link: string | null;
  })[];
  changes: { letter: string; words: string; at: string; href: string }[];
  /** What could not be looked at. */
  notes: string[];
}

export interface MetricsInput {
  incident: { openedAt: Date; resolvedAt: Date | null };
  metrics: readonly IncidentMetric[];
  changes: readonly IncidentChange[];
  notes: string[];
}

/** More letters would not find room on an axis. */
const changesMarked = 8;

export function metricsTabView({ incident, metrics, changes, notes }: MetricsInput): MetricsTabView {
  const drawn = spanOf(metrics);
  const lettered = changes
    .filter(({ verdict, at }) => verdict !== 'dismissed' && isWithin(drawn, at))
    .slice(0, changesMarked)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .map((change, index) => ({ change, letter: String.fromCharCode(65 + index) }));
  const marks: TimeMark[] = [
    { at: incident.openedAt.getTime(), kind: 'incident', label: 'opened' },
    ...(incident.resolvedAt
      ? [{ at: incident.resolvedAt.getTime(), kind: 'incident' as const, label: 'resolved' }]
      : []),
    ...lettered.map(({ change, letter }) => ({
      at: change.at.getTime(),
      kind: 'change' as const,
      label: letter,
    })),
  ];
  return {
    charts: metrics.map((metric, index) => ({
      id: `metric-${index + 1}`,
      title: metric.title,
      expression: metric.expression,
      service: metric.service,
      unit: metric.unit,
      link: webUrl(metric.link),
      ...seriesChart({
        id: `metric-${index + 1}`,
        title: metric.title,
        unit: metric.unit,
        threshold: metric.threshold,
        marks,
        series: metric.series.map(({ name, points }) => ({
          name,
          points: points.map(([seconds, value]) => ({ at: seconds * 1000, value })),
        })),
      }),
    })),
    changes: lettered.map(({ change, letter }) => ({
      letter,
      words: changeWords(change),
      at: change.at.toISOString(),
      href: `/changes/${change.id}`,
    })),
    notes,
  };
}

/** From the first to the last measurement, epoch ms. */
function spanOf(metrics: readonly IncidentMetric[]): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { points } of metrics.flatMap(({ series }) => series)) {
    from = Math.min(from, (points[0]?.[0] ?? from) * 1000);
    to = Math.max(to, (points.at(-1)?.[0] ?? to) * 1000);
  }
  return { from, to };
}

const isWithin = ({ from, to }: { from: number; to: number }, at: Date): boolean =>
  at.getTime() >= from && at.getTime() <= to;
