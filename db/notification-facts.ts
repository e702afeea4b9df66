import type { AlertStatus, Deadline, IncidentStatus, SlaState } from '../domain/incident-status.ts';
import type { Severity } from '../domain/severity.ts';
import type { Pauses } from '../domain/sla/clock.ts';
import { type ApprovalRecord, getApproval } from './approvals.ts';
import type { Tx } from './database.ts';
import { type ExecutionDetail, getExecution } from './executions-read.ts';

/** What messages say about an incident; alerts and patterns are the few that matter most. */
export interface IncidentFacts {
  id: string;
  number: number;
  title: string;
  status: IncidentStatus;
  severity: Severity;
  service: string | null;
  openedAt: Date;
  acknowledgedAt: Date | null;
  acknowledgedBy: string | null;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  /** Nobody is to be woken until then; what is over may still stand here. */
  snoozedUntil: Date | null;
  silencedUntil: Date | null;
  alertCount: number;
  firingCount: number;
  deadlines: Deadline[];
  /** The newest of its events that is written down: what a reader of the message has seen. */
  recordedSeq: number;
  /** 1, and one more with each reopening. */
  opening: number;
  /** Those that fire first, then by severity, then the newest. */
  alerts: AlertFacts[];
  sla: SlaFacts[];
  /** Where the trouble probably comes from; `by`: whose word it is, null: Holdfast's own ranking. */
  cause: { service: string; confidence: number; by: string | null } | null;
  /** Most frequent first; empty until the logs were looked at. */
  logPatterns: { template: string; count: number }[];
}

export interface SlaFacts {
  kind: 'acknowledge' | 'resolve';
  policy: string;
  dueAt: Date;
  state: SlaState;
  /** When it does not run. */
  pauses: Pauses;
}

export interface AlertFacts {
  name: string;
  status: AlertStatus;
  severity: Severity;
  service: string | null;
  summary: string | null;
  labels: Record<string, string>;
  fingerprint: string;
  receivedAt: Date;
  generatorUrl: string | null;
}

export interface NotificationFacts {
  incident: IncidentFacts | undefined;
  execution: ExecutionDetail | undefined;
  approval: ApprovalRecord | undefined;
}

const alertsTold = 10;
const patternsTold = 3;

/** What can be read of the subjects of a message; an execution brings its incident along. */
export async function readNotificationFacts(
  tx: Tx,
  ids: { incidentId?: string; executionId?: string; approvalId?: string },
): Promise<NotificationFacts> {
  const approval = ids.approvalId === undefined ? undefined : await getApproval(tx, ids.approvalId);
  const executionId = ids.executionId ?? approval?.executionId;
  const execution = executionId === undefined ? undefined : await getExecution(tx, executionId);
  const number = execution?.incidentNumber ?? approval?.incident?.number;
  const incident =
    ids.incidentId !== undefined
      ? await readIncident(tx, { column: 'id', value: ids.incidentId })
      : number !== undefined
        ? await readIncident(tx, { column: 'number', value: number })
        : undefined;
  return { incident, execution, approval };
}

/** To show what a message would say; undefined before the first incident. */
export async function newestIncidentId(tx: Tx): Promise<string | undefined> {
  const newest = await tx
    .selectFrom('incidents')
    .select('id')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.id;
}

async function readIncident(
  tx: Tx,
  by: { column: 'id'; value: string } | { column: 'number'; value: number },
): Promise<IncidentFacts | undefined> {
  const incident = await tx
    .selectFrom('incidents')
    .select([
      'id',
      'number',
      'title',
      'status',
      'severity',
      'service',
      'opened_at as openedAt',
      'acknowledged_at as acknowledgedAt',
      'acknowledged_by as acknowledgedBy',
      'resolved_at as resolvedAt',
      'resolved_by as resolvedBy',
      'snoozed_until as snoozedUntil',
      'silenced_until as silencedUntil',
      'alert_count as alertCount',
      'firing_count as firingCount',
      'deadlines',
      'recorded_seq as recordedSeq',
      'opening',
      'cause_service as causeService',
      'cause_confidence as causeConfidence',
      'cause_by as causeBy',
    ])
    .where(by.column, '=', by.value)
    .executeTakeFirst();
  if (!incident) return undefined;
  const alerts = await tx
    .selectFrom('alerts')
    .select([
      'name',
      'status',
      'severity',
      'service',
      'annotations',
      'labels',
      'fingerprint',
      'received_at as receivedAt',
      'generator_url as generatorUrl',
    ])
    .where('incident_id', '=', incident.id)
    .orderBy((eb) => eb('status', '=', 'resolved'))
    .orderBy('severity_rank')
    .orderBy('id', 'desc')
    .limit(alertsTold)
    .execute();
  const sla = await tx
    .selectFrom('sla_clocks')
    .select(['kind', 'policy', 'due_at as dueAt', 'state', 'pauses'])
    .where('incident_id', '=', incident.id)
    .orderBy('due_at')
    .execute();
  const logs = await tx
    .selectFrom('incident_logs')
    .select('patterns')
    .where('incident_id', '=', incident.id)
    .executeTakeFirst();
  const { causeService, causeConfidence, causeBy, ...told } = incident;
  return {
    ...told,
    cause:
      causeService === null ? null : { service: causeService, confidence: causeConfidence ?? 0, by: causeBy },
    alerts: alerts.map(({ annotations, ...alert }) => ({
      ...alert,
      summary: annotations.summary?.trim() || annotations.description?.trim() || null,
    })),
    sla,
    logPatterns: patternsOf(logs?.patterns),
  };
}

function patternsOf(stored: unknown): IncidentFacts['logPatterns'] {
  if (!Array.isArray(stored)) return [];
  return stored
    .filter(
      (pattern): pattern is { template: string; count: number } =>
        typeof pattern?.template === 'string' && typeof pattern?.count === 'number',
    )
    .slice(0, patternsTold)
    .map(({ template, count }) => ({ template, count }));
}
