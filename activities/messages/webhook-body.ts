import type { NotificationFacts } from '../../db/notification-facts.ts';
import type { Report } from '../../db/reports.ts';
import type { NotificationType } from '../../domain/notification.ts';
import { executionUrl, incidentUrl } from './message.ts';

/**
 * The outgoing webhook: `{type, id, at, incident{…}, alerts[…], …}`. Others build on the names, so they are listed
 * one by one; parts that a message is not about are left out. `id` is the same for every attempt. It carries no
 * signed link, since whoever reads the body could act in its reader's name.
 */
export function webhookBody(message: {
  type: NotificationType;
  id: string;
  at: Date;
  /** The message in one line. */
  text: string;
  facts: NotificationFacts;
  report?: Report | undefined;
  detail: Record<string, string | number | boolean | null>;
  publicUrl: string;
}): string {
  const { incident, execution, approval } = message.facts;
  const { report, publicUrl } = message;
  return JSON.stringify({
    type: message.type,
    id: message.id,
    at: message.at,
    text: message.text,
    ...(incident && {
      incident: {
        number: incident.number,
        title: incident.title,
        severity: incident.severity,
        status: incident.status,
        service: incident.service,
        openedAt: incident.openedAt,
        acknowledgedAt: incident.acknowledgedAt,
        acknowledgedBy: incident.acknowledgedBy,
        resolvedAt: incident.resolvedAt,
        resolvedBy: incident.resolvedBy,
        alertCount: incident.alertCount,
        firingCount: incident.firingCount,
        url: incidentUrl(publicUrl, incident.number),
      },
      alerts: incident.alerts.map((alert) => ({
        name: alert.name,
        status: alert.status,
        severity: alert.severity,
        service: alert.service,
        summary: alert.summary,
        labels: alert.labels,
        fingerprint: alert.fingerprint,
        receivedAt: alert.receivedAt,
        generatorUrl: alert.generatorUrl,
      })),
      sla: incident.sla.map(({ kind, policy, dueAt, state }) => ({ kind, policy, dueAt, state })),
    }),
    ...(execution && {
      execution: {
        id: execution.id,
        runbook: execution.runbook,
        version: execution.runbookVersion,
        target: execution.target,
        requestedBy: execution.requestedBy,
        status: execution.status,
        statusReason: execution.statusReason,
        startedAt: execution.startedAt,
        finishedAt: execution.finishedAt,
        steps: execution.steps.map((step) => ({
          name: step.name,
          description: step.description,
          status: step.status,
          error: step.error,
          rollback: step.rollback && {
            description: step.rollback.description,
            status: step.rollback.status,
            error: step.rollback.error,
          },
        })),
        url: executionUrl(publicUrl, execution.id),
      },
    }),
    ...(approval && {
      approval: {
        id: approval.id,
        status: approval.status,
        requestedBy: approval.requestedBy,
        requestedAt: approval.requestedAt,
        expiresAt: approval.expiresAt,
        required: approval.required,
        url: `${publicUrl}/approvals`,
      },
    }),
    ...(report && {
      report: {
        id: report.id,
        kind: report.kind,
        subject: report.subject,
        periodStart: report.periodStart,
        periodEnd: report.periodEnd,
        data: report.data,
        url: `${publicUrl}/reports/${report.id}`,
      },
    }),
    ...(Object.keys(message.detail).length > 0 && { detail: message.detail }),
  });
}
