import { barChart } from '../../domain/charts/bar-chart.ts';
import { formatDuration } from '../../domain/duration.ts';
import { oneLine } from '../../domain/markup.ts';
import { formatPeriod } from '../../domain/reports/period.ts';
import { formatShare, isNightHour, plural, type SlaReport, type Trend } from '../../domain/reports/sla.ts';
import type { Chart } from '../../domain/reports/stored.ts';
import type { Block, Cell, Mail, Tone } from '../messages/mail-layout.ts';
import { barsBlock, columnsBlock } from './mail-bars.ts';

/** Where and for whom a report is made. Times are epoch milliseconds. */
export interface ReportFrame {
  organization: string;
  from: number;
  to: number;
  timeZone: string;
  /** Holdfast's own address, without a slash at its end. */
  publicUrl: string;
  reportUrl: string;
}

// together well under the 100 KB at which mail clients cut a mail off
const policiesInMail = 16;
const breachesInMail = 15;
const peopleInMail = 10;

export function slaMail(report: SlaReport, frame: ReportFrame): { subject: string; mail: Mail } {
  const tone = complianceTone(report.overall.share);
  const compliance =
    report.overall.share === null ? 'no SLA clock decided' : `${formatShare(report.overall.share)} met`;
  return {
    subject: `[report] SLA of ${oneLine(frame.organization, 60)}: ${compliance}, ${plural(report.counts.incidents, 'incident')}`,
    mail: {
      sentence: report.sentence,
      meta: [
        `SLA ${compliance}`,
        oneLine(frame.organization, 60),
        formatPeriod(frame.from, frame.to, frame.timeZone),
      ],
      tone,
      buttons: [{ label: 'Open the report', url: frame.reportUrl }],
      blocks: [
        complianceBlock(report),
        timesBlock(report),
        ...breachBlocks(report, frame),
        countsBlock(report),
        ...noiseBlocks(report),
        ...pagesBlocks(report, frame),
      ],
      footer: `You get this every week because ${oneLine(frame.organization, 60)} sends its reports to this address (Settings, Reports).`,
      publicUrl: frame.publicUrl,
    },
  };
}

/** For the report's page: the pages by hour of the day. */
export function slaCharts(report: SlaReport, frame: ReportFrame): Chart[] {
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

/** All met is good, from 95 % on it needs a look, below that it is bad. */
function complianceTone(share: number | null): Tone {
  if (share === null) return 'neutral';
  if (share === 1) return 'ok';
  return share >= 0.95 ? 'warning' : 'high';
}

const kinds = { acknowledge: 'acknowledged in time', resolve: 'resolved in time' } as const;

function complianceBlock(report: SlaReport): Block {
  if (report.policies.length === 0) {
    return {
      kind: 'paragraph',
      heading: 'Compliance',
      text: 'No SLA clock came to its end in this period, so there is nothing to judge.',
    };
  }
  const before = report.previousOverall.share;
  const rest = report.policies.length - policiesInMail;
  const notes = [
    before === null
      ? 'There is no week before to compare with.'
      : `Overall ${report.overall.share === null ? '–' : formatShare(report.overall.share)}; the week before it was ${formatShare(before)}.`,
    ...(rest > 0 ? [`${rest} more, all at least as good, on the report's page.`] : []),
  ];
  return barsBlock(
    'Compliance by policy',
    report.policies.slice(0, policiesInMail).map((row) => ({
      label: `${oneLine(row.policy, 60)}: ${kinds[row.kind]}`,
      share: row.share ?? 0,
      value: `${row.met} of ${row.met + row.breached}, ${row.share === null ? '–' : formatShare(row.share)}`,
      tone: complianceTone(row.share),
    })),
    notes.join(' '),
  );
}

function timesBlock(report: SlaReport): Block {
  const row = (label: string, trend: Trend): Cell[] => [
    label,
    trend.now === null ? '–' : formatDuration(trend.now),
    trend.before === null ? '–' : formatDuration(trend.before),
    changeCell(trend),
  ];
  return {
    kind: 'table',
    heading: 'How long it took',
    columns: [
      { label: '' },
      { label: 'This week', align: 'right' },
      { label: 'Before', align: 'right' },
      { label: 'Change', align: 'right' },
    ],
    rows: [
      row('Acknowledge, median', report.mtta.median),
      row('Acknowledge, mean (MTTA)', report.mtta.mean),
      row('Resolve, median', report.mttr.median),
      row('Resolve, mean (MTTR)', report.mttr.mean),
    ],
    note: `From the incident's opening; ${report.mtta.count} acknowledged, ${report.mttr.count} resolved, false positives left out.`,
  };
}

function changeCell({ change, direction }: Trend): Cell {
  if (change === null) return '–';
  const percent = Math.round(Math.abs(change) * 100);
  if (direction === 'same') return 'same';
  const text = `${change < 0 ? '−' : '+'}${percent} %`;
  return { text, tone: direction === 'better' ? 'ok' : 'high' };
}

function breachBlocks(report: SlaReport, frame: ReportFrame): Block[] {
  if (report.breachTotal === 0) return [];
  const shown = report.breaches.slice(0, breachesInMail);
  return [
    {
      kind: 'table',
      heading: `Breaches (${report.breachTotal})`,
      columns: [
        { label: 'Incident' },
        { label: 'Target', align: 'right' },
        { label: 'Late by', align: 'right' },
      ],
      rows: shown.map((breach) => [
        {
          text: oneLine(`#${breach.incident} ${breach.title}`, 90),
          href: `${frame.publicUrl}/incidents/${breach.incident}`,
        },
        breach.kind,
        breach.endedAt === null
          ? { text: 'still open', tone: 'high' as const }
          : formatDuration(Date.parse(breach.endedAt) - Date.parse(breach.dueAt)),
      ]),
      ...(report.breachTotal > shown.length && {
        note: `The newest ${shown.length} of ${report.breachTotal}; the report's page has more.`,
      }),
    },
  ];
}

function countsBlock({ counts, previousCounts: before }: SlaReport): Block {
  const row = (label: string, now: number, then: number) => ({
    label,
    value: `${now.toLocaleString('en')} (before: ${then.toLocaleString('en')})`,
  });
  const grouped =
    counts.incidents > 0 && counts.alerts > counts.incidents
      ? ` into ${plural(counts.incidents, 'incident')}`
      : '';
  return {
    kind: 'facts',
    heading: 'What happened',
    rows: [
      {
        label: 'Alerts',
        value: `${counts.alerts.toLocaleString('en')}${grouped} (before: ${before.alerts.toLocaleString('en')})`,
      },
      row('Incidents', counts.incidents, before.incidents),
      row('Resolved', counts.resolved, before.resolved),
      row('False positives', counts.falsePositives, before.falsePositives),
      row('Open at the end', counts.open, before.open),
      row('Messages sent', counts.notifications, before.notifications),
      {
        label: 'Runbooks run',
        value:
          counts.executions === 0
            ? 'none'
            : `${counts.executions}, of which ${counts.executionsSucceeded} succeeded`,
      },
    ],
  };
}

function noiseBlocks(report: SlaReport): Block[] {
  if (report.noisiest.length === 0) return [];
  return [
    {
      kind: 'table',
      heading: 'Noisiest alerts',
      columns: [
        { label: 'Alert' },
        { label: 'Fired', align: 'right' },
        { label: 'Incidents', align: 'right' },
      ],
      rows: report.noisiest.map((alert) => [
        alert.service === null
          ? oneLine(alert.name, 80)
          : `${oneLine(alert.name, 80)} on ${oneLine(alert.service, 60)}`,
        `${alert.episodes.toLocaleString('en')}×`,
        alert.incidents.toLocaleString('en'),
      ]),
    },
  ];
}

function pagesBlocks(report: SlaReport, frame: ReportFrame): Block[] {
  if (report.pages.length === 0) {
    return [{ kind: 'paragraph', heading: 'Pages', text: 'Nobody was paged.' }];
  }
  const total = report.pages.reduce((sum, row) => sum + row.total, 0);
  const atNight = report.pages.reduce((sum, row) => sum + row.atNight, 0);
  const rest = report.pages.length - peopleInMail;
  return [
    {
      kind: 'table',
      heading: 'Pages by person',
      columns: [
        { label: 'Person or channel' },
        { label: 'Pages', align: 'right' },
        { label: 'At night', align: 'right' },
      ],
      rows: report.pages
        .slice(0, peopleInMail)
        .map((row) => [oneLine(row.destination, 80), String(row.total), String(row.atNight)]),
      ...(rest > 0 && { note: `${rest} more on the report's page.` }),
    },
    columnsBlock(
      'Pages by hour of the day',
      report.pagesByHour.map((value, hour) => ({
        name: `${String(hour).padStart(2, '0')}:00`,
        label: hour % 6 === 0 ? String(hour) : '',
        value,
        tone: isNightHour(hour) ? 'high' : 'low',
      })),
      `${plural(total, 'page')}, ${atNight} of them at night (22:00 to 07:00, ${frame.timeZone}).`,
    ),
  ];
}
