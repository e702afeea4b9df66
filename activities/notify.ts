import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Dispatcher } from 'undici';
import type { Database, Tx } from '../db/database.ts';
import { type GitImport, getImport } from '../db/git-sources.ts';
import { type NotificationFacts, readNotificationFacts } from '../db/notification-facts.ts';
import {
  type Begun,
  beginNotification,
  finishNotification,
  type NotificationEntry,
  noteDelivered,
  skipNotification,
} from '../db/notifications.ts';
import { getNotificationChannel } from '../db/policies.ts';
import { getReport, type Report } from '../db/reports.ts';
import { type LinkAction, type LinkSubject, longestLinkMs, signLink } from '../db/signed-links.ts';
import type { NotificationType, NotifyInput, NotifyOutcome, NotifyTarget } from '../domain/notification.ts';
import { createEmailChannel, type MailTransport } from './channels/email.ts';
import { createWebhookChannel } from './channels/webhook.ts';
import { type ComposedMail, composeMail, SubjectMissingError } from './messages/compose.ts';
import type { MessageSource } from './messages/message.ts';
import { webhookBody } from './messages/webhook-body.ts';

export interface NotifyDeps {
  db: Pick<Database, 'write' | 'read'>;
  /** nodemailer's, made with `mailTransportOptions`. */
  mail: MailTransport;
  mailFrom: string;
  /** Made with `webhookDispatcher`. */
  dispatcher: Dispatcher;
  /** Address of the pages; links in messages begin with it. */
  publicUrl: string;
  /** Epoch milliseconds. */
  clock: () => number;
}

/** Where one message goes, resolved from its target. */
type Destination =
  | { kind: 'email'; label: string; addresses: string[] }
  | { kind: 'webhook'; label: string; url: string; secret?: string };

type Prepared =
  | { status: 'settled'; outcome: NotifyOutcome }
  | { status: 'impossible'; failure: ApplicationFailure }
  | {
      status: 'ready';
      begun: Extract<Begun, { status: 'begun' }>;
      entry: NotificationEntry;
      /** One call each; an address that has its mail already is left out. */
      deliveries: Delivery[];
    };

interface Delivery {
  to: string;
  send(): Promise<{ response: string }>;
}

/** How often, and with how many milliseconds between, a message waits for the record that it tells of. */
const recordPatience = 20;
const recordDelayMs = 500;

const acknowledgeLinkMs = 24 * 3_600_000;

export function createNotifyActivities(deps: NotifyDeps) {
  const email = createEmailChannel({ transport: deps.mail, from: deps.mailFrom });
  const webhook = createWebhookChannel({ dispatcher: deps.dispatcher, clock: deps.clock });
  const publicUrl = deps.publicUrl.replace(/\/+$/, '');

  /**
   * Tells one target. What was sent is not sent again; an attempt that died is made again as the same message
   * (Message-ID, idempotency key, links). Throws retryable failures for what a retry mends; non-retryable
   * UnknownChannel, UnknownUser, SubjectMissing, MailRefused, WebhookRefused, WebhookRedirected and WebhookForbidden otherwise;
   * CancelledFailure when it was cancelled before the message left.
   */
  async function notify(input: NotifyInput): Promise<NotifyOutcome> {
    const { key } = input;
    const scope = { orgId: input.orgId };
    const context = Context.current();
    // a cancellation arrives with the answer to a heartbeat
    context.heartbeat();
    const prepared = await deps.db.write(scope, (tx) => prepare(tx, input, context.info.attempt));
    if (prepared.status === 'settled') return prepared.outcome;
    if (prepared.status === 'impossible') throw prepared.failure;
    const { entry, deliveries } = prepared;
    if (context.cancellationSignal.aborted) {
      const reason = 'it was called off before it was sent';
      await deps.db.write(scope, (tx) => skipNotification(tx, { ...entry, reason }));
      throw context.cancellationSignal.reason;
    }
    const startedAt = deps.clock();
    const { failures, responses } = await deliverAll(input, deliveries);
    const latencyMs = deps.clock() - startedAt;
    // a retry, if one helps; what nobody got has failed; what some got was sent, and the log says who was left out
    const mendable = failures.find((failure) => !failure.nonRetryable);
    const reached = responses.length + prepared.begun.delivered.length;
    const failure = mendable ?? (reached === 0 ? failures[0] : undefined);
    await deps.db.write(scope, (tx) =>
      finishNotification(tx, {
        key,
        status: failure ? 'failed' : 'sent',
        latencyMs,
        ...(failures.length > 0 && { error: failures.map((each) => each.message).join('\n') }),
        ...(responses.length > 0 && { response: responses.join('; ') }),
      }),
    );
    if (failure) throw failure;
    return { status: 'sent', destination: entry.destination };
  }

  async function deliverAll(input: NotifyInput, deliveries: Delivery[]) {
    const failures: ApplicationFailure[] = [];
    const responses: string[] = [];
    for (const delivery of deliveries) {
      try {
        responses.push((await delivery.send()).response);
      } catch (error) {
        if (!(error instanceof ApplicationFailure)) throw error;
        failures.push(error);
        continue;
      }
      if (deliveries.length > 1) {
        await deps.db.write({ orgId: input.orgId }, (tx) =>
          noteDelivered(tx, { key: input.key, address: delivery.to }),
        );
      }
    }
    return { failures, responses };
  }

  /** Reads, composes and writes the ledger in one transaction, so that what is said is what was decided on. */
  async function prepare(tx: Tx, input: NotifyInput, attempt: number): Promise<Prepared> {
    const facts = await readNotificationFacts(tx, input);
    const { reportId, importId } = input.detail;
    const report = typeof reportId === 'string' ? await getReport(tx, reportId) : undefined;
    const refusedImport = typeof importId === 'string' ? await getImport(tx, importId) : undefined;
    if (attempt <= recordPatience && !isRecorded(input, facts, report ?? refusedImport)) {
      const message = `the record that ${input.type} tells of is not written yet`;
      const failure = ApplicationFailure.create({
        type: 'NotRecordedYet',
        message,
        nextRetryDelay: recordDelayMs,
      });
      return { status: 'impossible', failure };
    }
    const content = {
      type: input.type,
      facts,
      report,
      refusedImport,
      detail: input.detail,
      publicUrl,
      now: deps.clock(),
    };
    const destination = await resolveTarget(tx, input.target);
    const entry: NotificationEntry = {
      orgId: input.orgId,
      key: input.key,
      type: input.type,
      incidentId: facts.incident?.id ?? null,
      executionId: facts.execution?.id ?? null,
      channel: 'kind' in destination ? destination.kind : input.target.type,
      destination: 'kind' in destination ? destination.label : targetName(input.target),
      subject: input.type,
    };
    let headline: ComposedMail;
    try {
      headline = composeMail({ ...content, reader: entry.destination, links: {} });
      entry.subject = headline.subject;
    } catch (error) {
      if (!(error instanceof SubjectMissingError)) throw error;
      const failure = ApplicationFailure.nonRetryable(error.message, 'SubjectMissing');
      return await impossible(tx, entry, failure);
    }
    if (!('kind' in destination)) return await impossible(tx, entry, destination);

    const reason = reasonToSkip(input, facts);
    if (reason !== undefined) {
      await skipNotification(tx, { ...entry, reason });
      return { status: 'settled', outcome: { status: 'skipped', destination: entry.destination, reason } };
    }
    const begun = await beginNotification(tx, entry);
    if (begun.status === 'sent') {
      return { status: 'settled', outcome: { status: 'sent', destination: entry.destination } };
    }
    if (destination.kind === 'webhook') {
      const { url, secret } = destination;
      const body = webhookBody({ ...content, id: input.key, at: begun.createdAt, text: headline.sentence });
      const message = { url, key: input.key, body, ...(secret !== undefined && { secret }) };
      return {
        status: 'ready',
        begun,
        entry,
        deliveries: [{ to: destination.label, send: () => webhook.send(message) }],
      };
    }
    const deliveries: Delivery[] = [];
    for (const to of destination.addresses.filter((address) => !begun.delivered.includes(address))) {
      const links = await signLinks(tx, input, facts, to);
      const mail = composeMail({ ...content, reader: to, links });
      const thread = threadOf(facts);
      const message = {
        ...mail,
        to,
        key: input.key,
        type: input.type,
        ...(thread !== undefined && { thread }),
      };
      deliveries.push({ to, send: () => email.send(message) });
    }
    return { status: 'ready', begun, entry, deliveries };
  }

  /** The log shows what could not even be tried. */
  async function impossible(
    tx: Tx,
    entry: NotificationEntry,
    failure: ApplicationFailure,
  ): Promise<Prepared> {
    const begun = await beginNotification(tx, entry);
    if (begun.status === 'sent') {
      return { status: 'settled', outcome: { status: 'sent', destination: entry.destination } };
    }
    await finishNotification(tx, { key: entry.key, status: 'failed', error: failure.message, latencyMs: 0 });
    return { status: 'impossible', failure };
  }

  /** Links that act as `person`. Copies of one message carry the same ones, so that they work once in all. */
  async function signLinks(
    tx: Tx,
    input: NotifyInput,
    facts: NotificationFacts,
    person: string,
  ): Promise<MessageSource['links']> {
    const now = deps.clock();
    const link = async (action: LinkAction, subject: LinkSubject, until: Date) => {
      const nonce = createHash('sha256')
        .update(`${input.key}\n${action}\n${person}`)
        .digest('base64url')
        .slice(0, 24);
      const expiresAt = new Date(Math.min(until.getTime(), now + longestLinkMs));
      const token = await signLink(tx, {
        orgId: input.orgId,
        action,
        subject,
        person,
        expiresAt,
        nonce,
        now,
      });
      return { url: `${publicUrl}/l/${token}`, until: expiresAt };
    };
    const { incident, approval } = facts;
    if (input.type === 'approval.needed' && approval) {
      const subject = { approvalId: approval.id, executionId: approval.executionId };
      return {
        approve: await link('approve', subject, approval.expiresAt),
        reject: await link('reject', subject, approval.expiresAt),
      };
    }
    if (incident && asksToAcknowledge.has(input.type) && !incident.acknowledgedAt && !incident.resolvedAt) {
      const until = new Date(now + acknowledgeLinkMs);
      return { acknowledge: await link('acknowledge', { incidentNumber: incident.number }, until) };
    }
    return {};
  }

  return { notify };
}

export type NotifyActivities = ReturnType<typeof createNotifyActivities>;

const asksToAcknowledge = new Set<NotificationType>([
  'escalation.page',
  'incident.opened',
  'sla.at_risk',
  'sla.breached',
]);

async function resolveTarget(tx: Tx, target: NotifyTarget): Promise<Destination | ApplicationFailure> {
  switch (target.type) {
    case 'email':
      return { kind: 'email', label: target.address, addresses: [target.address] };
    case 'schedule':
      return ApplicationFailure.nonRetryable(
        `schedules cannot be told yet: '${target.name}'`,
        'UnknownSchedule',
      );
    case 'contact':
    case 'user': {
      const user = await tx
        .selectFrom('users')
        .select('email')
        .where('email', '=', target.email.toLowerCase())
        .where('disabled_at', 'is', null)
        .executeTakeFirst();
      if (user) return { kind: 'email', label: user.email, addresses: [user.email] };
      return ApplicationFailure.create({
        type: 'UnknownUser',
        nonRetryable: true,
        message: `there is no active user ${target.email}. Change the escalation policy that names this address.`,
      });
    }
    case 'channel': {
      const channel = (await getNotificationChannel(tx, target.name))?.definition;
      if (!channel) {
        return ApplicationFailure.create({
          type: 'UnknownChannel',
          nonRetryable: true,
          message: `there is no notification channel '${target.name}'. Make it, or change the escalation policy that names it.`,
        });
      }
      if (channel.type === 'email') {
        return { kind: 'email', label: channel.addresses.join(', '), addresses: channel.addresses };
      }
      if (channel.type !== 'webhook') {
        return ApplicationFailure.nonRetryable(
          `the channel '${target.name}' is of a kind that cannot be used yet: ${channel.type}`,
          'UnknownChannel',
        );
      }
      return {
        kind: 'webhook',
        label: `${target.name} (${new URL(channel.url).host})`,
        url: channel.url,
        ...(channel.secret !== undefined && { secret: channel.secret }),
      };
    }
  }
}

function targetName(target: NotifyTarget): string {
  switch (target.type) {
    case 'email':
      return target.address;
    case 'user':
    case 'contact':
      return target.email;
    case 'channel':
    case 'schedule':
      return target.name;
  }
}

/**
 * A workflow records what happened and tells of it at the same time: the message waits for the record, so that it
 * does not say 'running' of what has ended. A page does not wait for more than its incident.
 */
function isRecorded(
  input: NotifyInput,
  facts: NotificationFacts,
  subject: Report | GitImport | undefined,
): boolean {
  const { incident, execution, approval } = facts;
  switch (input.type) {
    case 'escalation.page':
    case 'incident.opened':
    case 'sla.at_risk':
    case 'sla.breached':
      return incident !== undefined;
    case 'incident.acknowledged':
      return Boolean(incident?.acknowledgedAt);
    case 'incident.resolved':
      return Boolean(incident?.resolvedAt);
    case 'approval.needed':
      return approval !== undefined && execution !== undefined;
    case 'execution.undo_failed':
    case 'execution.runner_missing':
    case 'execution.message':
      return execution !== undefined;
    case 'execution.succeeded':
    case 'execution.failed':
    case 'execution.rolled_back':
    case 'execution.rollback_failed':
    case 'execution.refused':
      return Boolean(execution?.finishedAt);
    case 'contact.test':
      return true;
    case 'runbook.import_refused':
    case 'report.sla':
    case 'report.capacity':
      return subject !== undefined;
  }
}

/** Why there is nothing to say any more, as far as the record tells; undefined if there is. */
function reasonToSkip(input: NotifyInput, { incident, approval }: NotificationFacts): string | undefined {
  if (input.type === 'approval.needed') {
    return approval && approval.status !== 'pending'
      ? `the approval is ${approval.status} already`
      : undefined;
  }
  if (input.type === 'incident.resolved' && incident && !incident.resolvedAt) {
    return `incident #${incident.number} is open again`;
  }
  if (input.type === 'incident.acknowledged' && incident && !incident.acknowledgedAt) {
    return `incident #${incident.number} is not acknowledged any more`;
  }
  if (!incident || (input.type !== 'escalation.page' && input.type !== 'sla.at_risk')) return undefined;
  const over = incident.status === 'resolved' || incident.status === 'false_positive';
  if (over || incident.resolvedAt) return `incident #${incident.number} is resolved already`;
  const answers = input.type === 'escalation.page' || input.detail.kind === 'acknowledge';
  if (!answers || !incident.acknowledgedAt) return undefined;
  return `incident #${incident.number} was acknowledged by ${incident.acknowledgedBy ?? 'someone'} already`;
}

/** Mails about one thing stand together in the reader's mailbox. */
function threadOf({ incident, execution }: NotificationFacts): string | undefined {
  if (incident) return `incident.${incident.id}`;
  return execution && `execution.${execution.id}`;
}
