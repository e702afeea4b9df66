import type { ServiceGraph } from '../topology/graph.ts';
import type { MetricAnomalies, MetricAnomaly } from './metric-anomalies.ts';

/**
 * The share of `anomaly`, 0 to 1, that what its service calls accounts for: a request that waits 30 ms longer because
 * the one it makes takes 30 ms longer has no trouble of its own. Measured in the metric's own unit, so callee and
 * caller need a metric of the same name; how often a request makes the other comes from their traffic, where known.
 * Latency and failures come up from what is called; nobody's CPU is high because a callee's is.
 */
export function explainedShare(
  anomaly: MetricAnomaly,
  service: string,
  graph: ServiceGraph,
  anomalies: MetricAnomalies,
): number {
  if (anomaly.kind !== 'latency' && anomaly.kind !== 'errors') return 0;
  const move = anomaly.reached - anomaly.usual;
  if (move === 0) return 0;
  let share = 0;
  for (const callee of graph.callees(service)) {
    const theirs = anomalies.get(callee) ?? [];
    const same = theirs.find(({ metric }) => metric === anomaly.metric);
    if (same && same.strength >= noticeable) {
      share += Math.max(
        0,
        ((same.reached - same.usual) * callsPerRequest(service, callee, anomalies)) / move,
      );
    } else {
      const alike = theirs.find(({ kind }) => kind === anomaly.kind);
      if (alike && !same) share += Math.min(1, alike.strength / anomaly.strength) / 2;
    }
  }
  return Math.min(1, share);
}

const noticeable = 0.2;

function callsPerRequest(caller: string, callee: string, anomalies: MetricAnomalies): number {
  for (const mine of anomalies.get(caller) ?? []) {
    if (mine.kind !== 'traffic' || mine.usual <= 0) continue;
    const theirs = anomalies.get(callee)?.find(({ metric }) => metric === mine.metric);
    if (theirs && theirs.usual > 0) return Math.min(2, Math.max(0.2, theirs.usual / mine.usual));
  }
  return 1;
}
