import { ApplicationFailure } from '@temporalio/common';
import type { Tx } from '../../db/database.ts';
import { readDirectory } from '../../db/directory.ts';
import { getNotificationChannel } from '../../db/policies.ts';
import { findIdentityOf } from '../../db/user-identities.ts';
import { resolveTargets } from '../../domain/escalation/resolve.ts';
import type { ContactTarget, NotifyTarget } from '../../domain/notification.ts';
import type { ChannelKind, NotificationChannel } from '../../domain/notification-channel.ts';
import type { Severity } from '../../domain/severity.ts';
import type { PagerDutyApiAccess } from '../channels/pagerduty-notes.ts';

interface Where {
  /** Names it to its pace, its limits and the messages that it has. */
  key: string;
  /** For people. */
  label: string;
  /** The notification channel of which it tells how that is; null: none. */
  channel: string | null;
  /** Whom it reaches, by mail address; null: a channel. */
  person: string | null;
}

/** Where one message goes. What is hidden in it is a reference or the thing itself: see `reveal`. */
export type Destination = Where &
  (
    | { kind: 'email'; addresses: string[] }
    | { kind: 'webhook'; url: string; secret?: string | undefined }
    | {
        kind: 'slack';
        to:
          | { token: string; conversation: string }
          | { token: string; user: string }
          | { webhookUrl: string };
        /** Whether what is pressed comes back to Holdfast. */
        presses: boolean;
      }
    | { kind: 'pagerduty'; routingKey: string; notes?: PagerDutyApiAccess | undefined }
    | { kind: 'teams'; webhookUrl: string }
  );

/**
 * Milliseconds between two messages to one destination, within what vendors document: Slack one a second
 * (https://docs.slack.dev/apis/web-api/rate-limits); PagerDuty 120 a minute for one routing key
 * (https://github.com/PagerDuty/developer-docs, docs/events-API-v2/05-Rate-Limits.md); Teams 4 in a second and 60 in 30
 * (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using), where a workflow
 * answers as if it had posted.
 */
export const paceMs: Record<ChannelKind, number> = {
  email: 100,
  webhook: 100,
  slack: 1000,
  pagerduty: 500,
  teams: 1000,
};

/** Where `target` leads at `at` (epoch milliseconds), or the non-retryable failure that says why nowhere. */
export async function resolveDestination(
  tx: Tx,
  target: NotifyTarget,
  { at, severity }: { at: number; severity: Severity },
): Promise<Destination | ApplicationFailure> {
  switch (target.type) {
    case 'email':
      return mailTo(target.address, target.address.toLowerCase());
    case 'user':
      return await mailToUser(tx, target.email);
    case 'schedule':
      return await mailToOnCall(tx, target, { at, severity });
    case 'channel':
      return await throughChannel(tx, target.name, null);
    case 'contact':
      return await byContactMethod(tx, target);
  }
}

/** In words where a target leads nowhere. */
export function targetLabel(target: NotifyTarget): string {
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

function mailTo(address: string, person: string | null): Destination {
  return {
    kind: 'email',
    key: `email:${address.toLowerCase()}`,
    label: address,
    channel: null,
    person,
    addresses: [address],
  };
}

async function mailToUser(tx: Tx, email: string): Promise<Destination | ApplicationFailure> {
  const user = await activeUser(tx, email);
  return user ? mailTo(user, user) : unknownUser(email);
}

async function activeUser(tx: Tx, email: string): Promise<string | undefined> {
  const user = await tx
    .selectFrom('users')
    .select('email')
    .where('email', '=', email.toLowerCase())
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  return user?.email;
}

function unknownUser(email: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `there is no active user ${email}. Change the escalation policy that names this address.`,
    'UnknownUser',
  );
}

/** Everybody who is on call now, each by a mail of their own. */
async function mailToOnCall(
  tx: Tx,
  target: Extract<NotifyTarget, { type: 'schedule' }>,
  { at, severity }: { at: number; severity: Severity },
): Promise<Destination | ApplicationFailure> {
  const directory = await readDirectory(tx, [target], { at });
  const [resolved] = resolveTargets(directory, [target], severity, at);
  if (!resolved || resolved.people.length === 0) {
    return ApplicationFailure.nonRetryable(
      resolved?.problem ?? `nobody is on call by the schedule '${target.name}'`,
      'NobodyOnCall',
    );
  }
  const addresses = resolved.people.map(({ email }) => email);
  return {
    kind: 'email',
    key: `schedule:${target.name}`,
    label: `${target.name}: ${addresses.join(', ')}`,
    channel: null,
    person: addresses.length === 1 ? (addresses[0] ?? null) : null,
    addresses,
  };
}

async function byContactMethod(tx: Tx, target: ContactTarget): Promise<Destination | ApplicationFailure> {
  const person = await activeUser(tx, target.email);
  if (person === undefined) return unknownUser(target.email);
  const { method } = target;
  switch (method.type) {
    case 'email':
      return mailTo(method.address ?? person, person);
    case 'channel':
      return await throughChannel(tx, method.name, person);
    case 'slack':
      return await directMessage(tx, method.channel, person);
  }
}

async function directMessage(
  tx: Tx,
  name: string,
  person: string,
): Promise<Destination | ApplicationFailure> {
  const channel = (await getNotificationChannel(tx, name))?.definition;
  if (!channel) return unknownChannel(name);
  if (channel.type !== 'slack' || channel.token === undefined) {
    return ApplicationFailure.nonRetryable(
      `the channel '${name}' has no bot that could write to ${person}. Give it the token of a Slack app, or change the contact rules.`,
      'UnknownChannel',
    );
  }
  const identity = await findIdentityOf(tx, { email: person, provider: 'slack' });
  if (!identity) {
    return ApplicationFailure.nonRetryable(
      `it is not known who ${person} is in Slack. They link their account by asking Holdfast something there.`,
      'UnknownSlackUser',
    );
  }
  return {
    kind: 'slack',
    key: `channel:${name}:${identity.externalId}`,
    label: `${person} in Slack (${name})`,
    channel: name,
    person,
    to: { token: channel.token, user: identity.externalId },
    presses: channel.signingSecret !== undefined,
  };
}

async function throughChannel(
  tx: Tx,
  name: string,
  person: string | null,
): Promise<Destination | ApplicationFailure> {
  const channel = (await getNotificationChannel(tx, name))?.definition;
  return channel ? channelDestination(name, channel, person) : unknownChannel(name);
}

function unknownChannel(name: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `there is no notification channel '${name}'. Make it, or change what names it.`,
    'UnknownChannel',
  );
}

/** Where a notification channel leads, or the failure that says what it lacks. */
export function channelDestination(
  name: string,
  channel: NotificationChannel,
  person: string | null,
): Destination | ApplicationFailure {
  const where = { key: `channel:${name}`, channel: name, person };
  switch (channel.type) {
    case 'email':
      return {
        ...where,
        kind: 'email',
        label: channel.addresses.join(', '),
        addresses: channel.addresses,
      };
    case 'webhook':
      return {
        ...where,
        kind: 'webhook',
        label: `${name} (${new URL(channel.url).host})`,
        url: channel.url,
        secret: channel.secret,
      };
    case 'slack': {
      const presses = channel.signingSecret !== undefined;
      const { token, channel: conversation, webhookUrl } = channel;
      if (token !== undefined && conversation !== undefined) {
        const to = { token, conversation };
        return { ...where, kind: 'slack', label: `${name} (${conversation})`, to, presses };
      }
      if (webhookUrl !== undefined) {
        return { ...where, kind: 'slack', label: `${name} (Slack)`, to: { webhookUrl }, presses };
      }
      return ApplicationFailure.nonRetryable(
        `the channel '${name}' names no place in Slack. Give it a token and a channel, or a webhookUrl.`,
        'ChannelIncomplete',
      );
    }
    case 'pagerduty':
      return {
        ...where,
        kind: 'pagerduty',
        label: `${name} (PagerDuty)`,
        routingKey: channel.routingKey,
        notes: notesAccess(channel),
      };
    case 'teams':
      return {
        ...where,
        kind: 'teams',
        label: `${name} (Microsoft Teams)`,
        webhookUrl: channel.webhookUrl,
      };
  }
}

function notesAccess({
  apiToken,
  notesFrom,
}: Extract<NotificationChannel, { type: 'pagerduty' }>): PagerDutyApiAccess | undefined {
  return apiToken === undefined || notesFrom === undefined ? undefined : { token: apiToken, from: notesFrom };
}

/**
 * Where notes of people go, which no other channel takes: by another API, with a pace and a patience of its own, so that
 * no page waits for them. Each takes three calls, of which PagerDuty takes 960 a minute for one key
 * (https://support.pagerduty.com/docs/rest-api-rate-limits).
 */
export function forNotes(destination: Destination | ApplicationFailure): Destination | ApplicationFailure {
  if (destination instanceof ApplicationFailure) return destination;
  if (destination.kind === 'pagerduty' && destination.notes) {
    // how a channel is says whether it can page, which no note tells
    return { ...destination, key: `${destination.key}:notes`, channel: null };
  }
  return ApplicationFailure.nonRetryable(
    `${destination.label} takes no notes. Give a PagerDuty channel an apiToken and notesFrom.`,
    'ChannelIncomplete',
  );
}
