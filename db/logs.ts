import { sql } from 'kysely';
import type { ServiceLogs } from '../domain/logs/by-service.ts';
import type { LogEvidence } from '../domain/logs/log-evidence.ts';
import type { LogLevel, LogLine } from '../domain/logs/log-line.ts';
import { type AlertTrace, instanceHosts, type LogQuery, type LogSelector } from '../domain/logs/query.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** Stores the lines of one request in one statement. Returns how many. */
export async function insertLogs(
  tx: Tx,
  { orgId, lines }: { orgId: string; lines: readonly LogLine[] },
): Promise<number> {
  if (lines.length === 0) return 0;
  const rows = lines.map((line) => ({ ...line, at: new Date(line.at).toISOString() }));
  const result = await sql`
    insert into logs (org_id, at, service, host, level, message, labels)
    select ${orgId}::uuid, l.at, l.service, l.host, l.level, l.message, l.labels
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as l(at timestamptz, service text, host text, level text, message text, labels jsonb)
  `.execute(tx);
  return Number(result.numAffectedRows ?? 0);
}

/** Characters of a message that are read: more says nothing more to patterns, traces and people. */
const messageRead = 8000;

/**
 * Of the lines that `query` asks for the worst, then the latest, up to its limit: by time, those of one instant
 * as they came (a trace may be spread over several). `total` counts all of them.
 */
export async function queryLogs(tx: Tx, query: LogQuery): Promise<{ lines: LogLine[]; total: number }> {
  const { rows } = await logsStatement(query).execute(tx);
  return {
    lines: rows.map(({ total: _total, at, ...line }) => ({ ...line, at: at.getTime() })),
    total: rows[0]?.total ?? 0,
  };
}

interface LogRow {
  at: Date;
  service: string;
  host: string | null;
  level: LogLevel;
  message: string;
  labels: Record<string, string>;
  total: number;
}

/** The statement of `queryLogs`, for its test to explain. */
export function logsStatement(query: LogQuery) {
  const wanted =
    query.anyOf.length > 0 ? sql.join(query.anyOf.map(holds), sql` or `) : sql`level in ('fatal', 'error')`;
  const within = query.within.map(
    (selector) =>
      sql`and (labels->>${selector.field} is null or labels->>${selector.field} = any(${selector.values}))`,
  );
  return sql<LogRow>`
    select at, service, host, level, message, labels, total from (
      select id, at, service, host, level, left(message, ${messageRead}) as message, labels,
        (count(*) over ())::integer as total
      from logs
      where at >= ${new Date(query.from)} and at < ${new Date(query.to)} and (${wanted})
        ${sql.join(within, sql` `)}
      order by case level when 'fatal' then 0 when 'error' then 0 when 'warn' then 1 else 2 end, at desc, id desc
      limit ${query.limit}
    ) chosen
    order by at, id
  `;
}

function holds({ field, values }: LogSelector) {
  switch (field) {
    case 'service':
      return sql`service = any(${values})`;
    case 'host':
      return sql`host = any(${values})`;
    case 'instance':
      return sql`host = any(${values.flatMap(instanceHosts)}) or labels->>'instance' = any(${values})`;
    case 'pod':
      // inside a pod its name is the host's name
      return sql`host = any(${values}) or labels->>'pod' = any(${values})`;
    case 'namespace':
      return sql`labels->>'namespace' = any(${values})`;
  }
}

/** What the log query of an incident is made from: its alerts, the first 200 of them. */
export async function listAlertTraces(
  tx: Tx,
  { incidentId }: { incidentId: string },
): Promise<(AlertTrace & { service: string | null })[]> {
  const rows = await tx
    .selectFrom('alerts')
    .select(['labels', 'service', 'starts_at', 'received_at'])
    .where('incident_id', '=', incidentId)
    .orderBy('id')
    .limit(200)
    .execute();
  return rows.map((row) => ({
    labels: row.labels,
    service: row.service,
    startsAt: row.starts_at.getTime(),
    receivedAt: row.received_at.getTime(),
  }));
}

/** What of the incident decides where its logs are; undefined where there is none. */
export async function readLogSubject(
  tx: Tx,
  { incidentId }: { incidentId: string },
): Promise<
  | { severity: Severity; service: string | null; team: string | null; labels: Record<string, string> }
  | undefined
> {
  return await tx
    .selectFrom('incidents as i')
    .leftJoin('teams as t', 't.id', 'i.team_id')
    .select(['i.severity', 'i.service', 't.slug as team', 'i.labels'])
    .where('i.id', '=', incidentId)
    .executeTakeFirst();
}

export interface IncidentLogsRecord {
  orgId: string;
  incidentId: string;
  source: string;
  query: Record<string, unknown>;
  link: string | null;
  total: number;
  evidence: LogEvidence;
  /** What could not be had, of some of the sources. */
  error: string | null;
  /** When that is asked for again; null: it is not. */
  retryAt: Date | null;
}

/** Puts the evidence of the latest look in the place of an earlier one's. */
export async function saveIncidentLogs(tx: Tx, given: IncidentLogsRecord): Promise<void> {
  const record = storable(given);
  const found = {
    source: record.source,
    query: JSON.stringify(record.query),
    link: record.link,
    total: Math.min(record.total, 2_147_483_647),
    patterns: JSON.stringify(record.evidence.patterns),
    stack_traces: JSON.stringify(record.evidence.stackTraces),
    lines: JSON.stringify(record.evidence.lines),
    services: JSON.stringify(record.evidence.services),
    error: record.error,
    retry_at: record.retryAt,
  };
  await tx
    .insertInto('incident_logs')
    .values({ org_id: record.orgId, incident_id: record.incidentId, ...found })
    .onConflict((conflict) =>
      conflict.column('incident_id').doUpdateSet({ ...found, fetched_at: sql`now()` }),
    )
    .execute();
}

/** Says on the incident why its logs could not be had; what an earlier look found stays. */
export async function saveIncidentLogsError(
  tx: Tx,
  given: Pick<IncidentLogsRecord, 'orgId' | 'incidentId' | 'source' | 'query' | 'link' | 'retryAt'> & {
    error: string;
  },
): Promise<void> {
  const record = storable(given);
  await tx
    .insertInto('incident_logs')
    .values({
      org_id: record.orgId,
      incident_id: record.incidentId,
      source: record.source,
      query: JSON.stringify(record.query),
      link: record.link,
      total: 0,
      patterns: '[]',
      stack_traces: '[]',
      lines: '[]',
      error: record.error,
      retry_at: record.retryAt,
    })
    .onConflict((conflict) =>
      conflict
        .column('incident_id')
        .doUpdateSet({ error: record.error, retry_at: record.retryAt, fetched_at: sql`now()` }),
    )
    .execute();
}

/** What the latest look at the incident's logs said of each service; empty before the first one. */
export async function readLogsByService(
  tx: Tx,
  { incidentId }: { incidentId: string },
): Promise<ServiceLogs[]> {
  const row = await tx
    .selectFrom('incident_logs')
    .select('services')
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  return row?.services ?? [];
}
