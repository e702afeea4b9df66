import { formatDuration } from '../duration.ts';
import { type CapacityRow, formatAhead, formatGrowth, horizonMs, nameOf } from './capacity.ts';
import { formatDayAndTime } from './period.ts';
import { formatShare, lateBy, reasonText } from './sla.ts';
import type { StoredReport, StoredSla } from './stored.ts';

/** Everything behind a report, in words, for its page: the mail shows only the head of the longer lists. */
export interface ReportTable {
  /** Names it in addresses. */
  id: string;
  title: string;
  columns: { label: string; kind: 'words' | 'short' | 'number' }[];
  /** `incident` makes the first cell a link to it. */
  rows: { cells: string[]; incident: number | null }[];
  note: string | null;
}

/**
 * `periodEnd` in epoch milliseconds: times to come are counted from it. `timeZone`: the reader's; the report's where it
 * says nothing.
 */
export function reportTables(
  stored: StoredReport,
  periodEnd: number,
  timeZone = stored.timeZone,
): ReportTable[] {
  const tables =
    stored.kind === 'sla'
      ? slaTables(stored.report, timeZone)
      : [capacityTable(stored.rows, stored.omitted, periodEnd)];
  return tables.filter((table) => table.rows.length > 0);
}

function slaTables(report: StoredSla, timeZone: string): ReportTable[] {
  const moment = (at: string | null) =>
    at === null ? 'still open' : formatDayAndTime(Date.parse(at), timeZone);
  return [
    {
      id: 'compliance',
      title: 'Compliance by policy',
      columns: [text('Policy'), short('Target'), number('Met'), number('Breached'), number('Compliance')],
      rows: report.policies.map((row) =>
        plain(
          row.policy,
          row.kind,
          String(row.met),
          String(row.breached),
          row.share === null ? '–' : formatShare(row.share),
        ),
      ),
      note: null,
    },
    {
      id: 'services',
      title: 'Compliance by service',
      columns: [text('Service'), number('Met'), number('Breached'), number('Compliance')],
      rows: (report.services ?? []).map((row) =>
        plain(
          row.service ?? 'no service',
          String(row.met),
          String(row.breached),
          row.share === null ? '–' : formatShare(row.share),
        ),
      ),
      note: null,
    },
    {
      id: 'reasons',
      title: 'Breaches by reason',
      columns: [text('Reason'), number('Breaches')],
      rows: (report.reasons ?? []).map(({ reason, count }) => plain(reasonText(reason), String(count))),
      note: null,
    },
    {
      id: 'breaches',
      title: 'Breaches',
      columns: [
        text('Incident'),
        short('Severity'),
        text('Policy'),
        short('Target'),
        short('Due'),
        short('Done'),
        number('Late by'),
        text('Reason'),
      ],
      rows: report.breaches.map((breach) => ({
        incident: breach.incident,
        cells: [
          `#${breach.incident} ${breach.title}`,
          breach.severity,
          breach.policy,
          breach.kind,
          moment(breach.dueAt),
          moment(breach.endedAt),
          lateBy(breach) ?? '–',
          [reasonText(breach.reason ?? null), ...(breach.note ? [breach.note] : [])].join(': '),
        ],
      })),
      note:
        report.breachTotal > report.breaches.length
          ? `The newest ${report.breaches.length} of ${report.breachTotal}.`
          : null,
    },
    {
      id: 'course',
      title: 'Course',
      columns: [
        text('From'),
        number('Met'),
        number('Breached'),
        number('Acknowledge, median'),
        number('MTTA'),
        number('Resolve, median'),
        number('MTTR'),
      ],
      rows: (report.course ?? []).map(({ from, met, breached, acknowledge, resolve }) =>
        plain(
          moment(from),
          String(met),
          String(breached),
          ...[acknowledge.medianMs, acknowledge.meanMs, resolve.medianMs, resolve.meanMs].map(durationText),
        ),
      ),
      note: null,
    },
    {
      id: 'slos',
      title: 'Objectives',
      columns: [text('SLO'), short('Objective'), number('Error budget left'), text('It burned')],
      rows: (report.slos ?? []).map(({ name, objective, budgetLeft, burn }) =>
        plain(name, objective, budgetLeft === null ? 'not known' : percent(budgetLeft), burn),
      ),
      note: 'As they stood when the report was made.',
    },
    {
      id: 'noisiest',
      title: 'Noisiest alerts',
      columns: [text('Alert'), text('Service'), number('Fired'), number('Repeats'), number('Incidents')],
      rows: report.noisiest.map(({ name, service, episodes, occurrences, incidents }) =>
        plain(name, service ?? '–', String(episodes), String(occurrences), String(incidents)),
      ),
      note: null,
    },
    {
      id: 'pages',
      title: 'Pages by person or channel',
      columns: [text('Person or channel'), number('Pages'), number('At night (22:00 to 07:00)')],
      rows: report.pages.map((row) => plain(row.destination, String(row.total), String(row.atNight))),
      note: null,
    },
  ];
}

function capacityTable(
  rows: readonly Omit<CapacityRow, 'series' | 'line'>[],
  omitted: number,
  now: number,
): ReportTable {
  return {
    id: 'capacity',
    title: 'Disks, memory and CPU',
    columns: [
      text('What'),
      number('Now'),
      number('Mean'),
      number('A day'),
      number('80 %'),
      number('90 %'),
      number('100 %'),
      text('Verdict'),
    ],
    rows: rows.map((row) =>
      plain(
        nameOf(row),
        percent(row.current),
        percent(row.mean),
        row.growthPerDay === null ? '–' : formatGrowth(row.growthPerDay.value),
        ...row.crossings.map((crossing) => {
          if (crossing.state === 'reached') return 'reached';
          return crossing.state === 'forecast' && crossing.at - now <= horizonMs
            ? formatAhead(crossing.at - now)
            : '–';
        }),
        row.verdict,
      ),
    ),
    note: omitted > 0 ? `${omitted} more, all with more room, are left out.` : null,
  };
}

const text = (label: string) => ({ label, kind: 'words' as const });
const short = (label: string) => ({ label, kind: 'short' as const });
const number = (label: string) => ({ label, kind: 'number' as const });
const plain = (...cells: string[]) => ({ cells, incident: null });
const durationText = (ms: number | null): string => (ms === null ? '–' : formatDuration(ms));
const percent = (share: number): string => `${Math.round(share * 100)} %`;
