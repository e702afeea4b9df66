import type { RuleEvent } from '../domain/notification-rules/rule.ts';
import type { TemplateFacts } from '../domain/notification-rules/template.ts';
import type { Tx } from './database.ts';
import { alertNames } from './incident-feed.ts';

/** What rules see of something that happened, and what their texts may say of it. */
export interface RuleSubject {
  event: Omit<RuleEvent, 'trigger' | 'at'>;
  facts: TemplateFacts;
  /** What messages about it show besides what stands in the rows. */
  detail: Record<string, string>;
}

const namesTold = 5;

/** Undefined where there is no such incident (any more). Of an alert of it, what happened is that alert's. */
export async function readIncidentSubject(
  tx: Tx,
  { incidentId, alertId }: { incidentId: string; alertId?: number | undefined },
): Promise<RuleSubject | undefined> {
  const incident = await tx
    .selectFrom('incidents as i')
    .leftJoin('teams as t', 't.id', 'i.team_id')
    .select(['i.number', 'i.title', 'i.severity', 'i.service', 'i.status', 'i.labels', 't.slug as team'])
    .select('i.cause_service as cause')
    .where('i.id', '=', incidentId)
    .executeTakeFirst();
  if (!incident) return undefined;
  const alert = alertId === undefined ? undefined : await alertOf(tx, incidentId, alertId);
  const alerts = alert ? [alert.name] : await alertNames(tx, incidentId);
  const { severity, service, labels } = alert ?? incident;
  return {
    event: { severity, service, team: incident.team, labels, alerts },
    facts: {
      alerts: namesText(alerts),
      'incident.number': String(incident.number),
      'incident.title': incident.title,
      'incident.severity': incident.severity,
      'incident.status': incident.status.replaceAll('_', ' '),
      ...(incident.service === null ? {} : { 'incident.service': incident.service }),
      ...(incident.team === null ? {} : { 'incident.team': incident.team }),
      ...(incident.cause === null ? {} : { 'incident.cause': incident.cause }),
    },
    detail: alert ? { alert: alert.name } : {},
  };
}

/** Number of the incident that has all of its alerts now; null: none. */
export async function readMergedInto(tx: Tx, incidentId: string): Promise<number | null> {
  const incident = await tx
    .selectFrom('incidents')
    .select('merged_into as mergedInto')
    .where('id', '=', incidentId)
    .executeTakeFirst();
  return incident?.mergedInto ?? null;
}

/** An execution brings its incident along; one without is told apart by its team alone. */
export async function readExecutionSubject(tx: Tx, executionId: string): Promise<RuleSubject | undefined> {
  const execution = await tx
    .selectFrom('executions as e')
    .leftJoin('teams as t', 't.id', 'e.team_id')
    .select(['e.runbook', 'e.target', 'e.status', 'e.status_reason as reason', 'e.incident_id as incidentId'])
    .select('t.slug as team')
    .where('e.id', '=', executionId)
    .executeTakeFirst();
  if (!execution) return undefined;
  const { incidentId, team, reason } = execution;
  const incident = incidentId === null ? undefined : await readIncidentSubject(tx, { incidentId });
  return {
    event: incident?.event ?? { severity: null, service: null, team, labels: {}, alerts: [] },
    facts: {
      ...incident?.facts,
      'execution.runbook': execution.runbook,
      'execution.target': execution.target,
      'execution.status': execution.status.replaceAll('_', ' '),
      ...(reason === null ? {} : { 'execution.reason': reason }),
    },
    detail: reason === null ? {} : { reason },
  };
}

/** A report is told apart by its team alone. */
export async function readReportSubject(tx: Tx, reportId: string): Promise<RuleSubject | undefined> {
  const report = await tx
    .selectFrom('reports as r')
    .leftJoin('teams as t', 't.id', 'r.team_id')
    .select('t.slug as team')
    .where('r.id', '=', reportId)
    .executeTakeFirst();
  if (!report) return undefined;
  return {
    event: { severity: null, service: null, team: report.team, labels: {}, alerts: [] },
    facts: {},
    detail: { reportId },
  };
}

/** Which clock of an incident became at risk, or was breached, at this moment (epoch milliseconds). */
export async function readClockDetail(
  tx: Tx,
  { incidentId, trigger, at }: { incidentId: string; trigger: 'sla.at_risk' | 'sla.breached'; at: number },
): Promise<Record<string, string>> {
  const clock = await tx
    .selectFrom('sla_clocks')
    .select(['kind', 'policy', 'due_at as dueAt'])
    .where('incident_id', '=', incidentId)
    .where(trigger === 'sla.breached' ? 'due_at' : 'at_risk_at', '=', new Date(at))
    .executeTakeFirst();
  return clock ? { kind: clock.kind, policy: clock.policy, dueAt: clock.dueAt.toISOString() } : {};
}

async function alertOf(tx: Tx, incidentId: string, alertId: number) {
  return await tx
    .selectFrom('alerts')
    .select(['name', 'severity', 'service', 'labels'])
    .where('incident_id', '=', incidentId)
    .where('id', '=', alertId)
    .executeTakeFirst();
}

function namesText(names: readonly string[]): string {
  const more = names.length - namesTold;
  return names.slice(0, namesTold).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
