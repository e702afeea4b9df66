import type { RunbookDefinition } from '../domain/runbook/definition.ts';
import { matchRunbooks } from '../domain/runbook/match.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { listIncidentAlerts } from './incident-detail.ts';
import { listRunbooks, type RunbookRecord } from './runbooks.ts';

/** A firing alert of an open incident that calls a runbook as its triggers stand. */
export interface MatchingAlert {
  alertId: number;
  alertName: string;
  severity: Severity;
  incidentNumber: number;
  incidentTitle: string;
  receivedAt: Date;
  /** When it will have fired for as long as the trigger asks: from then on it calls the runbook. */
  callsAt: Date;
}

/** The newest that are looked at: a storm of alerts says nothing more than its first thousand. */
const lookedAt = 1000;

/** Newest first, one for each incident. */
export async function matchingNow(tx: Tx, definition: RunbookDefinition): Promise<MatchingAlert[]> {
  if (definition.triggers.length === 0) return [];
  const firing = await tx
    .selectFrom('incidents')
    .innerJoin('alerts', 'alerts.incident_id', 'incidents.id')
    .select([
      'alerts.id as alertId',
      'alerts.name as alertName',
      'alerts.severity',
      'alerts.labels',
      'alerts.received_at as receivedAt',
      'incidents.number as incidentNumber',
      'incidents.title as incidentTitle',
    ])
    .where('incidents.resolved_at', 'is', null)
    .where('alerts.status', '=', 'firing')
    .orderBy('incidents.number', 'desc')
    .orderBy('alerts.id')
    .limit(lookedAt)
    .execute();
  const matching = new Map<number, MatchingAlert>();
  for (const { labels, ...alert } of firing) {
    if (matching.has(alert.incidentNumber)) continue;
    const [match] = matchRunbooks([definition], { ...alert, labels });
    if (!match) continue;
    const callsAt = new Date(alert.receivedAt.getTime() + match.minDurationMs);
    matching.set(alert.incidentNumber, { ...alert, callsAt });
  }
  return [...matching.values()];
}

/** The newest of an incident, which say what kind of trouble it is. */
const alertsMatched = 20;

/** Those that can be run, by name; those that the alerts of the incident call stand first. */
export async function listRunbooksFor(tx: Tx, incidentId: string | undefined): Promise<RunbookRecord[]> {
  const runbooks = (await listRunbooks(tx)).filter(({ removedAt }) => removedAt === null);
  if (incidentId === undefined) return runbooks;
  const { items: alerts } = await listIncidentAlerts(tx, { incidentId, limit: alertsMatched });
  const definitions = runbooks.map(({ definition }) => definition);
  const called = new Set(
    alerts.flatMap((alert) =>
      matchRunbooks(definitions, { ...alert, alertName: alert.name }).map(({ name }) => name),
    ),
  );
  return [
    ...runbooks.filter(({ name }) => called.has(name)),
    ...runbooks.filter(({ name }) => !called.has(name)),
  ];
}
