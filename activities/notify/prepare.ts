import { ApplicationFailure } from '@temporalio/common';
import type { Tx } from '../../db/database.ts';
import { takeTurn } from '../../db/destinations.ts';
import { type GitImport, getImport } from '../../db/git-sources.ts';
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
import { getReport, type Report } from '../../db/reports.ts';
import type { NotificationType, NotifyInput, NotifyOutcome } from '../../domain/notification.ts';
import { isLimited } from '../../domain/notification-limits.ts';
import type { Consolidation } from '../../workflows/messages.ts';
import { composeMail, composeMessage, SubjectMissingError } from '../messages/compose.ts';
import type { MessageSource } from '../messages/message.ts';
import { dateOf } from '../messages/moments.ts';
import { pagerDutyEvents } from '../messages/pagerduty-event.ts';
import { teamsCard } from '../messages/teams-card.ts';
import { webhookBody } from '../messages/webhook-body.ts';
import type { Outgoing } from './deliver.ts';
import { type Destination, paceMs, resolveDestination, targetLabel } from './destination.ts';
import { type Links, signLinks } from './links.ts';
import { saidByPagerDuty } from './pagerduty-state.ts';
import { isRecorded, reasonToSkip } from './still-due.ts';

export interface Delivery {
  /** The receiver, for people and for the ledger. */
  to: string;
  outgoing: Outgoing;
}

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

/** Must be seen where there is a message about the same thing already. */
const noticed = new Set<NotificationType>([
  'escalation.page',
  'escalation.reminder',
  'escalation.restarted',
  'sla.at_risk',
  'sla.breached',
  'oncall.nobody',
  'approval.needed',
  'execution.failed',
  'execution.rolled_back',
  'execution.rollback_failed',
  'execution.undo_failed',
  'execution.runner_missing',
  'execution.message',
]);

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
    cause: input.cause,
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
  const deliveries = await deliveriesOf(tx, input, content, destination, begun);
  return { status: 'ready', begun, entry, destination, inMs, deliveries };
}

type Content = Omit<MessageSource, 'reader' | 'links'>;

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
    detail: input.detail,
    publicUrl: context.publicUrl,
    now: context.now,
  };
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

async function deliveriesOf(
  tx: Tx,
  input: NotifyInput,
  content: Content,
  destination: Destination,
  begun: Extract<Begun, { status: 'begun' }>,
): Promise<Delivery[]> {
  const { orgId, key, type } = input;
  const { facts, consolidated, publicUrl, now } = content;
  const linksFor = (person: string): Promise<Links> =>
    signLinks(tx, { input, facts, consolidated, person, publicUrl, now });
  const reader = destination.label;
  const to = destination.label;
  const subject = subjectOf(input, facts);
  switch (destination.kind) {
    case 'email': {
      const deliveries: Delivery[] = [];
      for (const address of destination.addresses.filter((each) => !begun.delivered.includes(each))) {
        const mail = composeMail({ ...content, reader: address, ...(await linksFor(address)) });
        const thread = threadOf(facts);
        const message = { ...mail, to: address, key, type, ...(thread !== undefined && { thread }) };
        deliveries.push({ to: address, outgoing: { kind: 'email', message } });
      }
      return deliveries;
    }
    case 'webhook': {
      const text = composeMessage({ ...content, reader, links: {} }).mail.sentence;
      const body = webhookBody({ ...content, id: key, at: begun.createdAt, text });
      return [{ to, outgoing: { kind: 'webhook', to: destination, key, body } }];
    }
    case 'slack': {
      const message = composeMessage({ ...content, reader, links: {} });
      return [
        {
          to,
          outgoing: { kind: 'slack', to: destination, orgId, message, subject, noticed: noticed.has(type) },
        },
      ];
    }
    case 'pagerduty': {
      const source = { ...content, reader, links: {} };
      const events = pagerDutyEvents(source, composeMessage(source), subject ?? key);
      return [{ to, outgoing: { kind: 'pagerduty', to: destination, events } }];
    }
    case 'teams': {
      const links = await teamsLinks(destination, linksFor);
      const card = teamsCard(composeMessage({ ...content, reader, ...links }));
      return [{ to, outgoing: { kind: 'teams', to: destination, card } }];
    }
  }
}

/**
 * A Teams channel takes nothing back that is pressed, so its buttons are links. One person's are theirs; in a channel
 * of many a link can say that somebody there has the incident, and approves nothing.
 */
async function teamsLinks(
  destination: Destination,
  linksFor: (person: string) => Promise<Links>,
): Promise<Links> {
  if (destination.person !== null) return await linksFor(destination.person);
  const { links, acknowledgeLinks } = await linksFor(`somebody in ${destination.label}`);
  return {
    links: links.acknowledge ? { acknowledge: links.acknowledge } : {},
    ...(acknowledgeLinks && { acknowledgeLinks }),
  };
}

/** What a channel has one message of. An execution has its own beside its incident's. */
function subjectOf(input: NotifyInput, { incident, execution }: NotificationFacts): string | null {
  if (typeof input.detail.limit === 'number') return `consolidated:${input.detail.limit}`;
  if (execution) return `execution:${execution.id}`;
  return incident ? `incident:${incident.id}` : null;
}

/** Mails about one thing stand together in the reader's mailbox. */
function threadOf({ incident, execution }: NotificationFacts): string | undefined {
  if (incident) return `incident.${incident.id}`;
  return execution && `execution.${execution.id}`;
}
