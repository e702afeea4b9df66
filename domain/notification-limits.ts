import type { NotificationType, NotifyTarget } from './notification.ts';
import type { ChannelKind } from './notification-channel.ts';

/** Of one pattern of alerts to one destination; what comes beyond is told together, in one message that counts on. */
export const messagesPerHour = 10;
export const hourMs = 3_600_000;

/** Where messages are told together, and how. */
export interface ToldTogether {
  target: NotifyTarget;
  /** Whether the channel changes a message that it has: else it comes twice, at the beginning and at the end. */
  updates: boolean;
  /** Whether people are paged for it there until it is said to be over. */
  resolves?: true;
}

/** What was sent and held back since `began` (epoch milliseconds). */
export interface LimitCount {
  began: number;
  sent: number;
  held: number;
}

export type LimitVerdict = { verdict: 'send'; count: LimitCount } | { verdict: 'hold'; count: LimitCount };

/** Whether one more message may go at `now` (epoch milliseconds), and what the count is then. */
export function countMessage(before: LimitCount | undefined, now: number): LimitVerdict {
  if (before === undefined || now >= before.began + hourMs) {
    return { verdict: 'send', count: { began: now, sent: 1, held: 0 } };
  }
  if (before.sent < messagesPerHour) {
    return { verdict: 'send', count: { ...before, sent: before.sent + 1 } };
  }
  return { verdict: 'hold', count: { ...before, held: before.held + 1 } };
}

/** News of incidents. What somebody asked for, must decide on or depends on goes however much there is. */
const limitedTypes = new Set<NotificationType>([
  'alert.received',
  'escalation.page',
  'escalation.restarted',
  'incident.opened',
  'incident.root_cause_found',
  'incident.acknowledged',
  'incident.resolved',
  'sla.at_risk',
  'sla.breached',
  'forecast',
]);

/** Whether messages of this type to a channel of this kind are counted at all. */
export function isLimited(type: NotificationType, kind: ChannelKind): boolean {
  // there it is no message but the state of the incident: one that is not closed would go on paging
  const state = type === 'incident.acknowledged' || type === 'incident.resolved';
  return limitedTypes.has(type) && !(kind === 'pagerduty' && state);
}
