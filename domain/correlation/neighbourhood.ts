import { reach, type ServiceGraph } from '../topology/graph.ts';
import type { FailingService } from './snapshot.ts';

type Direction = 'callees' | 'callers';

/** By the number of hops and the service. */
type Known = Map<number, Map<string, ReadonlyMap<string, number>>>;

/** Graphs do not change, and a storm asks for the same surroundings thousands of times. */
let known = new WeakMap<ServiceGraph, Record<Direction, Known>>();
/** Services in all that is remembered: in a large graph each reaches most of the others. */
let remembered = 0;
const mostRemembered = 500_000;

/** As `reach`, remembered for the graph; all is forgotten when it becomes too much. */
export function surroundings(
  graph: ServiceGraph,
  service: string,
  direction: Direction,
  hops: number,
): ReadonlyMap<string, number> {
  const before = known.get(graph)?.[direction].get(hops)?.get(service);
  if (before) return before;
  const found = reach(graph, service, direction, hops);
  remembered += found.size;
  if (remembered > mostRemembered) {
    known = new WeakMap();
    remembered = found.size;
  }
  const ofGraph = known.get(graph) ?? { callees: new Map(), callers: new Map() };
  const ofHops = ofGraph[direction].get(hops) ?? new Map<string, ReadonlyMap<string, number>>();
  known.set(graph, ofGraph);
  ofGraph[direction].set(hops, ofHops.set(service, found));
  return found;
}

/** The shortest way from caller to callee, in calls; undefined when it takes more than `hops`. */
export function distance(
  graph: ServiceGraph,
  caller: string,
  callee: string,
  hops: number,
): number | undefined {
  return surroundings(graph, caller, 'callees', hops).get(callee);
}

/** Whether the topology has anything to say about a service. */
export function isKnown(graph: ServiceGraph, service: string): boolean {
  return graph.callees(service).length > 0 || graph.callers(service).length > 0;
}

const deepestKnown = new WeakMap<
  readonly FailingService[],
  { graph: ServiceGraph; hops: number; found: FailingService[] }
>();

/**
 * The failing services whose failure no other of them explains: they reach none within `hops`, or stand in a cycle
 * with it and failed first. Remembered for the list, which nobody may change in place therefore.
 */
export function deepestOf(
  graph: ServiceGraph,
  services: readonly FailingService[],
  hops: number,
): FailingService[] {
  const remembered = deepestKnown.get(services);
  if (remembered && remembered.graph === graph && remembered.hops === hops) return remembered.found;
  const failing = new Map(services.map((one) => [one.service, one]));
  const deepest = services.filter((one) => !isExplained(graph, one, failing, hops));
  // in a long cycle each is explained by the next
  const found = deepest.length > 0 ? deepest : earliest(services);
  deepestKnown.set(services, { graph, hops, found });
  return found;
}

function isExplained(
  graph: ServiceGraph,
  effect: FailingService,
  failing: ReadonlyMap<string, FailingService>,
  hops: number,
): boolean {
  for (const [callee, down] of surroundings(graph, effect.service, 'callees', hops)) {
    const cause = failing.get(callee);
    if (cause && cause !== effect && explains(graph, cause, effect, { down, hops })) return true;
  }
  return false;
}

function explains(
  graph: ServiceGraph,
  cause: FailingService,
  effect: FailingService,
  { down, hops }: { down: number; hops: number },
): boolean {
  const back = distance(graph, cause.service, effect.service, hops);
  if (back === undefined || down < back) return true;
  return down === back && cause.firstAt < effect.firstAt;
}

function earliest(services: readonly FailingService[]): FailingService[] {
  const first = services.toSorted((a, b) => a.firstAt - b.firstAt)[0];
  return first ? [first] : [];
}

/** The share of the failing services, 0 to 1, that depend on `service`, over any number of calls. */
export function shareThatDependsOn(
  graph: ServiceGraph,
  services: readonly FailingService[],
  service: string,
): number {
  if (services.length === 0) return 0;
  const dependents = surroundings(graph, service, 'callers', Number.POSITIVE_INFINITY);
  return services.filter((one) => dependents.has(one.service)).length / services.length;
}
