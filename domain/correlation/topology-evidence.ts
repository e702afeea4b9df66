import type { ServiceGraph } from '../topology/graph.ts';
import { tellingWeight } from './keys.ts';
import { complainsOfMissingTraffic } from './missing-traffic.ts';
import { deepestOf, distance, shareThatDependsOn, surroundings } from './neighbourhood.ts';
import type { CorrelationRules } from './rules.ts';
import type { CandidateIncident, FailingService, NewAlert } from './snapshot.ts';
import { gapTo, timeFactor } from './time.ts';

/** Why an alert and an incident may be one outage, as their services stand to each other. */
export interface TopologyEvidence {
  /** 0 to 1. */
  weight: number;
  /** For people: 'payment-api calls db-primary'. */
  reason: string;
  /** Between the alert and the nearest alert of the other service. */
  gapMs: number;
  /** The alert's service is what the incident's services depend on: incidents of which that is true are one outage. */
  deeper: boolean;
}

/** What the call graph is asked with. */
export interface TopologyQuestion {
  graph: ServiceGraph;
  rules: CorrelationRules;
  /** Whether a service fails now, in any open incident. */
  isFailing(service: string): boolean;
  /** How many of those that call the service fail now, the alert's own service among them. */
  failingCallers(service: string): number;
}

/** The same service fails again. */
const sameService = 0.95;
/** It calls what fails, directly; each silent service between takes a part of that. */
const directCall = 0.9;
const perSilentService = 0.7;
/** Services that call the same silent one, if all of its callers fail. */
const sharedCallee = 0.85;
/** Nothing comes in any more, because what calls it fails. */
export const starved = 0.7;
/** A cause explains at least this share of an incident's services. */
const explainedShare = 0.5;

/**
 * How the alert's service stands to the incident, the strongest of: the same service; it calls what fails there; what
 * fails there and has no deeper cause calls it; both call the same silent service, whose callers fail; what calls it
 * fails and it complains of missing traffic. Two services that merely have a caller in common are not related: that
 * caller fails for either of them.
 */
export function topologyEvidence(
  question: TopologyQuestion,
  alert: NewAlert & { service: string },
  incident: CandidateIncident,
): TopologyEvidence | null {
  const found = [
    ...ofSameService(question, alert, incident),
    ...ofCaller(question, alert, incident),
    ...ofDeeperCause(question, alert, incident),
    ...ofSharedCallee(question, alert, incident),
    ...ofStarvation(question, alert, incident),
  ];
  return found.reduce<TopologyEvidence | null>(
    (best, one) => (best === null || one.weight > best.weight ? one : best),
    null,
  );
}

type Ask = (
  question: TopologyQuestion,
  alert: NewAlert & { service: string },
  incident: CandidateIncident,
) => TopologyEvidence[];

const ofSameService: Ask = ({ rules }, alert, incident) => {
  const same = incident.services.find(({ service }) => service === alert.service);
  if (!same) return [];
  const gapMs = gapTo(alert.at, same);
  const reason = `${alert.service} fails there too`;
  return [{ weight: sameService * timeFactor(gapMs, rules), reason, gapMs, deeper: false }];
};

const ofCaller: Ask = ({ graph, rules }, alert, incident) => {
  const callees = surroundings(graph, alert.service, 'callees', rules.topologyHops);
  const found = nearestOf(rules, alert, incident.services, callees);
  if (!found) return [];
  const { failing, hops, ...rest } = found;
  return [{ ...rest, reason: calls(alert.service, failing.service, hops), deeper: false }];
};

const ofDeeperCause: Ask = ({ graph, rules }, alert, incident) => {
  const callers = surroundings(graph, alert.service, 'callers', rules.topologyHops);
  if (complainsOfMissingTraffic(alert.name)) return [];
  if (!incident.services.some(({ service }) => callers.has(service))) return [];
  const deepest = deepestOf(graph, incident.services, rules.topologyHops);
  const found = nearestOf(rules, alert, deepest, callers);
  if (!found || !explainsMost(graph, incident, alert.service)) return [];
  const { failing, hops, ...rest } = found;
  return [{ ...rest, reason: calls(failing.service, alert.service, hops), deeper: true }];
};

const ofSharedCallee: Ask = ({ graph, rules, isFailing, failingCallers }, alert, incident) => {
  const callees = graph.callees(alert.service);
  // what calls something that fails is explained by that
  if (rules.topologyHops === 0 || callees.some(isFailing)) return [];
  return callees.flatMap((shared) => {
    const failing = failingCallers(shared);
    const all = graph.callers(shared).length;
    const most = sharedCalleeWeight(failing / all);
    // what follows takes long where incidents are large
    if (failing < 2 || most < tellingWeight) return [];
    const callers = surroundings(graph, shared, 'callers', 1);
    const callToo = incident.services.filter(
      ({ service }) => service !== alert.service && callers.get(service) === 1,
    );
    if (callToo.length === 0) return [];
    const deepest = deepestOf(graph, incident.services, rules.topologyHops);
    const other = callToo.find((one) => deepest.includes(one));
    if (!other || !explainsMost(graph, incident, shared)) return [];
    const gapMs = gapTo(alert.at, other);
    const weight = most * timeFactor(gapMs, rules);
    const reason = `${alert.service} and ${other.service} both call ${shared}, ${failing} of whose ${all} callers fail`;
    return [{ weight, reason, gapMs, deeper: true }];
  });
};

const ofStarvation: Ask = ({ graph, rules }, alert, incident) => {
  if (rules.topologyHops === 0 || !complainsOfMissingTraffic(alert.name)) return [];
  return incident.services.flatMap((failing) => {
    if (distance(graph, failing.service, alert.service, 1) !== 1) return [];
    const gapMs = gapTo(alert.at, failing);
    const reason = `${failing.service} fails, which calls ${alert.service}`;
    return [{ weight: starved * timeFactor(gapMs, rules), reason, gapMs, deeper: false }];
  });
};

/** Of the services within so many calls the one that says most. */
function nearestOf(
  rules: CorrelationRules,
  alert: NewAlert,
  services: readonly FailingService[],
  within: ReadonlyMap<string, number>,
): { failing: FailingService; hops: number; weight: number; gapMs: number } | null {
  let most: { failing: FailingService; hops: number; weight: number; gapMs: number } | null = null;
  for (const failing of services) {
    const hops = within.get(failing.service) ?? 0;
    if (hops === 0) continue;
    const gapMs = gapTo(alert.at, failing);
    const weight = chainWeight(hops) * timeFactor(gapMs, rules);
    if (most === null || weight > most.weight) most = { failing, hops, weight, gapMs };
  }
  return most;
}

/** What it says, 0 to 1, that one failing service reaches another one in so many calls. */
export function chainWeight(hops: number): number {
  return directCall * perSilentService ** (hops - 1);
}

/** What it says, 0 to 1, that two failing services call the same silent one, of whose callers this share fails. */
export function sharedCalleeWeight(failingCallers: number): number {
  return sharedCallee * failingCallers;
}

/** For people. */
export function calls(caller: string, callee: string, hops: number): string {
  if (hops === 1) return `${caller} calls ${callee}`;
  return `${caller} reaches ${callee} over ${hops - 1} silent ${hops === 2 ? 'service' : 'services'}`;
}

function explainsMost(graph: ServiceGraph, incident: CandidateIncident, service: string): boolean {
  return shareThatDependsOn(graph, incident.services, service) >= explainedShare;
}
