import { formatDuration } from '../duration.ts';
import { type CapacityRow, formatAhead, formatGrowth, horizonMs, nameOf } from './capacity.ts';
import { formatDayAndTime } from './period.ts';
import { formatShare, type SlaReport } from './sla.ts';
import type { StoredReport } from './stored.ts';

/** Everything behind a report, in words, for its page: the mail shows only the head of the longer lists. */
export interface ReportTable {
  title: string;
  columns: { label: string; kind: 'words' | 'short' | 'number' }[];
  /** `incident` makes the first cell a link to it. */
  rows: { cells: string[]; incident: number | null }[];
  note: string | null;
}

/** `periodEnd` in epoch milliseconds: times to come are counted from it. */
export function reportTables(stored: StoredReport, periodEnd: number): ReportTable[] {
  const tables =
    stored.kind === 'sla'
      ? slaTables(stored.report, stored.timeZone)
      : [capacityTable(stored.rows, stored.omitted, periodEnd)];
  return tables.filter((table) => table.rows.length > 0);
}

function slaTables(report: SlaReport, timeZone: string): ReportTable[] {
  const moment = (at: string | null) =>
    at === null ? 'still open' : formatDayAndTime(Date.parse(at), timeZone);
  return [
    {
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
      title: 'Breaches',
      columns: [
        text('Incident'),
        short('Severity'),
        text('Policy'),
        short('Target'),
        short('Due'),
        short('Done'),
        number('Late by'),
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
          breach.endedAt === null
            ? '–'
            : formatDuration(Date.parse(breach.endedAt) - Date.parse(breach.dueAt)),
        ],
      })),
      note:
        report.breachTotal > report.breaches.length
          ? `The newest ${report.breaches.length} of ${report.breachTotal}.`
          : null,
    },
    {
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
const percent = (share: number): string => `${Math.round(share * 100)} %`;
