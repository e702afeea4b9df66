import { causeSeenBy, type LoggedMessage, type LogReader, sentMessage } from '../../db/notification-log.ts';
import { type Reader, why } from '../../domain/why.ts';
import type { FoundOrigin } from '../../workflows/messages-origin.ts';
import { notificationsPath } from './list-view.ts';
import { latencyText, messageMarks, typeText, wayText } from './words.ts';

export function messageView(
  message: LoggedMessage,
  found: FoundOrigin | null,
  { reader, workflowUrl }: { reader: Reader & LogReader; workflowUrl(workflowId: string): string | null },
) {
  // what the history says is what happened; the log was written from it
  const cause = causeSeenBy(reader, message, found?.origin?.cause ?? message.cause);
  const { incident, execution } = message;
  return {
    heading: message.subject.trim() === '' ? typeText(message.type) : message.subject,
    mark: messageMarks[message.status],
    sentences: why(sentMessage({ ...message, cause }), reader),
    incident,
    execution: execution && { href: `/executions/${execution.id}`, runbook: execution.runbook },
    consolidatedHref:
      message.consolidatedInto === null ? null : `${notificationsPath}/${message.consolidatedInto}`,
    firstHref: message.partOf === null ? null : `${notificationsPath}/${message.partOf}`,
    facts: factsOf(message, cause),
    createdAt: message.createdAt.toISOString(),
    finishedAt: message.finishedAt?.toISOString() ?? null,
    entry: cause?.entry ?? null,
    event: cause && { name: cause.event, at: cause.at, seq: cause.seq ?? null },
    origin: found && {
      workflowId: found.workflowId,
      url: workflowUrl(found.workflowId),
      event: found.origin && { id: found.origin.eventId, at: found.origin.at, run: found.origin.runId },
      note: found.note,
    },
  };
}

function factsOf(message: LoggedMessage, cause: LoggedMessage['cause']): { name: string; value: string }[] {
  const given = {
    Kind: typeText(message.type),
    To: message.person ?? message.destination,
    By: wayText(message),
    Attempts: String(message.attempts),
    Latency: latencyText(message.latencyMs),
    Error: message.error ?? '',
    Policy: cause?.policy ?? '',
    Level: cause?.level === undefined ? '' : String(cause.level),
    Pass: cause?.pass === undefined ? '' : String(cause.pass),
    Round: cause?.round === undefined ? '' : String(cause.round),
    'Contact step': cause?.step === undefined ? '' : String(cause.step),
    Rule: cause?.rule?.name ?? '',
    'Idempotency key': message.key,
  };
  return Object.entries(given).flatMap(([name, value]) => (value === '' ? [] : [{ name, value }]));
}
