import type { Tx } from '../db/database.ts';
import { listChannelMessages } from '../db/destinations.ts';
import type { NotificationCause, NotifyTarget } from '../domain/notification.ts';
import type { NotificationTrigger } from '../domain/notification-rules/rule.ts';

/** News of an incident for a channel that has a message about it, which is brought up to date without a rule. */
export interface FollowUp {
  /** 'follow:<trigger>:<occurrence>:<destination>' */
  key: string;
  target: NotifyTarget;
  /** `follows`: it changes what is there already. `mergedInto`: number of the incident that goes on in its place. */
  detail: { follows: true; mergedInto?: number };
  cause: NotificationCause;
}

/** What of an incident each kind of channel is kept up to date with. */
const followed: Partial<Record<NotificationTrigger, ReadonlySet<string>>> = {
  'incident.root_cause_found': new Set(['slack']),
  'incident.acknowledged': new Set(['slack', 'pagerduty']),
  'incident.resolved': new Set(['slack', 'pagerduty']),
};

/** The same arguments give the same keys. `told`: whom a rule has told of it. */
export async function followUps(
  tx: Tx,
  args: { incidentId?: string; trigger: NotificationTrigger; occurrence: string; at: number },
  told: readonly NotifyTarget[],
): Promise<FollowUp[]> {
  const { incidentId, trigger, occurrence, at } = args;
  const kinds = followed[trigger];
  if (kinds === undefined || incidentId === undefined) return [];
  const channels = new Set(told.flatMap((target) => (target.type === 'channel' ? [target.name] : [])));
  const messages = await listChannelMessages(tx, `incident:${incidentId}`);
  return messages
    .filter(({ kind, channel, person }) => kinds.has(kind) && (person !== null || !channels.has(channel)))
    .map(({ destination, channel, person }) => ({
      key: `follow:${trigger}:${occurrence}:${destination}`,
      target:
        person === null
          ? { type: 'channel', name: channel }
          : { type: 'contact', email: person, method: { type: 'slack', channel } },
      detail: { follows: true },
      cause: { event: trigger, at: new Date(at).toISOString() },
    }));
}
