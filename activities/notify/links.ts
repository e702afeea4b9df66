import { createHash } from 'node:crypto';
import type { Tx } from '../../db/database.ts';
import type { NotificationFacts } from '../../db/notification-facts.ts';
import type { ConsolidatedFacts } from '../../db/notification-limits.ts';
import { type LinkAction, type LinkSubject, longestLinkMs, signLink } from '../../db/signed-links.ts';
import type { NotificationType, NotifyInput } from '../../domain/notification.ts';
import type { MessageLink, MessageSource } from '../messages/message.ts';

export type Links = Pick<MessageSource, 'links' | 'acknowledgeLinks'>;

const actLinkMs = 24 * 3_600_000;
/** Of a message that tells of many incidents. */
const linksAtMost = 10;

const asksToAcknowledge = new Set<NotificationType>([
  'escalation.page',
  'escalation.restarted',
  'incident.opened',
  'oncall.nobody',
  'sla.at_risk',
  'sla.breached',
]);

/** Links that act as `person`. Copies of one message carry the same ones, so that they work once in all. */
export async function signLinks(
  tx: Tx,
  message: {
    input: NotifyInput;
    facts: NotificationFacts;
    consolidated?: ConsolidatedFacts | undefined;
    person: string;
    /** A card has all that can be done as a link, a mail what is most likely to be done. */
    form: 'mail' | 'card';
    publicUrl: string;
    now: number;
  },
): Promise<Links> {
  const { input, facts, consolidated, person, form, publicUrl, now } = message;
  const link = async (
    action: LinkAction,
    subject: LinkSubject,
    until: Date,
    part: string = action,
  ): Promise<MessageLink> => {
    const nonce = createHash('sha256')
      .update(`${input.key}\n${part}\n${person}`)
      .digest('base64url')
      .slice(0, 24);
    const expiresAt = new Date(Math.min(until.getTime(), now + longestLinkMs));
    const token = await signLink(tx, { orgId: input.orgId, action, subject, person, expiresAt, nonce, now });
    return { url: `${publicUrl}/l/${token}`, until: expiresAt };
  };
  const actUntil = new Date(now + actLinkMs);
  const { incident, approval } = facts;
  if (consolidated) {
    const unclaimed = consolidated.incidents.filter((each) => !each.acknowledgedAt && !each.resolvedAt);
    const acknowledgeLinks = new Map<number, MessageLink>();
    for (const each of unclaimed.slice(0, linksAtMost)) {
      const part = `acknowledge ${each.number}`;
      acknowledgeLinks.set(each.number, await link('acknowledge', asSeen(each), actUntil, part));
    }
    return { links: {}, acknowledgeLinks };
  }
  if (input.type === 'approval.needed' && approval) {
    const subject = { approvalId: approval.id, executionId: approval.executionId };
    const approve = await link('approve', subject, approval.expiresAt);
    return { links: { approve, reject: await link('reject', subject, approval.expiresAt) } };
  }
  if (!incident || incident.resolvedAt) return { links: {} };
  const seen = asSeen(incident);
  const links: Links['links'] = {};
  if (asksToAcknowledge.has(input.type) && !incident.acknowledgedAt) {
    links.acknowledge = await link('acknowledge', seen, actUntil);
  }
  if (form === 'card' && !facts.execution) {
    links.run = await link('run', seen, actUntil);
    links.false_positive = await link('false_positive', seen, actUntil);
  }
  return { links };
}

/** An incident as the reader of a message sees it: what has begun anew since is not theirs to take by its link. */
function asSeen(incident: { number: number; opening: number; recordedSeq: number }): LinkSubject {
  return { incidentNumber: incident.number, opening: incident.opening, asOf: incident.recordedSeq };
}
