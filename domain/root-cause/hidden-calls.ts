import { reach, type ServiceGraph } from '../topology/graph.ts';
import type { Dependency } from '../topology/service.ts';
import type { MetricAnomalies, MetricAnomaly } from './metric-anomalies.ts';

/**
 * Calls that the graph does not tell of. What is not traced passes them on: load balancers, proxies and gateways appear
 * as a service of their own that calls nothing, beside the one that they stand for. And a graph that is learned or
 * written down lacks some: a service that nobody calls is mostly one whose callers are not known.
 *
 * A call is assumed from `from` to `to` when both fell into trouble in step with the symptom and `from` answers more
 * slowly on ordinary days, as a call takes at least as long as those that it waits for; and when either `from` calls
 * nothing that is known and both have the same caller, or nobody is known to call `to`.
 */
export function hiddenCalls(graph: ServiceGraph, anomalies: MetricAnomalies): Dependency[] {
  const failing = [...anomalies]
    .flatMap(([service, [worst]]) =>
      worst && worst.strength >= clear && (worst.together ?? 0) >= inStep
        ? [{ service, strength: worst.strength }]
        : [],
    )
    .toSorted((a, b) => b.strength - a.strength)
    .slice(0, mostFailing)
    .map(({ service }) => service);
  return failing.flatMap((to) => {
    const below = reach(graph, to, 'callees', 20);
    const orphan = graph.callers(to).length === 0;
    const siblings = new Set(graph.callers(to).flatMap((caller) => graph.callees(caller)));
    return failing
      .filter((from) => !below.has(from))
      .filter((from) => orphan || (siblings.has(from) && graph.callees(from).length === 0))
      .filter((from) => slower(anomalies.get(from) ?? [], anomalies.get(to) ?? []))
      .map((from) => ({ from, to }));
  });
}

/** Every two of them are compared. */
const mostFailing = 100;

/** Strength from which a metric is surely abnormal: three robust standard deviations, in step. */
const clear = 0.5;
const inStep = 0.5;

/** By the latencies that both have, on ordinary days. */
function slower(from: readonly MetricAnomaly[], to: readonly MetricAnomaly[]): boolean {
  const usual = new Map(latencies(to).map(({ metric, usual }) => [metric, usual]));
  const compared = latencies(from).flatMap(({ metric, usual: own }) => {
    const other = usual.get(metric);
    return other === undefined ? [] : [own > other];
  });
  return compared.length > 0 && compared.filter(Boolean).length > compared.length / 2;
}

function latencies(anomalies: readonly MetricAnomaly[]): readonly MetricAnomaly[] {
  return anomalies.filter(({ kind }) => kind === 'latency');
}
