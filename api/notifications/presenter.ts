import type { z } from 'zod';
import type { LoggedMessage } from '../../db/notification-log.ts';
import type { SentMessage } from '../../domain/why.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { notificationShown } from './schema.ts';

export function presentNotification(message: LoggedMessage): z.input<typeof notificationShown> {
  const { execution } = message;
  return {
    id: message.id,
    key: message.key,
    type: message.type,
    channel: message.channel,
    destination: message.destination,
    person: message.person,
    subject: message.subject,
    status: message.status,
    attempts: message.attempts,
    error: message.error,
    createdAt: iso(message.createdAt),
    finishedAt: isoOrNull(message.finishedAt),
    latencyMs: message.latencyMs,
    incident: message.incident,
    execution: execution && { id: execution.id, runbook: execution.runbook },
    consolidatedInto: message.consolidatedInto,
  };
}

/** What `why` explains. It was due as long before its end as its latency says, else when it was begun. */
export function sentMessage(message: LoggedMessage): SentMessage {
  const { createdAt, finishedAt, latencyMs } = message;
  const dueAt = finishedAt && latencyMs !== null ? finishedAt.getTime() - latencyMs : createdAt.getTime();
  return {
    type: message.type,
    status: message.status,
    error: message.error,
    destination: message.destination,
    person: message.person,
    dueAt,
    incidentNumber: message.incident?.number ?? null,
    runbook: message.execution?.runbook ?? null,
    cause: message.cause,
  };
}
