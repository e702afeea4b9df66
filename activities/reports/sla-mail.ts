import { formatDuration } from '../../domain/duration.ts';
import { oneLine } from '../../domain/markup.ts';
import { formatDay, formatPeriod, type ReportSpan } from '../../domain/reports/period.ts';
import {
  formatShare,
  isNightHour,
  lateBy,
  plural,
  reasonText,
  type SlaReport,
  type Trend,
} from '../../domain/reports/sla.ts';
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
  span: ReportSpan;
  /** Whose incidents they are; null: all of the organization's. */
  team: string | null;
}

// together well under the 100 KB at which mail clients cut a mail off
const policiesInMail = 10;
const breachesInMail = 10;
const peopleInMail = 8;
const servicesInMail = 5;
const slosInMail = 5;

export function slaMail(report: SlaReport, frame: ReportFrame): { subject: string; mail: Mail } {
  const tone = complianceTone(report.overall.share);
  const whose = oneLine(
    frame.team === null ? frame.organization : `${frame.organization}, ${frame.team}`,
    80,
  );
  const compliance =
    report.overall.share === null ? 'no SLA clock decided' : `${formatShare(report.overall.share)} met`;
  return {
    subject: `[report] SLA of ${whose}${frame.span === 'month' ? ' in a month' : ''}: ${compliance}, ${plural(report.counts.incidents, 'incident')}`,
    mail: {
      sentence: report.sentence,
      meta: [`SLA ${compliance}`, whose, formatPeriod(frame.from, frame.to, frame.timeZone)],
      tone,
      buttons: [{ label: 'Open the report', url: frame.reportUrl }],
      blocks: [
        complianceBlock(report, frame),
        ...serviceBlocks(report),
        timesBlock(report, frame),
        ...courseBlocks(report, frame),
        ...breachBlocks(report, frame),
        ...reasonBlocks(report),
        countsBlock(report),
        ...automationBlocks(report),
        ...sloBlocks(report, frame),
        ...noiseBlocks(report),
        ...pagesBlocks(report, frame),
      ],
      footer: `You get this every ${frame.span} because ${oneLine(frame.organization, 60)} sends its reports to this address (Settings, Reports).`,
      publicUrl: frame.publicUrl,
    },
  };
}

/** All met is good, from 95 % on it needs a look, below that it is bad. */
function complianceTone(share: number | null): Tone {
  if (share === null) return 'neutral';
  if (share === 1) return 'ok';
  return share >= 0.95 ? 'warning' : 'high';
}

const kinds = { acknowledge: 'acknowledged in time', resolve: 'resolved in time' } as const;

function complianceBlock(report: SlaReport, { span }: ReportFrame): Block {
  if (report.policies.length === 0) {
    return {
      kind: 'paragraph',
      heading: 'Compliance',
      text: 'No SLA clock came to its end in this period, false positives left out, so there is nothing to judge.',
    };
  }
  const before = report.previousOverall.share;
  const rest = report.policies.length - policiesInMail;
  const notes = [
    before === null
      ? `There is no ${span} before to compare with.`
      : `Overall ${report.overall.share === null ? '–' : formatShare(report.overall.share)}; the ${span} before it was ${formatShare(before)}.`,
    ...(rest > 0 ? [`${rest} more, all at least as good, on the report's page.`] : []),
    'Incidents that were closed as false positives are neither kept nor breached.',
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

function timesBlock(report: SlaReport, { span }: ReportFrame): Block {
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
      { label: `This ${span}`, align: 'right' },
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

/** The median time to resolve over the last periods; the other times are on the report's page. */
function courseBlocks(report: SlaReport, { timeZone, span }: ReportFrame): Block[] {
  const known = report.course.filter(({ met, breached, resolve }) => met + breached + resolve.count > 0);
  if (known.length < 2) return [];
  const minutes = report.course.map(({ resolve }) => Math.round((resolve.medianMs ?? 0) / 60_000));
  const day = (at: string) => formatDay(Date.parse(at), timeZone);
  return [
    columnsBlock(
      `Time to resolve over the last ${report.course.length} ${span}s`,
      report.course.map(({ from }, index) => ({
        name: `${day(from)}, minutes`,
        label: day(from),
        value: minutes[index] ?? 0,
        tone: index === report.course.length - 1 ? 'info' : 'low',
      })),
      'Median in minutes, by the day on which each began; the last one is this report’s.',
    ),
  ];
}

function serviceBlocks(report: SlaReport): Block[] {
  const services = report.services.slice(0, servicesInMail);
  if (services.length < 2) return [];
  const rest = report.services.length - services.length;
  return [
    barsBlock(
      'Compliance by service',
      services.map(({ service, met, breached, share }) => ({
        label: service === null ? 'no service' : oneLine(service, 60),
        share: share ?? 0,
        value: `${met} of ${met + breached}, ${share === null ? '–' : formatShare(share)}`,
        tone: complianceTone(share),
      })),
      rest > 0 ? `${rest} more on the report's page.` : undefined,
    ),
  ];
}

function reasonBlocks(report: SlaReport): Block[] {
  if (report.reasons.length === 0) return [];
  const unexplained = report.reasons.find(({ reason }) => reason === null)?.count ?? 0;
  const most = Math.max(...report.reasons.map(({ count }) => count));
  return [
    barsBlock(
      'Why promises were not kept',
      report.reasons.map(({ reason, count }) => ({
        label: reasonText(reason),
        share: count / most,
        value: String(count),
        tone: reason === null ? 'neutral' : 'low',
      })),
      unexplained > 0 ? 'Say why on the page of each incident; the report can be made again.' : undefined,
    ),
  ];
}

function automationBlocks({ automation }: SlaReport): Block[] {
  const { resolved, byRunbook, medianMs, othersMedianMs } = automation;
  if (byRunbook === 0) return [];
  const time = (ms: number | null) => (ms === null ? '–' : formatDuration(ms));
  return [
    {
      kind: 'facts',
      heading: 'What runbooks did',
      rows: [
        {
          label: 'Resolved by a runbook',
          value: `${byRunbook} of ${plural(resolved, 'incident')} (${formatShare(byRunbook / resolved)})`,
        },
        { label: 'Time to resolve, median', value: `${time(medianMs)}; the others ${time(othersMedianMs)}` },
      ],
    },
  ];
}

function sloBlocks(report: SlaReport, frame: ReportFrame): Block[] {
  if (report.slos.length === 0) return [];
  // what has least left comes first
  const slos = report.slos.toSorted((a, b) => (a.budgetLeft ?? 2) - (b.budgetLeft ?? 2)).slice(0, slosInMail);
  const rest = report.slos.length - slos.length;
  return [
    {
      kind: 'table',
      heading: 'Error budgets',
      columns: [{ label: 'SLO' }, { label: 'Left', align: 'right' }, { label: 'It burns' }],
      rows: slos.map(({ name, objective, budgetLeft, burn }) => [
        { text: `${name} (${objective})`, href: `${frame.publicUrl}/slos/${encodeURIComponent(name)}` },
        budgetLeft === null
          ? 'not known'
          : { text: `${Math.round(budgetLeft * 100)} %`, tone: budgetLeft <= 0 ? 'high' : 'ok' },
        burn,
      ]),
      ...(rest > 0 && { note: `${rest} more on the report's page.` }),
    },
  ];
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
          text: `${oneLine(`#${breach.incident} ${breach.title}`, 90)}${why(breach)}`,
          href: `${frame.publicUrl}/incidents/${breach.incident}`,
        },
        breach.kind,
        lateBy(breach) ?? { text: 'still open', tone: 'high' as const },
      ]),
      ...(report.breachTotal > shown.length && {
        note: `The newest ${shown.length} of ${report.breachTotal}; the report's page has more.`,
      }),
    },
  ];
}

/** ' (the cause was complex)' */
const why = ({ reason }: SlaReport['breaches'][number]): string =>
  reason ? ` (${reasonText(reason).toLowerCase()})` : '';

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
