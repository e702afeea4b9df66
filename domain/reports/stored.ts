import type { CapacityRow } from './capacity.ts';
import type { PagesTo, SlaReport } from './sla.ts';

/** What `reports.data` holds: the numbers of a report as they stood when it was made. */
export type StoredReport = StoredSlaReport | StoredCapacityReport;

/** `reports.data` as what it is; undefined for a row that holds none. */
export function storedReport(data: Record<string, unknown>): StoredReport | undefined {
  const known = (data.kind === 'sla' || data.kind === 'capacity') && Array.isArray(data.charts);
  return known ? (data as unknown as StoredReport) : undefined;
}

interface Stored {
  /** One sentence, the mail's first line. */
  sentence: string;
  /** IANA name: hours and days are those there. */
  timeZone: string;
  charts: Chart[];
}

export interface StoredSlaReport extends Stored {
  kind: 'sla';
  report: StoredSla;
  /** Pages by hour in the other zones that readers have. */
  pagesIn?: Record<string, PagesTo[]>;
}

type Later = 'services' | 'reasons' | 'course' | 'automation' | 'slos';
/** What was made before these were counted lacks them. */
export type StoredSla = Omit<SlaReport, Later> & Partial<Pick<SlaReport, Later>>;

export interface StoredCapacityReport extends Stored {
  kind: 'capacity';
  /** What is full soonest first; the measurements themselves are in the charts. */
  rows: Omit<CapacityRow, 'series' | 'line'>[];
  /** Rows that were left out because there were too many. */
  omitted: number;
  instances: number;
  urgent: number;
  /** Why there are no rows; null where there are some. */
  gap: CapacityGap | null;
  /** What to do about the gap. */
  remedy: string | null;
}

export type CapacityGap =
  | { kind: 'not_configured' }
  | { kind: 'empty'; url: string }
  | { kind: 'failed'; reason: string };

/** A chart as SVG that was made, with everything in it escaped, when the report was. */
export interface Chart {
  /** Unique in its report. */
  id: string;
  title: string;
  svg: string;
  /** The same as numbers, for screen readers and for copying. */
  table: { columns: string[]; rows: string[][] };
  /** A line below it that says how to read it. */
  note: string;
}
