import type { IncidentFacts } from '../domain/incident-sentence.ts';
import { nameOf, type People, withNames } from '../domain/people.ts';
import type { ApprovalRecord } from './approvals.ts';
import type { IncidentHead } from './incident-detail.ts';
import type { NotificationRecord } from './notifications-read.ts';

/** What the one sentence of an incident is made from, with people by name. */
export function sentenceFacts({
  incident,
  notifications,
  people,
}: {
  incident: IncidentHead;
  /** Newest first. */
  notifications: NotificationRecord[];
  people: People;
}): IncidentFacts {
  const named = (who: string | null) => (who === null ? null : nameOf(people, who));
  const iso = (date: Date | null) => date?.toISOString() ?? null;
  return {
    title: incident.title,
    service: incident.service,
    severity: incident.severity,
    status: incident.status,
    openedAt: incident.openedAt.toISOString(),
    alertCount: incident.alertCount,
    firingCount: incident.firingCount,
    serviceCount: incident.services.length,
    cause:
      incident.causeService === null
        ? null
        : {
            service: incident.causeService,
            confidence: incident.causeConfidence ?? 0,
            by: named(incident.causeBy),
          },
    mergedInto: incident.mergedInto,
    acknowledgedAt: iso(incident.acknowledgedAt),
    acknowledgedBy: named(incident.acknowledgedBy),
    assignedTo: named(incident.assignedTo),
    snoozedUntil: iso(incident.snoozedUntil),
    silencedUntil: iso(incident.silencedUntil),
    resolvedAt: iso(incident.resolvedAt),
    resolvedBy: named(incident.resolvedBy),
    pages: notifications
      .filter((sent) => sent.type === 'escalation.page' && sent.status === 'sent')
      .map((sent) => ({
        who: nameOf(people, sent.person ?? sent.destination),
        at: (sent.finishedAt ?? sent.createdAt).toISOString(),
      }))
      .reverse(),
    deadlines: incident.deadlines.map((deadline) => ({
      ...deadline,
      what: withNames(people, deadline.what),
    })),
    waiting: pendingApprovals(incident).map((approval) => ({
      runbook: approval.runbook,
      expiresAt: approval.expiresAt.toISOString(),
    })),
    executions: incident.executions.map(({ runbook, status }) => ({ runbook, status })).reverse(),
  };
}

/** What is still asked; nothing once the incident is over. */
export function pendingApprovals(incident: IncidentHead): ApprovalRecord[] {
  return incident.resolvedAt === null
    ? incident.approvals.filter((approval) => approval.status === 'pending')
    : [];
}
