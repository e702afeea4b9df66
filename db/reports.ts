import { sql } from 'kysely';
import type { ReportSpan } from '../domain/reports/period.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';

export type ReportKind = 'sla' | 'capacity';

/** A report as lists show it. Times are ISO 8601. */
export interface ReportSummary {
  id: string;
  kind: ReportKind;
  periodStart: string;
  periodEnd: string;
  subject: string;
  recipients: string[];
  requestedBy: string;
  /** Whose incidents it is about; null: all of the organization's. */
  teamId: string | null;
  span: ReportSpan;
  createdAt: string;
  /** When the last recipient's mail was handed over; null while it is on its way or failed. */
  sentAt: string | null;
}

/** `html` and `text` are the two parts of the mail; `data` is what they were made from, charts included. */
export interface Report extends ReportSummary {
  html: string;
  text: string;
  data: Record<string, unknown>;
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const summaryColumns = [
  'id',
  'kind',
  'period_start',
  'period_end',
  'subject',
  'recipients',
  'requested_by',
  'created_at',
  'sent_at',
  'team_id',
  'span',
] as const;

/** Newest first. Throws InvalidCursorError on a cursor of another list. */
export async function listReports(
  tx: Tx,
  args: { limit: number; cursor?: string | undefined; kind?: ReportKind | undefined },
): Promise<Page<ReportSummary>> {
  let query = tx
    .selectFrom('reports')
    .select(summaryColumns)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(args.limit + 1);
  if (args.kind) query = query.where('kind', '=', args.kind);
  if (args.cursor) {
    const [last] = decodeCursor(args.cursor, ['uuid']);
    query = query.where(
      sql<boolean>`(created_at, id) < (select c.created_at, c.id from reports c where c.id = ${last})`,
    );
  }
  return toPage((await query.execute()).map(presentSummary), args.limit, (report) => encodeCursor(report.id));
}

/** Undefined if there is none with this id in the organization. */
export async function getReport(tx: Tx, id: string): Promise<Report | undefined> {
  if (!uuidPattern.test(id)) return undefined;
  const row = await tx
    .selectFrom('reports')
    .select([...summaryColumns, 'html', 'text', 'data'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { ...presentSummary(row), html: row.html, text: row.text, data: row.data };
}

export async function findReportByKey(tx: Tx, key: string): Promise<{ id: string } | undefined> {
  return await tx.selectFrom('reports').select('id').where('key', '=', key).executeTakeFirst();
}

/** Stores a report once per `key`: a second call with the same key answers the id of the first. */
export async function insertReport(
  tx: Tx,
  report: {
    /** Taken by the first call with this key. */
    id: string;
    orgId: string;
    key: string;
    kind: ReportKind;
    periodStart: Date;
    periodEnd: Date;
    subject: string;
    html: string;
    text: string;
    data: object;
    recipients: string[];
    requestedBy: string;
    teamId: string | null;
    span: ReportSpan;
  },
): Promise<{ id: string }> {
  const inserted = await tx
    .insertInto('reports')
    .values({
      id: report.id,
      org_id: report.orgId,
      key: report.key,
      kind: report.kind,
      period_start: report.periodStart,
      period_end: report.periodEnd,
      subject: report.subject,
      html: report.html,
      text: report.text,
      data: JSON.stringify(report.data),
      recipients: report.recipients,
      requested_by: report.requestedBy,
      team_id: report.teamId,
      span: report.span,
    })
    .onConflict((conflict) => conflict.columns(['org_id', 'key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return (
    inserted ??
    (await tx.selectFrom('reports').select('id').where('key', '=', report.key).executeTakeFirstOrThrow())
  );
}

export async function markReportSent(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable('reports')
    .set({ sent_at: sql<Date>`coalesce(sent_at, now())` })
    .where('id', '=', id)
    .execute();
}

interface SummaryRow {
  id: string;
  kind: ReportKind;
  period_start: Date;
  period_end: Date;
  subject: string;
  recipients: string[];
  requested_by: string;
  created_at: Date;
  sent_at: Date | null;
  team_id: string | null;
  span: ReportSpan;
}

function presentSummary(row: SummaryRow): ReportSummary {
  return {
    id: row.id,
    kind: row.kind,
    periodStart: row.period_start.toISOString(),
    periodEnd: row.period_end.toISOString(),
    subject: row.subject,
    recipients: row.recipients,
    requestedBy: row.requested_by,
    teamId: row.team_id,
    span: row.span,
    createdAt: row.created_at.toISOString(),
    sentAt: row.sent_at?.toISOString() ?? null,
  };
}
