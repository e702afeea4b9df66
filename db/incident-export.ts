import { changeWords } from '../domain/changes/score.ts';
import type { IncidentExport } from '../domain/incident-export/incident-export.ts';
import { incidentSentence, sentenceText } from '../domain/incident-sentence.ts';
import { lines } from '../domain/markup.ts';
import { nameOf, type People, withNames } from '../domain/people.ts';
import type { Tx } from './database.ts';
import { listPeople } from './identity.ts';
import { getIncidentByNumber, type IncidentDetail, listTimeline } from './incident-detail.ts';
import { listIncidentNotifications } from './notifications-read.ts';
import { sentenceFacts } from './sentence-facts.ts';

/** More would be no draft of anything; the first of them tell how it began. */
const timelineExported = 2000;
/** Characters that are told of each. */
const summaryLength = 2000;

/** Undefined when there is none of this number, or none that this scope sees. `now`: epoch ms. */
export async function readIncidentExport(
  tx: Tx,
  number: number,
  { publicUrl, now }: { publicUrl: string; now: number },
): Promise<IncidentExport | undefined> {
  const incident = await getIncidentByNumber(tx, number);
  if (!incident) return undefined;
  const people = await listPeople(tx);
  const notifications = (await listIncidentNotifications(tx, { incidentId: incident.id, limit: 50 })).items;
  const sentence = incidentSentence(sentenceFacts({ incident, notifications, people }), now);
  const timeline = await listTimeline(tx, { incidentId: incident.id, limit: timelineExported });
  return {
    exportedAt: new Date(now).toISOString(),
    url: `${publicUrl}/incidents/${number}`,
    summary: sentenceText(sentence, (at) => `${at.slice(11, 16)} UTC`),
    ...standing(incident, people),
    ...evidence(incident, people),
    timeline: timeline.items.map((entry) => ({
      at: entry.at.toISOString(),
      kind: entry.kind,
      actor: nameOf(people, entry.actor),
      summary: withNames(people, lines(entry.summary, summaryLength)),
    })),
    timelineOmitted: incident.counts.timeline - timeline.items.length,
  };
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

function standing(incident: IncidentDetail, people: People) {
  const named = (who: string | null) => (who === null ? null : nameOf(people, who));
  return {
    number: incident.number,
    title: incident.title,
    status: incident.status,
    severity: incident.severity,
    service: incident.service,
    openedAt: incident.openedAt.toISOString(),
    acknowledgedAt: iso(incident.acknowledgedAt),
    acknowledgedBy: named(incident.acknowledgedBy),
    assignedTo: named(incident.assignedTo),
    resolvedAt: iso(incident.resolvedAt),
    resolvedBy: named(incident.resolvedBy),
    mergedInto: incident.mergedInto,
    alertCount: incident.alertCount,
    services: incident.services.map(({ service, alerts, firstAt }) => ({
      service,
      alerts,
      firstAt: firstAt.toISOString(),
    })),
    sla: incident.sla.map((clock) => ({
      kind: clock.kind,
      policy: clock.policy,
      startedAt: clock.startedAt.toISOString(),
      dueAt: clock.dueAt.toISOString(),
      state: clock.state,
      endedAt: iso(clock.endedAt),
    })),
    executions: incident.executions.toReversed().map((execution) => ({
      runbook: execution.runbook,
      target: execution.target,
      status: execution.status,
      reason: execution.statusReason,
      requestedBy: nameOf(people, execution.requestedBy),
      startedAt: iso(execution.startedAt),
      finishedAt: iso(execution.finishedAt),
    })),
  };
}

function evidence(incident: IncidentDetail, people: People) {
  const { causeService, causeConfidence, causeBy, logs } = incident;
  return {
    cause:
      causeService === null
        ? null
        : {
            service: causeService,
            confidence: causeConfidence ?? 0,
            by: causeBy === null ? null : nameOf(people, causeBy),
          },
    causes: incident.analysis.causes,
    notes: incident.analysis.notes,
    changes: incident.changes.map((change) => ({
      words: changeWords(change),
      at: change.at.toISOString(),
      score: change.score,
      reasons: change.reasons,
      verdict: change.verdict,
      judgedBy: change.judgedBy === null ? null : nameOf(people, change.judgedBy),
      author: change.author === null ? null : nameOf(people, change.author),
      url: change.url,
    })),
    alerts: incident.alerts.map((alert) => ({
      name: alert.name,
      status: alert.status,
      severity: alert.severity,
      service: alert.service,
      summary: alert.annotations.summary ?? alert.annotations.description ?? null,
      labels: alert.labels,
      receivedAt: alert.receivedAt.toISOString(),
      resolvedAt: iso(alert.resolvedAt),
      occurrences: alert.occurrences,
      flapping: alert.flapping,
    })),
    logs: logs && {
      source: logs.source,
      link: logs.link,
      total: logs.total,
      patterns: logs.patterns,
      stackTraces: logs.stackTraces,
      lines: logs.lines,
    },
    metrics: incident.metrics,
    similar: incident.similar.map((each) => ({
      number: each.number,
      title: each.title,
      score: each.score,
      reasons: each.reasons,
      status: each.status,
      cause: each.causeService,
      openedAt: each.openedAt.toISOString(),
      resolvedAt: iso(each.resolvedAt),
      runbooks: each.executions.map(({ runbook, status }) => ({ runbook, status })),
    })),
  };
}
