import type { Dependency } from '../domain/topology/service.ts';
import type { Random } from './random.ts';

/** 'layers' calls the next layer, 'random' anything below, 'hubs' what many call already; in a 'tree' each has one caller. */
export const graphShapes = ['layers', 'random', 'hubs', 'tree'] as const;
export type GraphShape = (typeof graphShapes)[number];

/**
 * Who calls whom among `services` services. They stand in an order in which each calls later ones and, but for the
 * first, has a caller; a share of `cycles` of the calls lead back up.
 * @param calls that a service makes, in the mean; of no account in a tree
 */
export function makeCalls(
  { services, shape, calls, cycles }: { services: number; shape: GraphShape; calls: number; cycles: number },
  random: Random,
): Dependency[] {
  const edges: [caller: number, callee: number][] = [];
  for (let callee = 1; callee < services; callee++)
    edges.push([callerOf(shape, callee, services, random), callee]);
  if (shape !== 'tree') {
    while (edges.length < services * calls) {
      const [caller, callee] = furtherCall(shape, services, edges, random);
      edges.push([caller, callee]);
    }
  }
  const names = Array.from({ length: services }, (_, index) => `${random.pick(words)}-${index}`);
  return edges.map(([caller, callee]) => {
    const [from, to] = random.chance(cycles) ? [callee, caller] : [caller, callee];
    return { from: names[from] ?? '', to: names[to] ?? '' };
  });
}

function callerOf(shape: GraphShape, callee: number, services: number, random: Random): number {
  if (shape === 'tree') return Math.floor((callee - 1) / random.whole(1, 3));
  if (shape === 'layers') return randomIn(layerBefore(callee, services), random);
  return random.whole(0, callee - 1);
}

function furtherCall(
  shape: GraphShape,
  services: number,
  edges: readonly [number, number][],
  random: Random,
): [number, number] {
  const callee =
    shape === 'hubs' && random.chance(0.7) ? random.pick(edges)[1] : random.whole(1, services - 1);
  return [callerOf(shape, callee, services, random), callee];
}

/** About as many layers as a layer has services, at least three; the layer before that of `index`, or the first. */
function layerBefore(index: number, services: number): { first: number; last: number } {
  const layers = Math.min(8, Math.max(3, Math.round(Math.sqrt(services))));
  const size = services / layers;
  const layer = Math.max(1, Math.floor(index / size));
  const last = Math.min(index, Math.ceil(layer * size)) - 1;
  return { first: Math.min(Math.ceil((layer - 1) * size), last), last };
}

function randomIn({ first, last }: { first: number; last: number }, random: Random): number {
  return random.whole(first, Math.max(first, last));
}

const words = ['cart', 'search', 'payment', 'catalog', 'auth', 'mail', 'stock', 'price', 'report', 'session'];
