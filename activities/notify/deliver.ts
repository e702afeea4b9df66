import { ApplicationFailure } from '@temporalio/common';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { findChannelMessage, keepChannelMessage } from '../../db/destinations.ts';
import { createEmailChannel, type EmailMessage, type MailTransport } from '../channels/email.ts';
import { createPagerDutyChannel, type PagerDutyEvent } from '../channels/pagerduty.ts';
import {
  createPagerDutyNotes,
  type PagerDutyApiAccess,
  type PagerDutyNote,
  restApiUrlFor,
} from '../channels/pagerduty-notes.ts';
import { createSlackChannel, isGone, type SlackReference } from '../channels/slack.ts';
import { type AdaptiveCard, createTeamsChannel } from '../channels/teams.ts';
import { createWebhookChannel } from '../channels/webhook.ts';
import type { Message } from '../messages/message.ts';
import { slackMessage } from '../messages/slack-message.ts';
import type { HiddenValues } from '../secrets/hidden-values.ts';
import type { Destination } from './destination.ts';
import { reveal } from './hidden.ts';

export interface DeliverDeps {
  db: Pick<Database, 'write' | 'read'>;
  /** nodemailer's, made with `mailTransportOptions`. */
  mail: MailTransport;
  mailFrom: string;
  /** Made with `webhookDispatcher`. */
  dispatcher: Dispatcher;
  /** What channels hide. */
  hidden: HiddenValues;
  /** In place of the vendors' own. */
  slackApiUrl?: string | undefined;
  pagerDutyApiUrl?: string | undefined;
  /** Of the REST API; absent: in the region of the other. */
  pagerDutyRestApiUrl?: string | undefined;
  /** Epoch milliseconds. */
  clock: () => number;
}

/** One message to one receiver, in the form that its channel takes. */
export type Outgoing =
  | { kind: 'email'; message: EmailMessage }
  | { kind: 'webhook'; to: Extract<Destination, { kind: 'webhook' }>; key: string; body: string }
  | {
      kind: 'slack';
      to: Extract<Destination, { kind: 'slack' }>;
      message: Message;
      /** What it is about, such as 'incident:<id>': Slack has one message of that, and it is kept up to date. */
      subject: string | null;
      /** Must be seen: where there is a message already, it is posted anew in its thread. */
      noticed: boolean;
    }
  | {
      kind: 'pagerduty';
      to: Extract<Destination, { kind: 'pagerduty' }>;
      events: PagerDutyEvent[];
      /** As of Slack: there is an incident of PagerDuty's about it. */
      subject: string | null;
    }
  | { kind: 'pagerduty_note'; to: PagerDutyApiAccess; note: PagerDutyNote }
  | { kind: 'teams'; to: Extract<Destination, { kind: 'teams' }>; card: AdaptiveCard };

const slackReference = z.object({ conversation: z.string(), ts: z.string() });

/** The channels of all kinds. */
export function createAdapters(deps: DeliverDeps) {
  return {
    email: createEmailChannel({ transport: deps.mail, from: deps.mailFrom }),
    webhook: createWebhookChannel(deps),
    slack: createSlackChannel({ ...deps, apiUrl: deps.slackApiUrl }),
    pagerduty: createPagerDutyChannel({ ...deps, apiUrl: deps.pagerDutyApiUrl }),
    notes: createPagerDutyNotes({
      ...deps,
      apiUrl: deps.pagerDutyRestApiUrl ?? restApiUrlFor(deps.pagerDutyApiUrl),
    }),
    teams: createTeamsChannel(deps),
  };
}
export type Adapters = ReturnType<typeof createAdapters>;

/** The channels of all kinds behind one call. */
export function createDelivery(
  { db, hidden }: Pick<DeliverDeps, 'db' | 'hidden'>,
  { email, webhook, slack, pagerduty, notes, teams }: Adapters,
) {
  /** Hands it over. Throws the ApplicationFailures of its channel, and SecretUnavailable. */
  async function deliver(orgId: string, outgoing: Outgoing): Promise<{ response: string }> {
    switch (outgoing.kind) {
      case 'email':
        return await email.send(outgoing.message);
      case 'webhook': {
        const { to, key, body } = outgoing;
        const secret = to.secret === undefined ? undefined : await reveal(hidden, orgId, to.secret);
        return await webhook.send({ url: to.url, key, body, ...(secret !== undefined && { secret }) });
      }
      case 'slack':
        return await deliverToSlack(orgId, outgoing);
      case 'pagerduty':
        return await deliverToPagerDuty(orgId, outgoing);
      case 'pagerduty_note':
        return await notes.write(await apiAccess(orgId, outgoing.to), outgoing.note);
      case 'teams':
        return await teams.send({
          webhookUrl: await revealUrl(orgId, outgoing.to.webhookUrl),
          card: outgoing.card,
        });
    }
  }

  async function deliverToPagerDuty(
    orgId: string,
    { to, events, subject }: Extract<Outgoing, { kind: 'pagerduty' }>,
  ): Promise<{ response: string }> {
    const sent = await pagerduty.send({ routingKey: await reveal(hidden, orgId, to.routingKey), events });
    const [event] = events;
    if (subject !== null && event?.event_action === 'trigger') {
      const reference = { dedupKey: event.dedup_key };
      await db.write({ orgId }, (tx) =>
        keepChannelMessage(tx, { orgId, destination: to.key, subject, reference }),
      );
    }
    return sent;
  }

  async function deliverToSlack(
    orgId: string,
    outgoing: Extract<Outgoing, { kind: 'slack' }>,
  ): Promise<{ response: string }> {
    const { to, presses, key: destination } = outgoing.to;
    const { message, subject } = outgoing;
    const content = slackMessage(message, { presses });
    if ('webhookUrl' in to) {
      return await slack.send({ to: { webhookUrl: await revealUrl(orgId, to.webhookUrl) }, ...content });
    }
    const address = { ...to, token: await reveal(hidden, orgId, to.token) };
    const existing = subject === null ? undefined : await existingMessage(orgId, destination, subject);
    if (existing) {
      const updated = await updateInPlace(existing, { to: address, ...content });
      if (updated) {
        if (!outgoing.noticed) return updated;
        const reply = slackMessage(message, { presses, brief: true });
        return await slack.send({ to: address, ...reply, under: existing });
      }
    }
    const { response, reference } = await slack.send({ to: address, ...content });
    if (subject !== null && reference) {
      await db.write({ orgId }, (tx) =>
        keepChannelMessage(tx, {
          orgId,
          destination,
          subject,
          reference: { ...reference, person: outgoing.to.person },
        }),
      );
    }
    return { response };
  }

  async function existingMessage(orgId: string, destination: string, subject: string) {
    const stored = await db.read({ orgId }, (tx) => findChannelMessage(tx, { destination, subject }));
    return stored === undefined ? undefined : slackReference.parse(stored);
  }

  /** Undefined: somebody deleted it, so it is posted anew. */
  async function updateInPlace(existing: SlackReference, message: Parameters<typeof slack.update>[1]) {
    try {
      return await slack.update(existing, message);
    } catch (error) {
      if (error instanceof ApplicationFailure && isGone(error)) return undefined;
      throw error;
    }
  }

  async function revealUrl(orgId: string, reference: string): Promise<string> {
    const url = await reveal(hidden, orgId, reference);
    if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
    // what stands there may be a secret all the same
    throw ApplicationFailure.nonRetryable(
      "the channel's webhookUrl is no URL. Put the one that the vendor shows, or a reference to it.",
      'ChannelIncomplete',
    );
  }

  /** Asks the other side, as far as that goes without sending, and answers what it says. Throws as `deliver` does. */
  async function probe(orgId: string, destination: Destination): Promise<{ response: string }> {
    switch (destination.kind) {
      case 'email':
        return await email.probe();
      case 'webhook':
        return await webhook.probe(destination);
      case 'slack': {
        const { to } = destination;
        return 'webhookUrl' in to
          ? await slack.probe({ webhookUrl: await revealUrl(orgId, to.webhookUrl) })
          : await slack.probe({ ...to, token: await reveal(hidden, orgId, to.token) });
      }
      case 'pagerduty':
        await reveal(hidden, orgId, destination.routingKey);
        return await probePagerDuty(orgId, destination);
      case 'teams':
        return await teams.probe({ webhookUrl: await revealUrl(orgId, destination.webhookUrl) });
    }
  }

  async function probePagerDuty(
    orgId: string,
    { notes: access }: Extract<Destination, { kind: 'pagerduty' }>,
  ): Promise<{ response: string }> {
    const events = await pagerduty.probe();
    if (access === undefined) return events;
    const api = await notes.probe(await apiAccess(orgId, access));
    return { response: `${events.response}; ${api.response}` };
  }

  async function apiAccess(orgId: string, { token, from }: PagerDutyApiAccess): Promise<PagerDutyApiAccess> {
    return { token: await reveal(hidden, orgId, token), from };
  }

  return { deliver, probe };
}
