import type {
  AlertEvidence,
  ChangeEvidence,
  Evidence,
  LogEvidence,
  Symptom,
  TraceEvidence,
} from './evidence.ts';
import { demandedShare } from './explained.ts';
import type { MetricAnomalies, MetricAnomaly } from './metric-anomalies.ts';
import { type MetricKind, metricMeaning } from './metric-kind.ts';
import type { Likelihoods } from './propagation.ts';

/** What is seen of one service. */
export interface Trouble {
  /** Oldest first. */
  alerts: AlertEvidence[];
  /** Its alerts only complain that nothing arrives: an effect of what fails before it. */
  starved: boolean;
  /** The one that says most, null where its metrics are well or none are known. */
  anomaly: MetricAnomaly | null;
  /** Of `anomaly`, by how near its kind is to the symptom's. */
  strength: number;
  logs: LogEvidence | null;
  traces: TraceEvidence | null;
  change: ChangeEvidence | null;
}

/** Of every service that anything is known of, or that a dependency names. */
export function troublesOf(evidence: Evidence, anomalies: MetricAnomalies): Map<string, Trouble> {
  const kind = symptomKind(evidence.symptom);
  const alerts = Map.groupBy(
    evidence.alerts.toSorted((a, b) => a.startsAt - b.startsAt),
    ({ service }) => service,
  );
  const logs = new Map(evidence.logs?.map((log) => [log.service, log]));
  const traces = new Map(evidence.traces?.map((trace) => [trace.service, trace]));
  // the last one wins
  const changes = new Map(
    evidence.changes?.toSorted((a, b) => a.score - b.score).map((change) => [change.service, change]),
  );
  const services = new Set([
    ...evidence.dependencies.flatMap(({ from, to }) => [from, to]),
    ...[...alerts.keys()].flatMap((service) => service ?? []),
    ...[anomalies, logs, traces, changes].flatMap((known) => [...known.keys()]),
  ]);
  return new Map(
    [...services].map((service): [string, Trouble] => {
      const own = alerts.get(service) ?? [];
      return [
        service,
        {
          alerts: own,
          starved: own.length > 0 && own.every(({ name }) => missesTraffic(name)),
          ...worstOf(anomalies.get(service) ?? [], kind),
          logs: logs.get(service) ?? null,
          traces: traces.get(service) ?? null,
          change: changes.get(service) ?? null,
        },
      ];
    }),
  );
}

/**
 * How much likelier each service's signs are in trouble than in health. Where nothing was measured and nobody else
 * alerted either, nothing is known: 1. A service that is silent while others alert is rather well, but alerts get
 * lost and not everything is watched; where its metrics are known, they tell it better.
 */
export function likelihoodsOf(
  troubles: ReadonlyMap<string, Trouble>,
  anomalies: MetricAnomalies,
): Likelihoods {
  const alerting = [...troubles.values()].some(({ alerts }) => alerts.length > 0);
  return new Map(
    [...troubles].map(([service, trouble]) => {
      let logarithm = 0;
      if (anomalies.has(service)) logarithm += between(-1, 3 * trouble.strength - 1.5, 3.5);
      if (alerting && (trouble.alerts.length > 0 || !anomalies.has(service))) logarithm += byAlerts(trouble);
      if (trouble.logs) logarithm += between(0, Math.log1p(trouble.logs.errors) / 3, 1);
      return [service, Math.exp(Math.min(logarithm, 4))];
    }),
  );
}

function byAlerts({ alerts, starved }: Trouble): number {
  if (alerts.length === 0) return -1;
  // who misses traffic suffers from the trouble of another: rather well itself
  return starved ? -1.5 : 3.5;
}

function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

function worstOf(
  anomalies: readonly MetricAnomaly[],
  kind: MetricKind | null,
): Pick<Trouble, 'anomaly' | 'strength'> {
  let worst: Pick<Trouble, 'anomaly' | 'strength'> = { anomaly: null, strength: 0 };
  for (const anomaly of anomalies) {
    const strength = anomaly.strength * affinity(kind, anomaly) * (1 - demandedShare(anomaly, anomalies));
    if (strength > worst.strength) worst = { anomaly, strength };
  }
  return worst;
}

function symptomKind(symptom: Symptom | undefined): MetricKind | null {
  return symptom?.metric === undefined ? null : metricMeaning(symptom.metric).kind;
}

/** How much an anomaly of this kind tells of a symptom of that one. */
function affinity(symptom: MetricKind | null, anomaly: MetricAnomaly): number {
  const falls = anomaly.reached < anomaly.usual;
  // traffic is what callers do; less of it is what a failing caller does to those whom it no longer asks
  if (anomaly.kind === 'traffic') return falls ? 0.05 : 0.15;
  if (anomaly.kind === 'saturation') return 0.9;
  if (anomaly.kind === 'other') return 0.5;
  return symptom === null || symptom === anomaly.kind || symptom === 'other' ? 1 : 0.8;
}

/** 'LowTraffic', 'RequestRateDrop', 'no_messages_received'. */
function missesTraffic(name: string): boolean {
  const text = name
    .slice(0, 300)
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return flow.test(text) && lack.test(text) && !harm.test(text);
}

const flow = /traffic|throughput|request|rate|rps|qps|message|call|order|consum/;
const lack =
  /\b(no|low|lower|missing|absent|absence|drop|dropped|decreas\w*|below|too few|zero|starv\w*|reduced)\b/;
const harm = /error|fail|latenc|timeout|5xx|slow|success|availab/;
