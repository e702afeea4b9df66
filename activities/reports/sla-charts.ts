import { barChart } from '../../domain/charts/bar-chart.ts';
import { formatDay } from '../../domain/reports/period.ts';
import { isNightHour, plural, type SlaReport } from '../../domain/reports/sla.ts';
import type { Chart } from '../../domain/reports/stored.ts';
import type { ReportFrame } from './sla-mail.ts';

/** For the report's page: the course of both times, and the pages by hour of the day. */
export function slaCharts(report: SlaReport, frame: ReportFrame): Chart[] {
  return [
    ...courseChart('Time to acknowledge', 'acknowledge', report, frame),
    ...courseChart('Time to resolve', 'resolve', report, frame),
    ...pagesChart(report, frame),
  ];
}

function courseChart(
  what: string,
  kind: 'acknowledge' | 'resolve',
  { course }: SlaReport,
  { timeZone, span }: ReportFrame,
): Chart[] {
  if (course.filter((point) => point[kind].count > 0).length < 2) return [];
  return [
    barChart({
      id: `course-${kind}`,
      title: `${what}, median`,
      description: `Over the last ${plural(course.length, span)}; the last one is this report’s.`,
      unit: 'minute',
      axis: `${span} that began on this day (${timeZone})`,
      bars: course.map((point, index) => ({
        label: formatDay(Date.parse(point.from), timeZone),
        value: Math.round((point[kind].medianMs ?? 0) / 60_000),
        marked: index === course.length - 1,
      })),
      labelEvery: 2,
    }),
  ];
}

function pagesChart(report: SlaReport, frame: ReportFrame): Chart[] {
  const total = report.pagesByHour.reduce((sum, count) => sum + count, 0);
  if (total === 0) return [];
  return [
    barChart({
      id: 'pages-by-hour',
      title: 'Pages by hour of the day',
      description: `${plural(total, 'page')}; nights (22:00 to 07:00) are marked.`,
      unit: 'page',
      axis: `hour of the day (${frame.timeZone})`,
      bars: report.pagesByHour.map((value, hour) => ({
        label: String(hour),
        value,
        marked: isNightHour(hour),
      })),
      labelEvery: 3,
    }),
  ];
}
