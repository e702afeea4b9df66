import { sql } from 'kysely';
import type { AlertStatus, SlaState } from '../domain/incident-status.ts';
import type { LogPattern, RelevantLine, StackTraceEvidence } from '../domain/logs/log-evidence.ts';
import type { Severity } from '../domain/severity.ts';
import { type ApprovalRecord, approvalsOfIncident } from './approvals.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';
import { type ExecutionSummary, executionsOfIncident } from './executions-read.ts';
import { type IncidentSummary, incidentColumns } from './incidents.ts';

/** Everything that the page and the JSON of one incident show, but for its timeline, which comes in pages. */
export interface IncidentDetail extends IncidentSummary {
  labels: Record<string, string>;
  closedAt: Date | null;
  escalationPolicy: string | null;
  /** The newest `alertsShown` of `alertCount`; the rest is in listIncidentAlerts. */
  alerts: IncidentAlert[];
  /** Null until the first look at the logs has ended. */
  logs: IncidentLogs | null;
  sla: SlaClock[];
  /** Newest first. */
  executions: ExecutionSummary[];
  /** Newest first. */
  approvals: ApprovalRecord[];
  workflowId: string;
}

export interface IncidentAlert {
  id: number;
  fingerprint: string;
  name: string;
  status: AlertStatus;
  severity: Severity;
  service: string | null;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  generatorUrl: string | null;
  /** The sender's clock. */
  startsAt: Date;
  endsAt: Date | null;
  receivedAt: Date;
  lastSeenAt: Date;
  resolvedAt: Date | null;
  occurrences: number;
  correlationReason: string | null;
}

export interface SlaClock {
  kind: 'acknowledge' | 'resolve';
  policy: string;
  startedAt: Date;
  atRiskAt: Date;
  dueAt: Date;
  state: SlaState;
  endedAt: Date | null;
}

export interface IncidentLogs {
  source: string;
  query: Record<string, unknown>;
  /** To the full query in the log system, where it has pages. */
  link: string | null;
  total: number;
  patterns: LogPattern[];
  stackTraces: StackTraceEvidence[];
  /** Most relevant first. */
  lines: RelevantLine[];
  /** Why the last look failed; what an earlier one found stays. */
  error: string | null;
  fetchedAt: Date;
}

const alertsShown = 200;

/** Undefined when there is none of this number, or none that this scope sees. */
export async function getIncidentByNumber(tx: Tx, number: number): Promise<IncidentDetail | undefined> {
  const incident = await tx
    .selectFrom('incidents')
    .select([
      ...incidentColumns,
      'org_id as orgId',
      'labels',
      'closed_at as closedAt',
      'escalation_policy as escalationPolicy',
    ])
    .where('number', '=', number)
    .executeTakeFirst();
  if (!incident) return undefined;
  const { orgId, ...shown } = incident;
  const alerts = await listIncidentAlerts(tx, { incidentId: incident.id, limit: alertsShown });
  return {
    ...shown,
    alerts: alerts.items,
    logs: (await getIncidentLogs(tx, incident.id)) ?? null,
    sla: await listSlaClocks(tx, incident.id),
    executions: await executionsOfIncident(tx, incident.id),
    approvals: await approvalsOfIncident(tx, incident.id),
    workflowId: `incident:${orgId}:${number}`,
  };
}

/** The incident's summary alone: enough to say whether this scope sees it and what it is called. */
export async function findIncident(tx: Tx, number: number): Promise<IncidentSummary | undefined> {
  return await tx
    .selectFrom('incidents')
    .select(incidentColumns)
    .where('number', '=', number)
    .executeTakeFirst();
}

/** Newest first. Throws InvalidCursorError. */
export async function listIncidentAlerts(
  tx: Tx,
  args: { incidentId: string; cursor?: string; limit: number },
): Promise<Page<IncidentAlert>> {
  let query = tx
    .selectFrom('alerts')
    .select([
      'id',
      'fingerprint',
      'name',
      'status',
      'severity',
      'service',
      'labels',
      'annotations',
      'generator_url as generatorUrl',
      'starts_at as startsAt',
      'ends_at as endsAt',
      'received_at as receivedAt',
      'last_seen_at as lastSeenAt',
      'resolved_at as resolvedAt',
      'occurrences',
      'correlation_reason as correlationReason',
    ])
    .where('incident_id', '=', args.incidentId);
  if (args.cursor !== undefined) {
    const [id] = decodeCursor(args.cursor, ['integer']);
    query = query.where('id', '<', id);
  }
  const rows = await query
    .orderBy('id', 'desc')
    .limit(args.limit + 1)
    .execute();
  return toPage(rows, args.limit, (last) => encodeCursor(last.id));
}

async function getIncidentLogs(tx: Tx, incidentId: string): Promise<IncidentLogs | undefined> {
  const row = await tx
    .selectFrom('incident_logs')
    .select([
      'source',
      'query',
      'link',
      'total',
      'patterns',
      'stack_traces as stackTraces',
      'lines',
      'error',
      'fetched_at as fetchedAt',
    ])
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    ...row,
    // jsonb arrays, written by the evidence activity alone
    patterns: row.patterns as unknown as LogPattern[],
    stackTraces: row.stackTraces as unknown as StackTraceEvidence[],
    lines: row.lines as unknown as RelevantLine[],
  };
}

async function listSlaClocks(tx: Tx, incidentId: string): Promise<SlaClock[]> {
  return await tx
    .selectFrom('sla_clocks')
    .select([
      'kind',
      'policy',
      'started_at as startedAt',
      'at_risk_at as atRiskAt',
      'due_at as dueAt',
      'state',
      'ended_at as endedAt',
    ])
    .where('incident_id', '=', incidentId)
    .orderBy('kind')
    .execute();
}

export interface TimelineEntry {
  id: number;
  at: Date;
  kind: string;
  actor: string;
  summary: string;
  data: Record<string, unknown>;
}

/** Oldest first, or newest first for `newestFirst`. Throws InvalidCursorError. */
export async function listTimeline(
  tx: Tx,
  args: { incidentId: string; cursor?: string; limit: number; newestFirst?: boolean },
): Promise<Page<TimelineEntry>> {
  const direction = args.newestFirst ? 'desc' : 'asc';
  const beyond = args.newestFirst ? '<' : '>';
  let query = tx
    .selectFrom('timeline')
    // the instant as text keeps its microseconds, which a Date loses
    .select(['id', 'at', 'kind', 'actor', 'summary', 'data', sql<string>`at::text`.as('exactAt')])
    .where('incident_id', '=', args.incidentId);
  if (args.cursor !== undefined) {
    const [at, id] = decodeCursor(args.cursor, ['instant', 'integer']);
    query = query.where((eb) =>
      eb(eb.refTuple('at', 'id'), beyond, eb.tuple(sql<Date>`${at}::timestamptz`, id)),
    );
  }
  const rows = await query
    .orderBy('at', direction)
    .orderBy('id', direction)
    .limit(args.limit + 1)
    .execute();
  const page = toPage(rows, args.limit, (last) => encodeCursor(last.exactAt, last.id));
  return { ...page, items: page.items.map(({ exactAt: _, ...entry }) => entry) };
}
