import { ApplicationFailure } from '@temporalio/common';
import type { Tx } from '../../db/database.ts';
import { takeTurn } from '../../db/destinations.ts';
import {
  type Begun,
  beginNotification,
  finishNotification,
  isToldSince,
  type NotificationEntry,
  skipNotification,
} from '../../db/notifications.ts';
import { readOwnZones } from '../../db/reader-zones.ts';
import { methodKey } from '../../domain/contact-method.ts';
import type {
  NotificationCause,
  NotificationType,
  NotifyInput,
  NotifyOutcome,
} from '../../domain/notification.ts';
import { publicDestination } from '../../domain/private-address.ts';
import type { Severity } from '../../domain/severity.ts';
import type { Consolidation } from '../../workflows/messages.ts';
import { composeMessage, SubjectMissingError } from '../messages/compose.ts';
import { dateOf } from '../messages/moments.ts';
import { readContent } from './content.ts';
import { type Destination, forNotes, paceMs, resolveDestination, targetLabel } from './destination.ts';
import { holdBack } from './hold-back.ts';
import { signLinks } from './links.ts';
import { type Delivery, deliveriesOf, readersOf, subjectOf } from './outgoing.ts';
import { saidByPagerDuty } from './pagerduty-state.ts';
import { busy } from './patience.ts';
import { isRecorded, type NotDue, notDue } from './still-due.ts';

export type Prepared =
  | { status: 'settled'; outcome: NotifyOutcome; consolidation?: Consolidation }
  | { status: 'impossible'; failure: ApplicationFailure }
  | {
      status: 'ready';
      begun: Extract<Begun, { status: 'begun' }>;
      entry: NotificationEntry;
      destination: Destination;
      /** Milliseconds until its turn. */
      inMs: number;
      /** One call each; an address that has its mail already is left out. */
      deliveries: Delivery[];
    };

export interface PrepareContext {
  /** Of Temporal, from 1. */
  attempt: number;
  /** Without a slash at the end. */
  publicUrl: string;
  /** Of an organization that has set none. */
  timeZone: string;
  now: number;
  /** Whether one more message may be on its way there; false: too many are. */
  enter(destination: Destination): boolean;
}

/**
 * Milliseconds for which a message waits for the record that it tells of after so many attempts; undefined: no more. A page
 * then goes by what there is. What can wait does so for minutes: the worker that was to write the record may have died.
 */
function recordDelayMs(type: NotificationType, attempt: number): number | undefined {
  if (attempt <= 20) return 500;
  return type !== 'escalation.page' && attempt <= 50 ? 10_000 : undefined;
}

/**
 * Reads, composes and writes the ledger in one transaction, so that what is said is what was decided on. Throws the
 * retryable failure DestinationBusy where the destination has no turn now: then nothing is written.
 */
export async function prepare(tx: Tx, input: NotifyInput, context: PrepareContext): Promise<Prepared> {
  const { now } = context;
  const content = await readContent(tx, input, context);
  const { facts, report, refusedImport, consolidated, note } = content;
  const nextRetryDelay = recordDelayMs(input.type, context.attempt);
  const subjectRow = report ?? refusedImport ?? consolidated ?? note;
  if (nextRetryDelay !== undefined && !isRecorded(input, facts, subjectRow)) {
    const message = `the record that ${input.type} tells of is not written yet`;
    const failure = { type: 'NotRecordedYet', message, nextRetryDelay };
    return { status: 'impossible', failure: ApplicationFailure.create(failure) };
  }
  const severity = input.severity ?? facts.incident?.severity ?? 'info';
  const resolved = await resolveDestination(tx, input.target, { at: now, severity });
  const destination = input.type === 'incident.noted' ? forNotes(resolved) : resolved;
  const unresolved = destination instanceof ApplicationFailure;
  const entry: NotificationEntry = {
    orgId: input.orgId,
    key: input.key,
    type: input.type,
    incidentId: facts.incident?.id ?? null,
    executionId: facts.execution?.id ?? null,
    channel: unresolved ? input.target.type : destination.kind,
    destination: unresolved ? targetLabel(input.target) : destination.label,
    subject: input.type,
    cause: causeOf(input),
    person: unresolved ? null : destination.person,
    ...(consolidated && { partOf: consolidated.id }),
  };
  try {
    entry.subject = composeMessage({ ...content, reader: entry.destination, links: {} }).subject;
  } catch (error) {
    if (!(error instanceof SubjectMissingError)) throw error;
    const failure = ApplicationFailure.nonRetryable(error.message, 'SubjectMissing');
    return await impossible(tx, entry, failure);
  }
  if (unresolved) return await impossible(tx, entry, destination);

  const not =
    notDue(input, facts, consolidated) ??
    (await saidByPagerDuty(tx, input, facts, destination)) ??
    (await saidAlready(tx, input, entry));
  if (not) {
    await skipNotification(tx, { ...entry, reason: not.reason });
    return {
      status: 'settled',
      outcome: { status: 'skipped', destination: publicDestination(entry), ...not },
    };
  }
  const subject = subjectOf(input, facts);
  const held = await holdBack(tx, input, entry, { destination, subject, now });
  if (held) return { status: 'settled', ...held };
  const inMs = await turnAt(tx, input.orgId, destination, { ...context, severity });
  const begun = await beginNotification(tx, entry);
  if (begun.status === 'sent') {
    return { status: 'settled', outcome: { status: 'sent', destination: publicDestination(entry) } };
  }
  const deliveries = await deliveriesOf(input, content, destination, {
    begun,
    zones: await readOwnZones(tx, readersOf(destination)),
    linksFor: (person, form) => signLinks(tx, { input, person, form, ...content }),
  });
  return { status: 'ready', begun, entry, destination, inMs, deliveries };
}

/** With the way in which a person is told, so that a failure of it can be seen before the next page. */
function causeOf({ cause, target }: NotifyInput): NotificationCause | undefined {
  return cause && target.type === 'contact' ? { ...cause, method: methodKey(target.method) } : cause;
}

async function turnAt(
  tx: Tx,
  orgId: string,
  destination: Destination,
  { attempt, severity, enter }: PrepareContext & { severity: Severity },
): Promise<number> {
  const asking = { attempt, severity, chance: Math.random() };
  if (!enter(destination)) throw busy('as many messages as it takes are on their way to it', 500, asking);
  const turn = await takeTurn(tx, { orgId, destination: destination.key, everyMs: paceMs[destination.kind] });
  if (turn.status === 'yours') return turn.inMs;
  throw busy(turn.reason ?? 'messages go there at its pace', turn.forMs, asking);
}

/** What keeps a message up to date is needless where somebody was to be told the same there. */
async function saidAlready(
  tx: Tx,
  { type, detail, cause }: NotifyInput,
  { incidentId, destination, key }: NotificationEntry,
): Promise<NotDue | undefined> {
  const at = dateOf(cause?.at);
  if (detail.follows !== true || incidentId === null || !at) return undefined;
  const told = await isToldSince(tx, { incidentId, type, destination, butFor: key, since: at });
  return told ? { reason: 'it was told there already' } : undefined;
}

/** The log shows what could not even be tried. */
async function impossible(tx: Tx, entry: NotificationEntry, failure: ApplicationFailure): Promise<Prepared> {
  const begun = await beginNotification(tx, entry);
  if (begun.status === 'sent') {
    return { status: 'settled', outcome: { status: 'sent', destination: publicDestination(entry) } };
  }
  await finishNotification(tx, { key: entry.key, status: 'failed', error: failure.message, latencyMs: 0 });
  return { status: 'impossible', failure };
}
