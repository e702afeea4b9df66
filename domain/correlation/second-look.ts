import type { ServiceGraph } from '../topology/graph.ts';
import { surroundings } from './neighbourhood.ts';
import type { CorrelationRules } from './rules.ts';
import type { NewAlert } from './snapshot.ts';
import { timeFactor } from './time.ts';
import { chainWeight } from './topology-evidence.ts';

/** All alerts of one service in one group. */
interface Episode {
  service: string;
  /** When its first alert began. */
  at: number;
  alerts: number[];
  group: number;
}

/** How much better another group has to explain a service. */
const margin = 0.02;
/** A service that moves may take those along who call it. */
const sweeps = 5;

/**
 * Groups as they are with hindsight: a service that was put where something fails that it calls belongs rather to the
 * group in which what it calls failed at nearly the same time, even if that was told of later.
 */
export function lookAgain(
  alerts: readonly NewAlert[],
  groups: readonly number[][],
  graph: ServiceGraph,
  rules: CorrelationRules,
): number[][] {
  const episodes = episodesOf(alerts, groups);
  const byService = Map.groupBy(episodes, ({ service }) => service);
  for (let sweep = 0, moved = true; moved && sweep < sweeps; sweep++) {
    moved = false;
    for (const episode of episodes) {
      const group = bestGroup(episode, byService, graph, rules);
      if (group === episode.group) continue;
      episode.group = group;
      moved = true;
    }
  }
  const regrouped = groups.map((group) => group.filter((index) => alerts[index]?.service === null));
  for (const { group, alerts: held } of episodes) regrouped[group]?.push(...held);
  return regrouped.filter(({ length }) => length > 0).map((group) => group.sort((a, b) => a - b));
}

function episodesOf(alerts: readonly NewAlert[], groups: readonly number[][]): Episode[] {
  return groups.flatMap((group, number) => {
    const byService = Map.groupBy(group, (index) => alerts[index]?.service ?? null);
    return [...byService].flatMap(([service, held]) =>
      service === null
        ? []
        : [
            {
              service,
              at: Math.min(...held.map((index) => alerts[index]?.at ?? 0)),
              alerts: held,
              group: number,
            },
          ],
    );
  });
}

/** The group that explains the service best by what it calls; its own unless another one does so clearly better. */
function bestGroup(
  episode: Episode,
  byService: ReadonlyMap<string, Episode[]>,
  graph: ServiceGraph,
  rules: CorrelationRules,
): number {
  const explained = new Map<number, number>([[episode.group, 0]]);
  for (const [callee, hops] of surroundings(graph, episode.service, 'callees', rules.topologyHops)) {
    if (hops === 0) continue;
    for (const failing of byService.get(callee) ?? []) {
      const weight = chainWeight(hops) * timeFactor(Math.abs(failing.at - episode.at), rules);
      explained.set(failing.group, Math.max(weight, explained.get(failing.group) ?? 0));
    }
  }
  const own = explained.get(episode.group) ?? 0;
  const [best] = [...explained].sort(([, a], [, b]) => b - a);
  return best && best[1] >= rules.threshold && best[1] > own + margin ? best[0] : episode.group;
}
