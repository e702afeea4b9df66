import type { GraphEdge, GraphNode } from './graph-view.ts';

/**
 * The calls that close cycles: taken away, or turned round, callers come before what they call. The way of the
 * failure is followed first, so that it is other calls that go back.
 */
export function backwardCalls(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Set<GraphEdge> {
  const inOrder = edges.toSorted((a, b) => Number(b.failing) - Number(a.failing));
  const callsOf = Map.groupBy(inOrder, ({ from }) => from);
  const backward = new Set<GraphEdge>();
  const seen = new Set<string>();
  const open = new Set<string>();
  const visit = (service: string): void => {
    seen.add(service);
    open.add(service);
    for (const edge of callsOf.get(service) ?? []) {
      if (open.has(edge.to)) backward.add(edge);
      else if (!seen.has(edge.to)) visit(edge.to);
    }
    open.delete(service);
  };
  const called = new Set(edges.map(({ to }) => to));
  const roots = nodes.filter(({ service }) => !called.has(service));
  for (const { service } of [...roots, ...nodes]) if (!seen.has(service)) visit(service);
  return backward;
}
