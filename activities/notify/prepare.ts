import { ApplicationFailure } from '@temporalio/common';
import { type ChatSummary, readChatSummary } from '../../db/chat-summary.ts';
import type { Tx } from '../../db/database.ts';
import { takeTurn } from '../../db/destinations.ts';
import { type GitImport, getImport } from '../../db/git-sources.ts';
import { type HandoffFacts, readHandoffFacts } from '../../db/handoffs.ts';
import { type NotificationFacts, readNotificationFacts } from '../../db/notification-facts.ts';
import { type ConsolidatedFacts, countTowardsLimit, readConsolidated } from '../../db/notification-limits.ts';
import {
  type Begun,
  beginNotification,
  findNotification,
  finishNotification,
  type NotificationEntry,
  skipNotification,
} from '../../db/notifications.ts';
import { readReadiness } from '../../db/readiness.ts';
import { getReport, type Report } from '../../db/reports.ts';
import { methodKey } from '../../domain/contact-method.ts';
import type { NotificationCause, NotifyInput, NotifyOutcome } from '../../domain/notification.ts';
import { isLimited } from '../../domain/notification-limits.ts';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import type { Consolidation } from '../../workflows/messages.ts';
import { composeMessage, SubjectMissingError } from '../messages/compose.ts';
import { dateOf } from '../messages/moments.ts';
import { type Destination, paceMs, resolveDestination, targetLabel } from './destination.ts';
import { signLinks } from './links.ts';
import { type Content, type Delivery, deliveriesOf } from './outgoing.ts';
import { saidByPagerDuty } from './pagerduty-state.ts';
import { isRecorded, reasonToSkip } from './still-due.ts';

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
  now: number;
  /** Whether one more message may be on its way there; false: too many are. */
  enter(destination: Destination): boolean;
}

/** How often, and with how many milliseconds between, a message waits for the record that it tells of. */
const recordPatience = 20;
const recordDelayMs = 500;

/**
 * Reads, composes and writes the ledger in one transaction, so that what is said is what was decided on. Throws the
 * retryable failure DestinationBusy where the destination has no turn now: then nothing is written.
 */
export async function prepare(tx: Tx, input: NotifyInput, context: PrepareContext): Promise<Prepared> {
  const { now } = context;
  const content = await readContent(tx, input, context);
  const { facts } = content;
  const { report, refusedImport, consolidated } = content;
  if (
    context.attempt <= recordPatience &&
    !isRecorded(input, facts, report ?? refusedImport ?? consolidated)
  ) {
    const message = `the record that ${input.type} tells of is not written yet`;
    const failure = { type: 'NotRecordedYet', message, nextRetryDelay: recordDelayMs };
    return { status: 'impossible', failure: ApplicationFailure.create(failure) };
  }
  const severity = input.severity ?? facts.incident?.severity ?? 'info';
  const destination = await resolveDestination(tx, input.target, { at: now, severity });
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
  };
  try {
    entry.subject = composeMessage({ ...content, reader: entry.destination, links: {} }).subject;
  } catch (error) {
    if (!(error instanceof SubjectMissingError)) throw error;
    const failure = ApplicationFailure.nonRetryable(error.message, 'SubjectMissing');
    return await impossible(tx, entry, failure);
  }
  if (unresolved) return await impossible(tx, entry, destination);

  const reason = reasonToSkip(input, facts) ?? (await saidByPagerDuty(tx, input, facts, destination));
  if (reason !== undefined) {
    await skipNotification(tx, { ...entry, reason });
    return { status: 'settled', outcome: { status: 'skipped', destination: entry.destination, reason } };
  }
  const held = await holdBack(tx, input, entry, destination, now);
  if (held) return held;
  const inMs = await turnAt(tx, input.orgId, destination, context);
  const begun = await beginNotification(tx, entry);
  if (begun.status === 'sent') {
    return { status: 'settled', outcome: { status: 'sent', destination: entry.destination } };
  }
  const deliveries = await deliveriesOf(input, content, destination, begun, (person) =>
    signLinks(tx, { input, person, ...content }),
  );
  return { status: 'ready', begun, entry, destination, inMs, deliveries };
}

/** With the way in which a person is told, so that a failure of it can be seen before the next page. */
function causeOf({ cause, target }: NotifyInput): NotificationCause | undefined {
  return cause && target.type === 'contact' ? { ...cause, method: methodKey(target.method) } : cause;
}

async function readContent(tx: Tx, input: NotifyInput, context: PrepareContext): Promise<Content> {
  const { reportId, importId } = input.detail;
  const facts: NotificationFacts = await readNotificationFacts(tx, input);
  const report: Report | undefined = typeof reportId === 'string' ? await getReport(tx, reportId) : undefined;
  const refusedImport: GitImport | undefined =
    typeof importId === 'string' ? await getImport(tx, importId) : undefined;
  return {
    type: input.type,
    facts,
    report,
    refusedImport,
    consolidated: await consolidatedOf(tx, input),
    handoff: await handoffOf(tx, input),
    readiness: await readinessFor(tx, input, context),
    summary: await summaryFor(tx, input, context),
    detail: input.detail,
    publicUrl: context.publicUrl,
    now: context.now,
  };
}

async function handoffOf(tx: Tx, { type, detail, target }: NotifyInput): Promise<HandoffFacts | undefined> {
  const at = dateOf(detail.at);
  if (type !== 'oncall.handoff' || typeof detail.schedule !== 'string' || !at) return undefined;
  const person = target.type === 'user' ? target.email : '';
  return await readHandoffFacts(tx, { schedule: detail.schedule, at, person });
}

async function summaryFor(
  tx: Tx,
  { type, detail }: NotifyInput,
  { now }: PrepareContext,
): Promise<ChatSummary | undefined> {
  const to = dateOf(detail.until);
  if (type !== 'chat.summary' || !to) return undefined;
  const from = new Date(to.getTime() - (detail.span === 'week' ? 7 : 1) * 24 * 3_600_000);
  return await readChatSummary(tx, { from, to, now });
}

async function readinessFor(
  tx: Tx,
  { type, detail }: NotifyInput,
  { now }: PrepareContext,
): Promise<ReadinessFinding[] | undefined> {
  if (type !== 'oncall.readiness') return undefined;
  return await readReadiness(tx, { now, teamId: typeof detail.teamId === 'string' ? detail.teamId : null });
}

async function consolidatedOf(
  tx: Tx,
  { type, detail, pattern }: NotifyInput,
): Promise<ConsolidatedFacts | undefined> {
  const ends = dateOf(detail.ends);
  if (type !== 'notifications.consolidated' || typeof detail.limit !== 'number' || !ends) return undefined;
  return await readConsolidated(tx, { consolidated: detail.limit, pattern: pattern ?? 'alerts', ends });
}

/** Beyond the limit a message is told with others; undefined: it goes by itself. A further attempt counts once. */
async function holdBack(
  tx: Tx,
  input: NotifyInput,
  entry: NotificationEntry,
  destination: Destination,
  now: number,
): Promise<Prepared | undefined> {
  const { pattern } = input;
  if (pattern === undefined || !isLimited(input.type, destination.kind)) return undefined;
  const known = await findNotification(tx, input.key);
  if (known) {
    if (known.consolidatedInto === null) return undefined;
    return { status: 'settled', outcome: heldOutcome(entry, pattern) };
  }
  const limited = await countTowardsLimit(tx, {
    orgId: input.orgId,
    destination: destination.key,
    label: destination.label,
    channel: destination.kind,
    pattern,
    now,
  });
  if (limited.verdict === 'send') return undefined;
  const outcome = heldOutcome(entry, pattern);
  await skipNotification(tx, {
    ...entry,
    reason: outcome.reason,
    consolidatedInto: limited.consolidated,
  });
  return {
    status: 'settled',
    outcome,
    consolidation: {
      orgId: input.orgId,
      limit: limited.consolidated,
      key: limited.key,
      pattern,
      ends: limited.ends.toISOString(),
      target: input.target,
      // where the channel can, the one message is kept up to date; else it comes again at the end
      updates: destination.kind === 'slack' || destination.kind === 'pagerduty',
    },
  };
}

function heldOutcome(entry: NotificationEntry, pattern: string) {
  const reason = `there were too many messages about ${pattern} within an hour: it is told with the others in one`;
  return { status: 'skipped', destination: entry.destination, reason } as const;
}

async function turnAt(
  tx: Tx,
  orgId: string,
  destination: Destination,
  context: PrepareContext,
): Promise<number> {
  if (!context.enter(destination)) throw busy('as many messages as it takes are on their way to it', 1000);
  const turn = await takeTurn(tx, { orgId, destination: destination.key, everyMs: paceMs[destination.kind] });
  if (turn.status === 'yours') return turn.inMs;
  throw busy(turn.reason ?? 'messages go there at its pace', turn.forMs);
}

/** They do not all come back at the same moment. */
function busy(why: string, forMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'DestinationBusy',
    message: `the destination has no turn now: ${why}`,
    nextRetryDelay: Math.round(forMs + 1000 * Math.random()),
  });
}

/** The log shows what could not even be tried. */
async function impossible(tx: Tx, entry: NotificationEntry, failure: ApplicationFailure): Promise<Prepared> {
  const begun = await beginNotification(tx, entry);
  if (begun.status === 'sent') {
    return { status: 'settled', outcome: { status: 'sent', destination: entry.destination } };
  }
  await finishNotification(tx, { key: entry.key, status: 'failed', error: failure.message, latencyMs: 0 });
  return { status: 'impossible', failure };
}
