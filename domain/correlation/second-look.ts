import type { ServiceGraph } from '../topology/graph.ts';
import { type Episode, episodesOf } from './episodes.ts';
import type { FirstLook, Grouping } from './grouping.ts';
import { largestGap, outagesOf, usualGap } from './hindsight.ts';
import { tiesByLabels } from './label-ties.ts';
import type { CorrelationRules } from './rules.ts';
import type { NewAlert } from './snapshot.ts';

/**
 * Groups as they are with hindsight: what failed is told apart anew now that all of it is known, for what explains an
 * alert may come after it. What only labels tie stays together as it was when it came.
 */
export function lookAgain(
  alerts: readonly NewAlert[],
  first: FirstLook,
  graph: ServiceGraph,
  rules: CorrelationRules,
): Grouping {
  const usualGapMs = usualGap(episodesOf(alerts, rules.windowMs), graph, rules);
  const episodes = episodesOf(alerts, largestGap(usualGapMs, rules));
  const ties = tiesByLabels(alerts, first, episodes, { graph, rules });
  const placements = outagesOf(episodes, ties, { graph, rules, usualGapMs });
  const reasons: string[] = [];
  const groups = new Map<Episode | undefined, number[]>();
  for (const episode of episodes) {
    const { outage, reason } = placements.get(episode) ?? { outage: episode, reason: null };
    groups.set(outage, [...(groups.get(outage) ?? []), ...episode.alerts]);
    for (const [position, index] of episode.alerts.entries()) {
      const own = reason ?? first.decisions[index]?.reason ?? '';
      reasons[index] =
        position === 0 || episode.service === null ? own : `${episode.service} fails there too`;
    }
  }
  return {
    groups: [...groups.values()]
      .map((group) => group.sort((a, b) => a - b))
      .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)),
    reasons,
  };
}
