import { reach, type ServiceGraph } from '../topology/graph.ts';
import type { Dependency } from '../topology/service.ts';
import type { MetricAnomalies, MetricAnomaly } from './metric-anomalies.ts';

/**
 * Calls that the graph does not tell of, because what passes them on is not traced: load balancers, proxies and
 * gateways appear as a service of their own that calls nothing, beside the one that they stand for.
 *
 * One is assumed from `from` to `to` when both have the same caller, both fell into trouble in step with the symptom,
 * `from` calls nothing that is known, and answers more slowly than `to` on ordinary days: a call takes at least as
 * long as the calls that it waits for.
 */
export function hiddenCalls(graph: ServiceGraph, anomalies: MetricAnomalies): Dependency[] {
  const failing = [...anomalies].flatMap(([service, [worst]]) =>
    worst && worst.strength >= clear && (worst.together ?? 0) >= inStep ? [service] : [],
  );
  return failing
    .filter((from) => graph.callees(from).length === 0)
    .flatMap((from) => {
      const siblings = new Set(graph.callers(from).flatMap((caller) => graph.callees(caller)));
      return failing
        .filter((to) => to !== from && siblings.has(to))
        .filter((to) => !reach(graph, to, 'callees', 20).has(from))
        .filter((to) => slower(anomalies.get(from) ?? [], anomalies.get(to) ?? []))
        .map((to) => ({ from, to }));
    });
}

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
