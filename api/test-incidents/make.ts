import type { Database } from '../../db/database.ts';
import { firstAlertIntegration } from '../../db/identity.ts';
import { insertLogs } from '../../db/logs.ts';
import { parseLogLines } from '../../domain/logs/log-line.ts';
import { type TestIncidentKind, testIncident } from '../../domain/test-incident.ts';
import type { AlertIntake } from '../alerts/accept.ts';
import { ConflictError } from '../errors.ts';

/**
 * Makes the alert and the log lines of a test incident and gives them to the same intake as Alertmanager's.
 * Throws ConflictError when the organization has no integration to come by.
 */
export async function makeTestIncident(
  deps: { db: Pick<Database, 'read' | 'write'>; accept: AlertIntake },
  asked: { orgId: string; kind: TestIncidentKind; resolve: boolean; now: number },
) {
  const { orgId } = asked;
  const integrationId = await deps.db.read({ orgId }, firstAlertIntegration);
  if (integrationId === undefined) {
    throw new ConflictError('there is no Alertmanager integration that a test incident could come by');
  }
  const made = testIncident(asked.kind, asked.resolve ? 'resolved' : 'firing', asked.now);
  const { lines } = parseLogLines(made.logs.map((line) => JSON.stringify(line)).join('\n'));
  const logLines = await deps.db.write({ orgId }, (tx) => insertLogs(tx, { orgId, lines }));
  const counts = await deps.accept({ orgId, integrationId }, made.webhook);
  const { alertname = '', service = '' } = made.webhook.commonLabels;
  return {
    kind: made.kind,
    alert: alertname,
    service,
    received: counts.received,
    new: counts.new,
    updated: counts.updated,
    resolved: counts.resolved,
    logLines,
  };
}
