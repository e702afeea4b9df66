import type { ServiceGraph } from './graph.ts';
import type { Dependency } from './service.ts';

/** The part of the graph over which a failure spreads. */
export interface FailingPath {
  /** Failing services and the silent ones between them, in the order of the graph; then those that it doesn't know. */
  services: string[];
  /** The calls along which trouble went: from failing to failing, at most `silentHops` silent services between. */
  dependencies: Dependency[];
}

/** Silent services between two failing ones that a failure is taken to have passed: they have no alerts of their own. */
const silentHops = 2;

/**
 * What of the graph lies on the way between failing services: a chain whose middle has no alerts is still one chain.
 * Takes time in proportion to the graph.
 */
export function failingPath(graph: ServiceGraph, failing: ReadonlySet<string>): FailingPath {
  const below = hopsThroughSilent(graph, failing, 'callees');
  const above = hopsThroughSilent(graph, failing, 'callers');
  const onPath = new Set(failing);
  const dependencies: Dependency[] = [];
  for (const from of graph.services) {
    const down = below.get(from);
    if (down === undefined) continue;
    for (const to of graph.callees(from)) {
      const up = above.get(to);
      // the silent services on the shortest way through this call
      if (up === undefined || down + up > silentHops) continue;
      dependencies.push({ from, to });
      onPath.add(from).add(to);
    }
  }
  const known = graph.services.filter((service) => onPath.delete(service));
  return { services: [...known, ...onPath], dependencies };
}

/** Hops from the nearest failing service to each silent one, over silent ones only; failing ones with 0. */
function hopsThroughSilent(
  graph: ServiceGraph,
  failing: ReadonlySet<string>,
  direction: 'callees' | 'callers',
): Map<string, number> {
  const hops = new Map([...failing].map((service) => [service, 0]));
  let edge = [...failing];
  for (let hop = 1; hop <= silentHops && edge.length > 0; hop++) {
    const next: string[] = [];
    for (const from of edge) {
      for (const to of graph[direction](from)) {
        if (hops.has(to)) continue;
        hops.set(to, hop);
        next.push(to);
      }
    }
    edge = next;
  }
  return hops;
}
