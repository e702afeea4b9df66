import type { Report, ReportKind, ReportSummary } from '../../db/reports.ts';
import type { Team } from '../../db/teams.ts';
import { pagesOf } from '../../domain/reports/sla.ts';
import { type Chart, type StoredReport, storedReport } from '../../domain/reports/stored.ts';
import { reportTables } from '../../domain/reports/tables.ts';
import { dayText } from '../layout/moments.ts';
import type { Mark } from '../layout/words.ts';

export interface ReportRow {
  id: string;
  href: string;
  kind: string;
  subject: string;
  period: string;
  recipients: string;
  requestedBy: string;
  createdAt: string;
  sent: Mark;
  team: string | null;
}

const kinds: Record<ReportKind, string> = { sla: 'SLA', capacity: 'Capacity' };

export function reportRow(report: ReportSummary, now: number, teams: readonly Team[] = []): ReportRow {
  return {
    id: report.id,
    href: `/reports/${report.id}`,
    kind: report.span === 'month' ? `${kinds[report.kind]}, month` : kinds[report.kind],
    team: teams.find(({ id }) => id === report.teamId)?.name ?? null,
    subject: report.subject,
    period: `${dayText(Date.parse(report.periodStart), now)} – ${dayText(Date.parse(report.periodEnd), now)}`,
    recipients: report.recipients.join(', ') || 'nobody',
    requestedBy: report.requestedBy,
    createdAt: report.createdAt,
    sent: report.sentAt
      ? { word: 'Sent', icon: 'done', tone: 'good' }
      : { word: 'On its way', icon: 'waiting', tone: 'quiet' },
  };
}

interface FigureTable {
  title: string;
  csvHref: string;
  columns: { label: string; class: string }[];
  rows: { cells: { text: string; class: string; label: string | null; href: string | null }[] }[];
  note: string | null;
}

const cellClasses = { words: '', short: 'tight', number: 'num tight' } as const;

/** Hours of pages were counted in the zones that readers had when the report was made. */
function inZone(stored: StoredReport | undefined, zone: string | null): StoredReport | undefined {
  const pages = zone !== null && stored?.kind === 'sla' ? stored.pagesIn?.[zone] : undefined;
  if (stored?.kind !== 'sla' || !pages) return stored;
  return { ...stored, report: { ...stored.report, ...pagesOf(pages) } };
}

/** Charts and full tables of a report. The charts' SVG was made, with everything in it escaped, by Holdfast. */
export function reportFigures(
  report: Report,
  readerZone: string | null,
): { charts: Chart[]; tables: FigureTable[]; timeZone: string | null } {
  const stored = inZone(storedReport(report.data), readerZone);
  if (!stored) return { charts: [], tables: [], timeZone: null };
  const timeZone = readerZone ?? stored.timeZone;
  const tables = reportTables(stored, Date.parse(report.periodEnd), timeZone).map((table) => ({
    csvHref: `/reports/${report.id}/csv?table=${table.id}`,
    title: table.title,
    note: table.note,
    columns: table.columns.map(({ label, kind }) => ({ label, class: cellClasses[kind] })),
    rows: table.rows.map(({ cells, incident }) => ({
      cells: cells.map((text, index) => {
        const column = table.columns[index];
        // on a phone a row becomes a card: its first cell is the heading, the others carry their column's name
        return index === 0 || column === undefined
          ? { text, class: 'words', label: null, href: incident === null ? null : `/incidents/${incident}` }
          : { text, class: cellClasses[column.kind], label: column.label, href: null };
      }),
    })),
  }));
  return { charts: stored.charts, tables, timeZone };
}
