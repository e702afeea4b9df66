import type { z } from 'zod';
import type { LoggedMessage } from '../../db/notification-log.ts';
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
    partOf: message.partOf,
  };
}
