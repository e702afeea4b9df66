import type { ServiceGraph } from '../topology/graph.ts';
import type { MetricAnomalies, MetricAnomaly } from './metric-anomalies.ts';

/**
 * The share of `anomaly`, 0 to 1, that what its service calls accounts for: a request that waits 30 ms longer because
 * the one it makes takes 30 ms longer has no trouble of its own. Measured in the metrics' own units, so callee and
 * caller need metrics of the same names; how often a request makes the other comes from their traffic, where known.
 * Where that cannot be compared, a callee that is in trouble as much accounts for half.
 * Latency and failures come up from what is called; nobody's CPU is high because a callee's is.
 */
export function explainedShare(
  anomaly: MetricAnomaly,
  service: string,
  graph: ServiceGraph,
  anomalies: MetricAnomalies,
): number {
  if (anomaly.kind !== 'latency' && anomaly.kind !== 'errors') return 0;
  const mine = (anomalies.get(service) ?? []).filter(
    ({ kind, strength }) => kind === anomaly.kind && strength >= noticeable,
  );
  const shares = graph.callees(service).map((callee) => {
    const theirs = anomalies.get(callee) ?? [];
    const worst = theirs.find(({ kind }) => kind === 'latency' || kind === 'errors');
    if (!worst || worst.strength < noticeable) return 0;
    const calls = callsPerRequest(service, callee, anomalies);
    let compared = 0;
    let accounted = 0;
    for (const own of mine) {
      const other = theirs.find(({ metric }) => metric === own.metric);
      if (!other) continue;
      compared += own.strength;
      const moved = other.strength >= noticeable ? (calls * moveOf(other)) / moveOf(own) : 0;
      accounted += own.strength * Math.max(0, Math.min(1, moved));
    }
    if (compared > 0) return accounted / compared;
    return (Math.min(1, calls) * Math.min(1, worst.strength / anomaly.strength)) / 2;
  });
  return Math.min(
    1,
    shares.reduce((sum, share) => sum + share, 0),
  );
}

/**
 * The share of a resource's use, 0 to 1, that more requests account for: who is asked twice as often needs twice the
 * CPU, and has no trouble of its own by that.
 */
export function demandedShare(anomaly: MetricAnomaly, own: readonly MetricAnomaly[]): number {
  const demand = own.find(({ kind, usual, reached }) => kind === 'traffic' && reached > usual);
  if (anomaly.kind !== 'saturation' || !demand || demand.strength < noticeable) return 0;
  if (demand.usual <= 0 || anomaly.usual <= 0) return demand.usual <= 0 ? 1 : 0;
  const grown = anomaly.reached / anomaly.usual - 1;
  return grown > 0 ? Math.min(1, (demand.reached / demand.usual - 1) / grown) : 0;
}

/**
 * How strongly `service` is asked more often than before while those that are known to call it are not: it is then
 * not their doing. 0 for the rest.
 */
export function rush(service: string, graph: ServiceGraph, anomalies: MetricAnomalies): number {
  const rise = (one: string): number =>
    (anomalies.get(one) ?? []).find(({ kind, usual, reached }) => kind === 'traffic' && reached > usual)
      ?.strength ?? 0;
  return Math.max(0, rise(service) - Math.max(0, ...graph.callers(service).map(rise)));
}

const moveOf = ({ usual, reached }: MetricAnomaly): number => reached - usual;

/** Less is noise. */
const noticeable = 0.2;

/** As often as usual or as now, whichever is more; 1 where their traffic is not known. */
function callsPerRequest(caller: string, callee: string, anomalies: MetricAnomalies): number {
  for (const mine of anomalies.get(caller) ?? []) {
    const most = Math.max(mine.usual, mine.reached);
    if (mine.kind !== 'traffic' || most <= 0) continue;
    const theirs = anomalies.get(callee)?.find(({ metric }) => metric === mine.metric);
    if (theirs) return Math.min(2, Math.max(0, theirs.usual, theirs.reached) / most);
  }
  return 1;
}
