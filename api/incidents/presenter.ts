import type { z } from 'zod';
import type { IncidentAlert, IncidentDetail, TimelineEntry } from '../../db/incident-detail.ts';
import type { IncidentChange, IncidentLogs, SimilarIncidentRecord } from '../../db/incident-evidence.ts';
import type { IncidentSummary } from '../../db/incidents.ts';
import { presentChangeFields } from '../changes/presenter.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { incidentChange, logs, similarIncident } from './evidence-schema.ts';
import type { incidentAlert, incidentDetail, incidentSummary, timelineEntry } from './schema.ts';

export function presentSummary(incident: IncidentSummary): z.input<typeof incidentSummary> {
  return {
    number: incident.number,
    title: incident.title,
    status: incident.status,
    severity: incident.severity,
    service: incident.service,
    openedAt: iso(incident.openedAt),
    lastAlertAt: iso(incident.lastAlertAt),
    acknowledgedAt: isoOrNull(incident.acknowledgedAt),
    acknowledgedBy: incident.acknowledgedBy,
    assignedTo: incident.assignedTo,
    snoozedUntil: isoOrNull(incident.snoozedUntil),
    silencedUntil: isoOrNull(incident.silencedUntil),
    resolvedAt: isoOrNull(incident.resolvedAt),
    resolvedBy: incident.resolvedBy,
    alertCount: incident.alertCount,
    firingCount: incident.firingCount,
    deadlines: incident.deadlines,
    cause:
      incident.causeService === null
        ? null
        : {
            service: incident.causeService,
            confidence: incident.causeConfidence ?? 0,
            by: incident.causeBy,
          },
    recordedSeq: incident.recordedSeq,
    mergedInto: incident.mergedInto,
  };
}

export function presentIncident(
  incident: IncidentDetail,
  workflowUrl: string | null,
): z.input<typeof incidentDetail> {
  return {
    ...presentSummary(incident),
    closedAt: isoOrNull(incident.closedAt),
    truncatedAlerts: incident.truncatedCount,
    escalationPolicy: incident.escalationPolicy,
    labels: incident.labels,
    alerts: incident.alerts.map(presentAlert),
    services: incident.services.map((service) => ({ ...service, firstAt: iso(service.firstAt) })),
    logs: incident.logs && presentLogs(incident.logs),
    causes: incident.analysis.causes,
    notes: incident.analysis.notes,
    analysedAt: isoOrNull(incident.analysis.analysedAt),
    metrics: incident.metrics,
    changes: incident.changes.map(presentIncidentChange),
    similar: incident.similar.map(presentSimilar),
    sla: incident.sla.map((clock) => ({
      policy: clock.policy,
      kind: clock.kind,
      startedAt: iso(clock.startedAt),
      atRiskAt: iso(clock.atRiskAt),
      dueAt: iso(clock.dueAt),
      state: clock.state,
      endedAt: isoOrNull(clock.endedAt),
      pauses: clock.pauses.map(([from, to]) => ({ from: iso(new Date(from)), to: iso(new Date(to)) })),
      breach: clock.breach && { ...clock.breach, at: iso(clock.breach.at) },
    })),
    executions: incident.executions.map((execution) => ({
      id: execution.id,
      runbook: execution.runbook,
      target: execution.target,
      status: execution.status,
      requestedBy: execution.requestedBy,
      createdAt: iso(execution.createdAt),
      finishedAt: isoOrNull(execution.finishedAt),
    })),
    approvals: incident.approvals.map((approval) => ({
      id: approval.id,
      executionId: approval.executionId,
      runbook: approval.runbook,
      status: approval.status,
      expiresAt: iso(approval.expiresAt),
    })),
    workflowId: incident.workflowId,
    workflowUrl,
  };
}

function presentLogs(found: IncidentLogs): z.input<typeof logs> {
  return {
    source: found.source,
    query: found.query,
    link: found.link,
    total: found.total,
    patterns: found.patterns.map((pattern) => ({ ...pattern, before: pattern.before ?? null })),
    stackTraces: found.stackTraces,
    lines: found.lines,
    error: found.error,
    retryAt: isoOrNull(found.retryAt),
    fetchedAt: iso(found.fetchedAt),
  };
}

function presentIncidentChange(change: IncidentChange): z.input<typeof incidentChange> {
  return {
    ...presentChangeFields(change),
    score: change.score,
    reasons: change.reasons,
    verdict: change.verdict,
    judgedBy: change.judgedBy,
    judgedAt: isoOrNull(change.judgedAt),
  };
}

function presentSimilar(incident: SimilarIncidentRecord): z.input<typeof similarIncident> {
  return {
    number: incident.number,
    title: incident.title,
    score: incident.score,
    reasons: incident.reasons,
    status: incident.status,
    service: incident.service,
    openedAt: iso(incident.openedAt),
    resolvedAt: isoOrNull(incident.resolvedAt),
    resolvedBy: incident.resolvedBy,
    cause: incident.causeService,
    executions: incident.executions,
  };
}

export function presentAlert(alert: IncidentAlert): z.input<typeof incidentAlert> {
  return {
    id: alert.id,
    fingerprint: alert.fingerprint,
    name: alert.name,
    status: alert.status,
    severity: alert.severity,
    service: alert.service,
    labels: alert.labels,
    annotations: alert.annotations,
    generatorUrl: alert.generatorUrl,
    startsAt: iso(alert.startsAt),
    endsAt: isoOrNull(alert.endsAt),
    receivedAt: iso(alert.receivedAt),
    lastSeenAt: iso(alert.lastSeenAt),
    resolvedAt: isoOrNull(alert.resolvedAt),
    occurrences: alert.occurrences,
    correlationReason: alert.correlationReason,
    flapping: alert.flapping,
  };
}

export function presentTimelineEntry(entry: TimelineEntry): z.input<typeof timelineEntry> {
  return {
    at: iso(entry.at),
    kind: entry.kind,
    actor: entry.actor,
    summary: entry.summary,
    data: entry.data,
  };
}
