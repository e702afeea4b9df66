import type { ServiceGraph } from '../topology/graph.ts';
import type { Episode } from './episodes.ts';
import type { FirstLook } from './grouping.ts';
import { inOrderOfTime } from './in-order-of-time.ts';
import { isKnown } from './neighbourhood.ts';
import type { CorrelationRules } from './rules.ts';
import type { NewAlert } from './snapshot.ts';

/** Fewer services than these on one host, say, are there by chance… */
const fewestAlike = 3;
/** …as are those that are not so many times as many as on any other one. */
const timesUsual = 3;

/**
 * For an episode that labels put where it is: the latest one before it in that group that has such a label. Of services
 * that the topology knows only where that value stands out among all that failed, as that of a broken machine does.
 */
export function tiesByLabels(
  alerts: readonly NewAlert[],
  first: FirstLook,
  episodes: readonly Episode[],
  { graph, rules }: { graph: ServiceGraph; rules: CorrelationRules },
): Map<Episode, Episode> {
  const episodeOf = new Map(episodes.flatMap((episode) => episode.alerts.map((index) => [index, episode])));
  const groupOf = new Map(first.groups.flatMap((group, number) => group.map((index) => [index, number])));
  const names = Object.entries(rules.labelWeights)
    .filter(([, weight]) => weight > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name]) => name);
  const outstanding = outstandingValues(alerts, episodes, names);
  const isPlaced = ({ service }: Episode) => service !== null && isKnown(graph, service);
  const ties = new Map<Episode, Episode>();
  const latest = new Map<string, Episode>();
  for (const { alert, index } of inOrderOfTime(alerts)) {
    const episode = episodeOf.get(index);
    const decision = first.decisions[index];
    if (!episode || !decision) continue;
    const shared = names.flatMap((name) => {
      const key = keyOf(alert, name);
      return key === null ? [] : [{ key, inGroup: `${groupOf.get(index)} ${key}` }];
    });
    const byLabels = decision.action === 'join' && decision.by === 'labels' && !ties.has(episode);
    const tied = shared
      .filter(() => byLabels)
      .map(({ key, inGroup }) => ({ key, other: latest.get(inGroup) }))
      .find(
        ({ key, other }) =>
          other && other !== episode && (outstanding.has(key) || !isPlaced(episode) || !isPlaced(other)),
      );
    if (tied?.other) ties.set(episode, tied.other);
    for (const { inGroup } of shared) latest.set(inGroup, episode);
  }
  return ties;
}

/** Values that far more episodes share than the other values of that label; a label with one value has none such. */
function outstandingValues(
  alerts: readonly NewAlert[],
  episodes: readonly Episode[],
  names: readonly string[],
): Set<string> {
  const outstanding = new Set<string>();
  for (const name of names) {
    const counts = new Map<string, number>();
    for (const episode of episodes) {
      const keys = episode.alerts.map((index) => keyOf(alerts[index], name));
      for (const key of new Set(keys)) if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    for (const [key, count] of counts) {
      const usualOfOthers = (all - count) / (counts.size - 1);
      if (count >= fewestAlike && count >= timesUsual * usualOfOthers) outstanding.add(key);
    }
  }
  return outstanding;
}

function keyOf(alert: NewAlert | undefined, name: string): string | null {
  if (!alert || !Object.hasOwn(alert.labels, name)) return null;
  return JSON.stringify([name, alert.labels[name]]);
}
