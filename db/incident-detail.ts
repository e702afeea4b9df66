import { sql } from 'kysely';
import type { BreachReason } from '../domain/breach-reasons.ts';
import type { IncidentMetric } from '../domain/incident/analysis.ts';
import type { AlertStatus, SlaState } from '../domain/incident-status.ts';
import type { Severity } from '../domain/severity.ts';
import type { Pauses } from '../domain/sla/clock.ts';
import { type ApprovalRecord, approvalsOfIncident } from './approvals.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';
import { type ExecutionSummary, executionsOfIncident } from './executions-read.ts';
import {
  countEvidence,
  type EvidenceCounts,
  getIncidentLogs,
  type IncidentAnalysis,
  type IncidentChange,
  type IncidentLogs,
  listIncidentChanges,
  readAnalysis,
  readMetrics,
  readSimilar,
  type SimilarIncidentRecord,
} from './incident-evidence.ts';
import { type IncidentSummary, incidentColumns } from './incidents.ts';
import { newestById } from './newest-page.ts';

/** What every page of one incident shows, whichever of its evidence is looked at. */
export interface IncidentHead extends IncidentSummary {
  labels: Record<string, string>;
  closedAt: Date | null;
  escalationPolicy: string | null;
  /** What its alerts name, the one that failed first first; at most 200. */
  services: IncidentService[];
  sla: SlaClock[];
  /** Newest first. */
  executions: ExecutionSummary[];
  /** Newest first. */
  approvals: ApprovalRecord[];
  counts: EvidenceCounts;
  workflowId: string;
}

/** Everything that the JSON of one incident shows, but for its timeline, which comes in pages. */
export interface IncidentDetail extends IncidentHead {
  /** The newest `alertsShown` of `alertCount`; the rest is in listIncidentAlerts. */
  alerts: IncidentAlert[];
  /** Null until the first look at the logs has ended. */
  logs: IncidentLogs | null;
  analysis: IncidentAnalysis;
  metrics: IncidentMetric[];
  changes: IncidentChange[];
  similar: SimilarIncidentRecord[];
}

export interface IncidentService {
  service: string;
  alerts: number;
  firing: number;
  firstAt: Date;
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
  /** Fired and resolved so often in a short time that each change by itself says nothing. */
  flapping: boolean;
}

export interface SlaClock {
  kind: 'acknowledge' | 'resolve';
  policy: string;
  startedAt: Date;
  atRiskAt: Date;
  dueAt: Date;
  state: SlaState;
  endedAt: Date | null;
  /** When it does not run: [from, to) in epoch milliseconds. */
  pauses: Pauses;
  breach: { reason: BreachReason; note: string | null; by: string; at: Date } | null;
}

const alertsShown = 200;
const servicesShown = 200;

/** Undefined when there is none of this number, or none that this scope sees. */
export async function getIncidentHead(tx: Tx, number: number): Promise<IncidentHead | undefined> {
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
  return {
    ...shown,
    services: await servicesOfIncident(tx, incident.id),
    sla: await listSlaClocks(tx, incident.id),
    executions: await executionsOfIncident(tx, incident.id),
    approvals: await approvalsOfIncident(tx, incident.id),
    counts: await countEvidence(tx, incident.id),
    workflowId: `incident:${orgId}:${number}`,
  };
}

/** As `getIncidentHead`, with all evidence. */
export async function getIncidentByNumber(tx: Tx, number: number): Promise<IncidentDetail | undefined> {
  const head = await getIncidentHead(tx, number);
  if (!head) return undefined;
  return {
    ...head,
    alerts: (await listIncidentAlerts(tx, { incidentId: head.id, limit: alertsShown })).items,
    logs: (await getIncidentLogs(tx, head.id)) ?? null,
    analysis: await readAnalysis(tx, head.id),
    metrics: await readMetrics(tx, head.id),
    changes: await listIncidentChanges(tx, head.id),
    similar: await readSimilar(tx, head.id),
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
  const alerts = tx
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
      'flapping',
    ])
    .where('incident_id', '=', args.incidentId);
  return await newestById(alerts, 'id', args);
}

async function servicesOfIncident(tx: Tx, incidentId: string): Promise<IncidentService[]> {
  const rows = await tx
    .selectFrom('alerts')
    .select((eb) => [
      'service',
      eb.fn.countAll<number>().as('alerts'),
      eb.fn.countAll<number>().filterWhere('status', '=', 'firing').as('firing'),
      eb.fn.min('received_at').as('firstAt'),
    ])
    .where('incident_id', '=', incidentId)
    .where('service', 'is not', null)
    .groupBy('service')
    .orderBy('firstAt')
    .orderBy('service')
    .limit(servicesShown)
    .execute();
  return rows.flatMap(({ service, ...row }) => (service === null ? [] : [{ ...row, service }]));
}

async function listSlaClocks(tx: Tx, incidentId: string): Promise<SlaClock[]> {
  const rows = await tx
    .selectFrom('sla_clocks')
    .select([
      'kind',
      'policy',
      'started_at as startedAt',
      'at_risk_at as atRiskAt',
      'due_at as dueAt',
      'state',
      'ended_at as endedAt',
      'pauses',
      'breach_reason as reason',
      'breach_note as note',
      'breach_explained_by as by',
      'breach_explained_at as at',
    ])
    .where('incident_id', '=', incidentId)
    .orderBy('kind')
    .execute();
  return rows.map(({ reason, note, by, at, ...clock }) => ({
    ...clock,
    breach: reason === null || by === null || at === null ? null : { reason, note, by, at },
  }));
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
