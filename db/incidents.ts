import { sql } from 'kysely';
import type { Deadline, IncidentStatus } from '../domain/incident-status.ts';
import type { Severity } from '../domain/severity.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';

/** What a list shows of an incident. */
export interface IncidentSummary {
  id: string;
  number: number;
  teamId: string | null;
  title: string;
  status: IncidentStatus;
  severity: Severity;
  service: string | null;
  openedAt: Date;
  lastAlertAt: Date;
  acknowledgedAt: Date | null;
  acknowledgedBy: string | null;
  assignedTo: string | null;
  snoozedUntil: Date | null;
  /** Silences catch its alerts: nobody is told until then. */
  silencedUntil: Date | null;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  alertCount: number;
  firingCount: number;
  truncatedCount: number;
  /** Raised by every event that the workflow has recorded: what a command is 'as of'. */
  recordedSeq: number;
  /** Running timers in no particular order, as the workflow last told them. */
  deadlines: Deadline[];
  /** The number of the incident that it was merged into. */
  mergedInto: number | null;
  /** 1, and one more with each reopening. */
  opening: number;
  causeService: string | null;
  /** 0 to 1; a person's word is 1. */
  causeConfidence: number | null;
  /** Who confirmed or corrected the cause; null: Holdfast's own ranking. */
  causeBy: string | null;
}

export interface IncidentFilter {
  /** Any of these; with `active` both must hold. */
  status?: readonly IncidentStatus[];
  /** Not resolved and not a false positive. */
  active?: boolean;
  severity?: readonly Severity[];
  service?: string;
  teamId?: string;
  /** Acknowledged by them or assigned to them; a mail address. */
  person?: string;
  /** Opened at or after. */
  since?: Date;
  /** Words that number, title or service contain: each matches a beginning; '#42' is that number alone. */
  q?: string;
}

export const incidentColumns = [
  'id',
  'number',
  'team_id as teamId',
  'title',
  'status',
  'severity',
  'service',
  'opened_at as openedAt',
  'last_alert_at as lastAlertAt',
  'acknowledged_at as acknowledgedAt',
  'acknowledged_by as acknowledgedBy',
  'assigned_to as assignedTo',
  'snoozed_until as snoozedUntil',
  'silenced_until as silencedUntil',
  'resolved_at as resolvedAt',
  'resolved_by as resolvedBy',
  'alert_count as alertCount',
  'firing_count as firingCount',
  'truncated_count as truncatedCount',
  'recorded_seq as recordedSeq',
  'deadlines',
  'merged_into as mergedInto',
  'opening',
  'cause_service as causeService',
  'cause_confidence as causeConfidence',
  'cause_by as causeBy',
] as const;

/** Newest number first. Throws InvalidCursorError. */
export async function listIncidents(
  tx: Tx,
  args: IncidentFilter & { cursor?: string; limit: number },
): Promise<Page<IncidentSummary>> {
  let query = filtered(tx, args).select(incidentColumns);
  if (args.cursor !== undefined) {
    const [number] = decodeCursor(args.cursor, ['integer']);
    query = query.where('number', '<', Math.min(number, 2 ** 31 - 1));
  }
  const rows = await query
    .orderBy('number', 'desc')
    .limit(args.limit + 1)
    .execute();
  return toPage(rows, args.limit, (last) => encodeCursor(last.number));
}

/** How many match, counted up to `limit`: beyond it a list says 'more than'. */
export async function countIncidents(tx: Tx, filter: IncidentFilter, limit = 10_000): Promise<number> {
  const { count } = await tx
    .selectFrom(
      filtered(tx, filter)
        .select('number')
        .limit(limit + 1)
        .as('matching'),
    )
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function filtered(tx: Tx, filter: IncidentFilter) {
  let query = tx.selectFrom('incidents');
  if (filter.status) query = query.where('status', 'in', filter.status);
  if (filter.active) query = query.where('resolved_at', 'is', null);
  if (filter.severity) query = query.where('severity', 'in', filter.severity);
  if (filter.service !== undefined) query = query.where('service', '=', filter.service);
  const { teamId, person } = filter;
  if (teamId !== undefined) query = query.where('team_id', '=', teamId);
  if (person !== undefined) {
    query = query.where((eb) => eb.or([eb('acknowledged_by', '=', person), eb('assigned_to', '=', person)]));
  }
  if (filter.since) query = query.where('opened_at', '>=', filter.since);
  const number = /^\s*#(\d{1,9})\s*$/.exec(filter.q ?? '')?.[1];
  if (number !== undefined) return query.where('number', '=', Number(number));
  for (const word of searchWords(filter.q ?? '')) {
    query = query.where((eb) => {
      const words = eb
        .selectFrom('incident_words')
        .select('incident_words.number')
        .whereRef('incident_words.number', '=', 'incidents.number')
        .whereRef('incident_words.org_id', '=', 'incidents.org_id');
      return eb.exists(
        /^\d+$/.test(word)
          ? words.where('word', '=', word)
          : words.where('word', '>=', word).where('word', '<', `${word}\u{10ffff}`),
      );
    });
  }
  return query;
}

/** As split_words in the database cuts titles, without the humps of camel case: a reader types either. */
function searchWords(q: string): string[] {
  const words = q
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, 64));
  return [...new Set(words)].slice(0, 8);
}

/** The services of incidents, for a filter to choose from: those of the newest `among` incidents, by name. */
export async function listIncidentServices(tx: Tx, among = 1000): Promise<string[]> {
  const rows = await tx
    .selectFrom(
      tx.selectFrom('incidents').select('service').orderBy('number', 'desc').limit(among).as('newest'),
    )
    .select('service')
    .distinct()
    .where('service', 'is not', null)
    .orderBy('service')
    .execute();
  return rows.flatMap((row) => (row.service === null ? [] : [row.service]));
}

export interface IncidentCounts {
  /** Opened in the window. */
  total: number;
  /** Not resolved now, whenever opened. */
  active: number;
  /** Of the active: nobody has acknowledged. */
  unacknowledged: number;
  /** Alert episodes that began in the window. */
  alerts: number;
  /** Notifications sent in the window. */
  notifications: number;
  /** 1 − incidents / alerts, at least 0; null without an alert. */
  noiseReduction: number | null;
}

/** The figures of the last `windowMs` milliseconds by the database's clock. */
export async function incidentCounts(tx: Tx, args: { windowMs: number }): Promise<IncidentCounts> {
  const since = sql<Date>`now() - ${args.windowMs} * interval '1 millisecond'`;
  const { rows } = await sql<Omit<IncidentCounts, 'noiseReduction'>>`
    select
      (select count(*) from incidents where opened_at >= ${since}) as total,
      active.active, active.unacknowledged,
      (select count(*) from alerts where received_at >= ${since}) as alerts,
      (select count(*) from notifications where created_at >= ${since} and status = 'sent') as notifications
    from (
      select count(*) as active, count(*) filter (where acknowledged_at is null) as unacknowledged
      from incidents where resolved_at is null
    ) active
  `.execute(tx);
  const counts = rows[0] ?? { total: 0, active: 0, unacknowledged: 0, alerts: 0, notifications: 0 };
  return {
    ...counts,
    noiseReduction: counts.alerts === 0 ? null : Math.max(0, 1 - counts.total / counts.alerts),
  };
}
