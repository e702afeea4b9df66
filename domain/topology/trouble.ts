import { failingPath } from './failing-path.ts';
import type { ServiceGraph } from './graph.ts';

/** An open incident at one of the services that it concerns. */
export interface TroubledService {
  service: string;
  /** Of the incident. */
  number: number;
  isCause: boolean;
}

/** Where in the graph things are going wrong. */
export interface Trouble {
  /** Numbers of the incidents at each failing service, in the order given. */
  incidents: ReadonlyMap<string, readonly number[]>;
  causes: ReadonlySet<string>;
  /** Whether a failure goes along this call. */
  passes(call: { from: string; to: string }): boolean;
  /** Silent services between failing ones. */
  between: ReadonlySet<string>;
}

/** The way of each incident by itself: two outages at the same time have nothing between them. */
export function troubleIn(graph: ServiceGraph, troubled: readonly TroubledService[]): Trouble {
  const incidents = new Map<string, number[]>();
  for (const { service, number } of troubled) {
    incidents.set(service, [...(incidents.get(service) ?? []), number]);
  }
  const calls = new Map<string, Set<string>>();
  const between = new Set<string>();
  const outages = [...Map.groupBy(troubled, ({ number }) => number).values()];
  for (const outage of outages.filter(({ length }) => length > 1).slice(0, outagesFollowed)) {
    const path = failingPath(graph, new Set(outage.map(({ service }) => service)));
    for (const { from, to } of path.dependencies) calls.set(from, (calls.get(from) ?? new Set()).add(to));
    for (const service of path.services) if (!incidents.has(service)) between.add(service);
  }
  return {
    incidents,
    causes: new Set(troubled.filter(({ isCause }) => isCause).map(({ service }) => service)),
    passes: ({ from, to }) => calls.get(from)?.has(to) ?? false,
    between,
  };
}

/** Each takes a walk over the graph: more at once nobody can tell apart in it. */
const outagesFollowed = 20;
