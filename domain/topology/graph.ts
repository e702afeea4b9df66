import type { Dependency } from './service.ts';

/**
 * Who calls whom. Partial graphs, cycles and services that call themselves are normal; a service that is in no
 * dependency is simply alone.
 */
export interface ServiceGraph {
  /** Every service that some dependency names, in the order of their first mention. */
  readonly services: readonly string[];
  /** What `service` calls itself, without itself. */
  callees(service: string): readonly string[];
  /** What calls `service` itself, without itself. */
  callers(service: string): readonly string[];
}

export function serviceGraph(dependencies: Iterable<Dependency>): ServiceGraph {
  const callees = new Map<string, Set<string>>();
  const callers = new Map<string, Set<string>>();
  for (const { from, to } of dependencies) {
    for (const service of [from, to]) {
      if (callees.has(service)) continue;
      callees.set(service, new Set());
      callers.set(service, new Set());
    }
    if (from === to) continue;
    callees.get(from)?.add(to);
    callers.get(to)?.add(from);
  }
  const listed = (sets: Map<string, Set<string>>) => {
    const lists = new Map([...sets].map(([service, others]) => [service, [...others]]));
    return (service: string): readonly string[] => lists.get(service) ?? [];
  };
  return { services: [...callees.keys()], callees: listed(callees), callers: listed(callers) };
}

/** Hops to everything that `service` can reach within `most` hops in one direction; itself with 0. */
export function reach(
  graph: ServiceGraph,
  service: string,
  direction: 'callees' | 'callers',
  most: number,
): Map<string, number> {
  const hops = new Map([[service, 0]]);
  let edge = [service];
  for (let hop = 1; hop <= most && edge.length > 0; hop++) {
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

/** What is within `hops` calls of `service`, either way, itself first. */
export function neighbourhood(graph: ServiceGraph, service: string, hops: number): Set<string> {
  return new Set([
    ...reach(graph, service, 'callees', hops).keys(),
    ...reach(graph, service, 'callers', hops).keys(),
  ]);
}

/** Everything that calls `service`, directly or through others, and so fails when it does; the nearest first. */
export function blastRadius(graph: ServiceGraph, service: string): { service: string; hops: number }[] {
  return [...reach(graph, service, 'callers', Number.POSITIVE_INFINITY)]
    .filter(([, hops]) => hops > 0)
    .map(([caller, hops]) => ({ service: caller, hops }))
    .sort((a, b) => a.hops - b.hops || (a.service < b.service ? -1 : 1));
}
