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
 * From each service the way goes on to the nearest failing one: where a callee fails, no silent detour is looked for.
 * Takes time in proportion to the graph.
 */
export function failingPath(graph: ServiceGraph, failing: ReadonlySet<string>): FailingPath {
  const hops = hopsToFailing(graph, failing);
  const onPath = new Set(failing);
  const dependencies: Dependency[] = [];
  for (const from of onPath) {
    const ways = graph.callees(from).flatMap((to) => {
      const way = hops.get(to);
      // a silent callee that calls back leads nowhere
      return way === undefined || way.target === from ? [] : [{ to, left: way.left }];
    });
    const nearest = Math.min(...ways.map(({ left }) => left));
    for (const { to, left } of ways) {
      if (left !== nearest) continue;
      dependencies.push({ from, to });
      // a set takes up what is added while it is walked
      onPath.add(to);
    }
  }
  const known = graph.services.filter((service) => onPath.delete(service));
  return { services: [...known, ...onPath], dependencies };
}

/** Calls from each service over silent ones to the nearest failing one, `target`; failing ones with 0. */
function hopsToFailing(
  graph: ServiceGraph,
  failing: ReadonlySet<string>,
): Map<string, { left: number; target: string }> {
  const hops = new Map([...failing].map((service) => [service, { left: 0, target: service }]));
  let edge = [...failing];
  for (let hop = 1; hop <= silentHops && edge.length > 0; hop++) {
    const next: string[] = [];
    for (const to of edge) {
      for (const from of graph.callers(to)) {
        if (hops.has(from)) continue;
        hops.set(from, { left: hop, target: hops.get(to)?.target ?? to });
        next.push(from);
      }
    }
    edge = next;
  }
  return hops;
}
