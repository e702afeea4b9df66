import { identityOf } from './identity.ts';
import { inOrderOfTime } from './in-order-of-time.ts';
import { complainsOfMissingTraffic } from './missing-traffic.ts';
import type { NewAlert } from './snapshot.ts';

/** Alerts of one service that belong together, wherever that is; an alert without a service with its repeats. */
export interface Episode {
  service: string | null;
  /** When its first alert began. */
  at: number;
  /** All that it complains of is missing traffic. */
  starved: boolean;
  /** By index, in order of time. */
  alerts: number[];
}

/** An episode ends when its service was quiet for so long; the same alert again belongs to its first sighting. */
export function episodesOf(alerts: readonly NewAlert[], quietMs: number): Episode[] {
  const byIdentity = new Map<string, Episode>();
  const latest = new Map<string, { episode: Episode; lastAt: number }>();
  const episodes: Episode[] = [];
  for (const { alert, index } of inOrderOfTime(alerts)) {
    const { service, at } = alert;
    const identity = identityOf(alert);
    const open = service === null ? undefined : latest.get(service);
    const near = open && at - open.lastAt <= quietMs ? open.episode : undefined;
    const episode = byIdentity.get(identity) ?? near ?? { service, at, starved: true, alerts: [] };
    if (episode.alerts.length === 0) episodes.push(episode);
    episode.alerts.push(index);
    episode.starved &&= complainsOfMissingTraffic(alert.name);
    byIdentity.set(identity, episode);
    if (service !== null) latest.set(service, { episode, lastAt: at });
  }
  return episodes;
}
