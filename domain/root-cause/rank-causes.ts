import { reach, type ServiceGraph, serviceGraph } from '../topology/graph.ts';
import { beginningOf } from './beginning.ts';
import type { Case } from './case.ts';
import type { Cause } from './cause.ts';
import type { Evidence, Symptom } from './evidence.ts';
import { explainedShare, rush } from './explained.ts';
import { hiddenCalls } from './hidden-calls.ts';
import { type MetricAnomalies, metricAnomalies } from './metric-anomalies.ts';
import { explanatoryPower, type Likelihoods } from './propagation.ts';
import { reasonsFor } from './reasons.ts';
import { likelihoodsOf, type Trouble, troublesOf } from './trouble.ts';

/**
 * The services that an incident may come from, best first; at most 20, none when nothing is in trouble.
 *
 * Each service is weighed as the one cause of all that is seen: how well trouble that spreads from it to its callers
 * explains who is in trouble and who is well (propagation.ts), how much is wrong with itself that its own callees do
 * not account for (explained.ts), and what alerts, logs, traces and changes say of it. The weights are logarithms of
 * likelihoods, so that they add up, and a confidence is the share of one in all.
 */
export function rankCauses(evidence: Evidence): Cause[] {
  const considered = caseOf(evidence);
  const weighed = suspects(considered)
    .map((service) => ({ service, weight: weightOf(service, considered) }))
    .toSorted((a, b) => b.weight - a.weight)
    .slice(0, mostCauses);
  const best = weighed[0]?.weight ?? 0;
  const total = weighed.reduce((sum, { weight }) => sum + Math.exp(weight - best), 0);
  const doubt = 1 - certainty(weighed[0]?.service, considered);
  return weighed.map(({ service, weight }) => ({
    service,
    score: rounded(Math.exp((weight - best) / 3)),
    confidence: rounded((Math.exp(weight - best) / total) * (1 - doubt)),
    reasons: reasonsFor(service, considered),
  }));
}

const mostCauses = 20;
/** Beyond, only the likeliest are weighed: a graph may have thousands of services. */
const mostSuspects = 300;
const furthest = 20;

function caseOf(evidence: Evidence): Case {
  const at = beginningOf(evidence);
  const known = serviceGraph(evidence.dependencies);
  const anomalies: MetricAnomalies =
    at === null ? new Map() : metricAnomalies(evidence.metrics ?? [], at, symptomOf(evidence, known));
  const graph = serviceGraph([...evidence.dependencies, ...hiddenCalls(known, anomalies)]);
  const troubles = troublesOf(evidence, anomalies);
  const likelihoods = likelihoodsOf(troubles, anomalies);
  const hops = evidence.symptom ? reach(graph, evidence.symptom.service, 'callees', furthest) : null;
  const completeness = hops ? shareReached(hops, likelihoods) : 0;
  return { evidence, graph, anomalies, troubles, likelihoods, hops, completeness };
}

/** Of those in trouble beside the symptom's service itself; one half before any is seen. */
function shareReached(hops: ReadonlyMap<string, number>, likelihoods: Likelihoods): number {
  const others = [...likelihoods].filter(
    ([service, likelihood]) => likelihood > 3 && hops.get(service) !== 0,
  );
  return (others.filter(([service]) => hops.has(service)).length + 0.5) / (others.length + 1);
}

/** Without one, the alerting service that depends on most of the others: what people notice first. */
function symptomOf({ symptom, alerts }: Evidence, graph: ServiceGraph): Symptom | undefined {
  if (symptom) return symptom;
  const alerting = new Set(alerts.flatMap(({ service }) => service ?? []));
  let top: { service: string; reached: number } | undefined;
  for (const service of alerting) {
    const reached = [...reach(graph, service, 'callees', furthest).keys()].filter((one) =>
      alerting.has(one),
    ).length;
    if (!top || reached > top.reached) top = { service, reached };
  }
  return top && { service: top.service };
}

/** Who is in trouble, and what they call: the cause may be silent. */
function suspects({ graph, troubles, likelihoods }: Case): string[] {
  const failing = [...troubles.keys()].filter(
    (service) => (likelihoods.get(service) ?? 1) > 1 || isSign(troubles.get(service)),
  );
  const near = new Set(failing.flatMap((service) => [...reach(graph, service, 'callees', 2).keys()]));
  if (near.size <= mostSuspects) return [...near];
  return [...near]
    .toSorted((a, b) => (likelihoods.get(b) ?? 1) - (likelihoods.get(a) ?? 1))
    .slice(0, mostSuspects);
}

function isSign(trouble: Trouble | undefined): boolean {
  return (
    trouble !== undefined && (trouble.alerts.length > 0 || trouble.traces !== null || trouble.strength > 0.1)
  );
}

function weightOf(service: string, considered: Case): number {
  const { graph, anomalies, troubles, likelihoods, hops, completeness } = considered;
  const trouble = troubles.get(service);
  let weight = explanatoryPower(graph, service, likelihoods);
  if (!trouble) return weight;
  if (trouble.anomaly) {
    weight += 2 * trouble.strength * (1 - explainedShare(trouble.anomaly, service, graph, anomalies));
  }
  if (hops && !hops.has(service)) weight -= unreachable * completeness;
  if (hops?.get(service) === 0) weight -= chosen;
  if (anomalies.size > 0 && !anomalies.has(service)) weight -= unmeasured;
  weight += earliness(service, considered) + Math.min(0.5, trouble.alerts.length / 8);
  if (trouble.logs) weight += Math.min(1, trouble.logs.newPatterns / 3);
  weight += mentioned(service, considered);
  // more requests hurt only whom they slow down
  weight += Math.min(trouble.strength, rush(service, graph, anomalies));
  if (trouble.traces && trouble.traces.of > 0)
    weight += (4 * trouble.traces.firstFailures) / trouble.traces.of;
  if (trouble.change) weight += 2 * trouble.change.score;
  return weight;
}

/** The symptom's service does not reach it, as far as the graph knows: e³ is 20 to 1. */
const unreachable = 3;
/** The symptom's service was chosen for being in trouble, so that this says less of it than of any other. */
const chosen = 1;
/** What has no metrics where others have is mostly idle or not part of this. */
const unmeasured = 0.7;

/**
 * Between -1 and 1: how many of those that alerted and reach this service did so after it. Weak, as every alert has a
 * delay of its own; a second is as good as none, two minutes are worth all.
 */
function earliness(service: string, { graph, troubles }: Case): number {
  const mine = troubles.get(service)?.alerts[0]?.startsAt;
  if (mine === undefined) return 0;
  const leads = [...reach(graph, service, 'callers', furthest).keys()].flatMap((caller) => {
    const first = troubles.get(caller)?.alerts[0]?.startsAt;
    return caller === service || first === undefined ? [] : [Math.tanh((first - mine) / 60_000)];
  });
  return leads.length === 0 ? 0 : leads.reduce((sum, lead) => sum + lead, 0) / leads.length;
}

/** Up to 1.5 when the error lines of those that call it name it. */
function mentioned(service: string, { evidence }: Case): number {
  const naming = (evidence.logs ?? []).filter(
    (log) => log.service !== service && log.mentions?.includes(service),
  );
  return Math.min(1.5, naming.length * 0.75);
}

/** How sure it can be at all: one alert names a suspect, it proves no cause. */
function certainty(service: string | undefined, { troubles, likelihoods }: Case): number {
  const trouble = service === undefined ? undefined : troubles.get(service);
  if (!trouble || service === undefined) return 0;
  const signs = [...likelihoods.values()].filter((likelihood) => likelihood > 3).length;
  const kinds = [
    trouble.alerts.length > 0,
    trouble.strength > 0.5,
    trouble.logs,
    trouble.traces,
    trouble.change,
  ];
  return Math.min(0.95, 0.6 + 0.05 * Math.min(signs, 5) + 0.05 * kinds.filter(Boolean).length);
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
