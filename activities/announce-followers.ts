import type { Tx } from '../db/database.ts';
import { listChannelMessages } from '../db/destinations.ts';
import type { AnnouncedTrigger } from '../domain/incident/state.ts';
import type { NotificationCause, NotifyTarget } from '../domain/notification.ts';

/** News of an incident for a channel that has a message about it, which is brought up to date without a rule. */
export interface FollowUp {
  /** 'follow:<trigger>:<occurrence>:<destination>' */
  key: string;
  target: NotifyTarget;
  /**
   * `follows`: it changes what is there already. `mergedInto`: number of the incident that goes on in its place. `seq`: of
   * the note that is to stand there too.
   */
  detail: { follows: true; mergedInto?: number } | { seq: number };
  cause: NotificationCause;
}

/** What of an incident each kind of channel is kept up to date with. */
const followed: Partial<Record<AnnouncedTrigger, ReadonlySet<string>>> = {
  'incident.root_cause_found': new Set(['slack']),
  'incident.acknowledged': new Set(['slack', 'pagerduty']),
  'incident.resolved': new Set(['slack', 'pagerduty']),
  'incident.noted': new Set(['pagerduty']),
};

/** The same arguments give the same keys. `told`: whom a rule has told of it. */
export async function followUps(
  tx: Tx,
  args: { incidentId?: string; trigger: AnnouncedTrigger; occurrence: string; at: number },
  told: readonly NotifyTarget[],
): Promise<FollowUp[]> {
  const { incidentId, trigger, occurrence, at } = args;
  const kinds = followed[trigger];
  if (kinds === undefined || incidentId === undefined) return [];
  const channels = new Set(told.flatMap((target) => (target.type === 'channel' ? [target.name] : [])));
  const messages = await listChannelMessages(tx, `incident:${incidentId}`);
  return messages
    .filter(({ kind, channel, person }) => kinds.has(kind) && (person !== null || !channels.has(channel)))
    .filter(({ notes }) => trigger !== 'incident.noted' || notes)
    .map(({ destination, channel, person }) => ({
      key: `follow:${trigger}:${occurrence}:${destination}`,
      target:
        person === null
          ? { type: 'channel', name: channel }
          : { type: 'contact', email: person, method: { type: 'slack', channel } },
      detail: trigger === 'incident.noted' ? { seq: Number(occurrence) } : { follows: true },
      cause: { event: trigger, at: new Date(at).toISOString() },
    }));
}
