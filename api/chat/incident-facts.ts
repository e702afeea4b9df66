import type { Tx } from '../../db/database.ts';
import { listPeople } from '../../db/identity.ts';
import { getIncidentHead } from '../../db/incident-detail.ts';
import { listIncidentNotifications } from '../../db/notifications-read.ts';
import { pendingApprovals, sentenceFacts } from '../../db/sentence-facts.ts';
import type { ChatIncident } from '../../domain/chat/answers.ts';
import { incidentSentence } from '../../domain/incident-sentence.ts';
import { nameOf } from '../../domain/people.ts';

/** What an answer shows of an incident; undefined where this scope sees none of the number. */
export async function readChatIncident(
  tx: Tx,
  number: number,
  now: number,
): Promise<ChatIncident | undefined> {
  const incident = await getIncidentHead(tx, number);
  if (!incident) return undefined;
  const people = await listPeople(tx);
  const { items: notifications } = await listIncidentNotifications(tx, {
    incidentId: incident.id,
    limit: 50,
  });
  const { acknowledgedBy } = incident;
  return {
    number: incident.number,
    title: incident.title,
    severity: incident.severity,
    status: incident.status,
    service: incident.service,
    openedAt: incident.openedAt,
    acknowledgedBy: acknowledgedBy === null ? null : nameOf(people, acknowledgedBy),
    sentence: incidentSentence(sentenceFacts({ incident, notifications, people }), now),
    resolvedAt: incident.resolvedAt,
    alertCount: incident.alertCount,
    firingCount: incident.firingCount,
    recordedSeq: incident.recordedSeq,
    opening: incident.opening,
    approvals: pendingApprovals(incident).map((approval) => ({
      id: approval.id,
      executionId: approval.executionId,
      runbook: approval.runbook,
      target: approval.target,
      requestedBy: nameOf(people, approval.requestedBy),
      expiresAt: approval.expiresAt,
      required: approval.required,
      given: approval.votes.filter(({ decision }) => decision === 'approve').length,
    })),
  };
}
