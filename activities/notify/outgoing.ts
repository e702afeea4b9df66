import type { NotificationFacts } from '../../db/notification-facts.ts';
import type { Begun } from '../../db/notifications.ts';
import type { NotificationType, NotifyInput } from '../../domain/notification.ts';
import { dedupKeyOf, noteForPagerDuty } from '../../domain/pagerduty.ts';
import { composeMail, composeMessage } from '../messages/compose.ts';
import type { MessageSource } from '../messages/message.ts';
import { pagerDutyEvents } from '../messages/pagerduty-event.ts';
import { teamsCard } from '../messages/teams-card.ts';
import { webhookBody } from '../messages/webhook-body.ts';
import type { Outgoing } from './deliver.ts';
import type { Destination } from './destination.ts';
import type { Links } from './links.ts';

export interface Delivery {
  /** The receiver, for people and for the ledger. */
  to: string;
  outgoing: Outgoing;
}

/** Links that act as `person`. */
export type LinksFor = (person: string, form: 'mail' | 'card') => Promise<Links>;

/** What a message is made from, before it is known who reads it. */
export type Content = Omit<MessageSource, 'reader' | 'links'>;

/** Must be seen where there is a message about the same thing already. */
export const noticed: ReadonlySet<NotificationType> = new Set<NotificationType>([
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

/** The people who read it, by mail address; none where it goes to everybody in a channel. */
export function readersOf(destination: Destination): string[] {
  if (destination.kind === 'email') return destination.addresses;
  return destination.person === null ? [] : [destination.person];
}

export interface Delivering {
  begun: Pick<Extract<Begun, { status: 'begun' }>, 'createdAt' | 'delivered'>;
  /** Own time zones of readers, by lower-case mail address. */
  zones: ReadonlyMap<string, string>;
  linksFor: LinksFor;
}

/** The message in the form of its destination's channel, once for each receiver who has not had it. */
export async function deliveriesOf(
  input: NotifyInput,
  shared: Content,
  destination: Destination,
  { begun, zones, linksFor }: Delivering,
): Promise<Delivery[]> {
  const readFrom = (person: string | null): Content => ({
    ...shared,
    timeZone: zones.get(person?.toLowerCase() ?? '') ?? shared.timeZone,
  });
  const content = readFrom(destination.person);
  const { key, type } = input;
  const { facts } = content;
  const reader = destination.label;
  const to = destination.label;
  const subject = subjectOf(input, facts);
  switch (destination.kind) {
    case 'email': {
      const deliveries: Delivery[] = [];
      for (const address of destination.addresses.filter((each) => !begun.delivered.includes(each))) {
        const mail = composeMail({
          ...readFrom(address),
          reader: address,
          ...(await linksFor(address, 'mail')),
        });
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
          outgoing: { kind: 'slack', to: destination, message, subject, noticed: noticed.has(type) },
        },
      ];
    }
    case 'pagerduty': {
      // an event would page
      if (type === 'incident.noted') return noteDeliveries(content, destination, begun.createdAt);
      const source = { ...content, reader, links: {} };
      const events = pagerDutyEvents(source, composeMessage(source), subject ?? key);
      return [{ to, outgoing: { kind: 'pagerduty', to: destination, events, subject } }];
    }
    case 'teams': {
      const links = await teamsLinks(destination, linksFor);
      const card = teamsCard(composeMessage({ ...content, reader, ...links }), links.links);
      return [{ to, outgoing: { kind: 'teams', to: destination, card } }];
    }
  }
}

/** None of what `prepare` has found to be missing. */
function noteDeliveries(
  { facts: { incident }, note }: Content,
  { label, notes }: Extract<Destination, { kind: 'pagerduty' }>,
  since: Date,
): Delivery[] {
  if (!incident || !note || !notes) return [];
  const dedupKey = dedupKeyOf(`incident:${incident.id}`);
  const written = { dedupKey, content: noteForPagerDuty(note), since };
  return [{ to: label, outgoing: { kind: 'pagerduty_note', to: notes, note: written } }];
}

/**
 * A Teams channel takes nothing back that is pressed, so its buttons are links. Nothing shows that a channel has one
 * reader, also where a person's contact rules name it: a link can say that somebody there has the incident, and approves
 * nothing. What takes a role acts as whoever is signed in.
 */
async function teamsLinks(destination: Destination, linksFor: LinksFor): Promise<Links> {
  const { links, ...more } = await linksFor(`somebody in ${destination.label}`, 'card');
  const { approve: _, reject: __, ...ofMany } = links;
  return { links: ofMany, ...more };
}

/** What a channel has one message of. An execution has its own beside its incident's. */
export function subjectOf(input: NotifyInput, { incident, execution }: NotificationFacts): string | null {
  if (typeof input.detail.limit === 'number') return `consolidated:${input.detail.limit}`;
  if (execution) return `execution:${execution.id}`;
  return incident ? `incident:${incident.id}` : null;
}

/** Mails about one thing stand together in the reader's mailbox. */
function threadOf({ incident, execution }: NotificationFacts): string | undefined {
  if (incident) return `incident.${incident.id}`;
  return execution && `execution.${execution.id}`;
}
