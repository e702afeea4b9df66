import { reach, type ServiceGraph, serviceGraph } from '../topology/graph.ts';
import type { Cause } from './cause.ts';
import type { Evidence, Symptom } from './evidence.ts';
import { explainedShare } from './explained.ts';
import { hiddenCalls } from './hidden-calls.ts';
import { type MetricAnomalies, type MetricAnomaly, metricAnomalies } from './metric-anomalies.ts';
import { type MetricKind, metricMeaning } from './metric-kind.ts';
import { explanatoryPower } from './propagation.ts';

/**
 * The services that an incident may come from, best first; at most 20, none for no evidence at all.
 */
export function rankCauses(evidence: Evidence): Cause[] {
  const at = beginning(evidence);
  const anomalies = at === null ? new Map() : metricAnomalies(evidence.metrics ?? [], at, evidence.symptom);
  const known = serviceGraph(evidence.dependencies);
  const graph = serviceGraph([...evidence.dependencies, ...hiddenCalls(known, anomalies)]);
  const troubles = troublesOf(evidence, anomalies);
  const likelihoods = new Map([...troubles].map(([service, { likelihood }]) => [service, likelihood]));
  const hops = evidence.symptom ? reach(graph, evidence.symptom.service, 'callees', 20) : null;
  const scored = [...troubles.keys()]
    .map((service) => ({ service, points: pointsOf(service, graph, anomalies, troubles, likelihoods, hops) }))
    .toSorted((a, b) => b.points - a.points)
    .slice(0, 20);
  const best = scored[0]?.points ?? 0;
  const total = scored.reduce((sum, { points }) => sum + Math.exp(points - best), 0);
  return scored.map(({ service, points }) => ({
    service,
    score: Math.exp((points - best) / 3),
    confidence: Math.exp(points - best) / total,
    reasons: [],
  }));
}

export interface Trouble {
  likelihood: number;
  alerted: boolean;
  strength: number;
  anomaly: MetricAnomaly | null;
}

function beginning({ symptom, alerts }: Evidence): number | null {
  if (symptom?.at !== undefined) return symptom.at;
  if (alerts.length === 0) return null;
  return Math.min(...alerts.map(({ startsAt }) => startsAt)) / 1000;
}

function troublesOf(evidence: Evidence, anomalies: MetricAnomalies): Map<string, Trouble> {
  const troubles = new Map<string, Trouble>();
  const alerted = new Set(evidence.alerts.flatMap(({ service }) => service ?? []));
  const kind = symptomKind(evidence.symptom);
  const services = new Set([
    ...evidence.dependencies.flatMap(({ from, to }) => [from, to]),
    ...alerted,
    ...anomalies.keys(),
  ]);
  for (const service of services) {
    const weighted = (anomalies.get(service) ?? []).map((anomaly) => ({
      anomaly,
      weight: anomaly.strength * affinity(kind, anomaly),
    }));
    const top = weighted.toSorted((a, b) => b.weight - a.weight)[0];
    let likelihood = 1;
    if (top) likelihood *= Math.exp(Math.min(3.5, Math.max(-1, 3 * top.weight - 1.5)));
    if (alerted.size > 0) likelihood *= alerted.has(service) ? 20 : 0.3;
    troubles.set(service, {
      likelihood: Math.min(60, likelihood),
      alerted: alerted.has(service),
      strength: top?.weight ?? 0,
      anomaly: top?.anomaly ?? null,
    });
  }
  return troubles;
}

function symptomKind(symptom: Symptom | undefined): MetricKind | null {
  return symptom?.metric === undefined ? null : metricMeaning(symptom.metric).kind;
}

function affinity(symptom: MetricKind | null, anomaly: MetricAnomaly): number {
  const falls = anomaly.reached < anomaly.usual;
  if (anomaly.kind === 'traffic') return falls ? 0.05 : 0.15;
  if (anomaly.kind === 'saturation') return 0.9;
  if (anomaly.kind === 'other') return 0.5;
  if (symptom === null || symptom === anomaly.kind || symptom === 'other') return 1;
  return 0.8;
}

function pointsOf(
  service: string,
  graph: ServiceGraph,
  anomalies: MetricAnomalies,
  troubles: Map<string, Trouble>,
  likelihoods: Map<string, number>,
  hops: Map<string, number> | null,
): number {
  const trouble = troubles.get(service);
  let points = explanatoryPower(graph, service, likelihoods);
  if (trouble?.anomaly) {
    points += 2 * trouble.strength * (1 - explainedShare(trouble.anomaly, service, graph, anomalies));
  }
  if (hops && !hops.has(service)) points -= 3;
  return points;
}
