import type { ServiceGraph } from '../topology/graph.ts';
import { correlate } from './correlate.ts';
import { identityOf } from './identity.ts';
import { correlationKeys, rememberedKeys } from './keys.ts';
import type { CorrelationRules } from './rules.ts';
import type { CandidateIncident, Decision, FailingService, NewAlert } from './snapshot.ts';

/** An incident as it is while alerts are folded; its number is the index of the alert that opened it. */
interface OpenIncident extends Omit<CandidateIncident, 'sameFingerprint' | 'labels'> {
  /** By name and value when an alert had it last. */
  values: Map<string, Map<string, number>>;
  /** By index, in the order in which they came. */
  alerts: number[];
  /** The keys that find it. */
  keys: Set<string>;
}

/** How many incidents are compared with an alert: the latest of them. */
const candidatesLimit = 50;
/** Of how many values of a label it is told: more do not make it less telling. */
const valuesLimit = 20;
/** How many names an incident is compared by: the first of them. */
const namesLimit = 50;

/**
 * What PostgreSQL is where Holdfast runs: the incidents that an alert may join, found by keys. One that had no alert
 * for as long as the rules look back is closed.
 */
export class OpenIncidents {
  private readonly byNumber = new Map<number, OpenIncident>();
  private readonly byKey = new Map<string, Set<OpenIncident>>();
  private readonly graph: ServiceGraph;
  private readonly rules: CorrelationRules;

  constructor(graph: ServiceGraph, rules: CorrelationRules) {
    this.graph = graph;
    this.rules = rules;
  }

  /**
   * Alerts are taken in the order of their time.
   * @returns what was decided
   */
  take(alert: NewAlert, index: number): Decision {
    const { graph, rules } = this;
    const identity = `identity=${identityOf(alert)}`;
    const candidates = this.find([identity, ...correlationKeys(alert, graph, rules)], alert.at).map(
      (incident) => ({
        ...incident,
        labels: labelsFor(incident, alert),
        sameFingerprint: incident.keys.has(identity),
      }),
    );
    const decision = correlate({ candidates, graph, rules, now: alert.at }, alert);
    const joined = decision.action === 'join' ? this.byNumber.get(decision.number) : undefined;
    const incident = joined ?? this.open(alert, index);
    this.add(incident, alert, index, [identity, ...rememberedKeys(alert, rules)]);
    for (const { number } of decision.action === 'join' ? decision.merge : []) {
      const other = this.byNumber.get(number);
      if (other) this.merge(other, incident);
    }
    return decision;
  }

  /** Indices of alerts: each group and the groups by their first. */
  groups(): number[][] {
    return [...this.byNumber.values()]
      .map(({ alerts }) => alerts.toSorted((a, b) => a - b))
      .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  }

  private find(keys: string[], at: number): OpenIncident[] {
    const found = new Set<OpenIncident>();
    for (const key of keys) {
      const incidents = this.byKey.get(key);
      for (const incident of incidents ?? []) {
        if (at - incident.lastAlertAt > this.rules.lookBackMs) incidents?.delete(incident);
        else found.add(incident);
      }
    }
    return [...found].sort((a, b) => b.lastAlertAt - a.lastAlertAt).slice(0, candidatesLimit);
  }

  private open(alert: NewAlert, index: number): OpenIncident {
    const incident: OpenIncident = {
      incidentId: String(index),
      number: index,
      falsePositive: false,
      openedAt: alert.at,
      lastAlertAt: alert.at,
      resolved: false,
      sameGroup: false,
      apart: false,
      services: [],
      values: new Map(),
      names: [],
      alerts: [],
      keys: new Set(),
    };
    this.byNumber.set(index, incident);
    return incident;
  }

  private add(incident: OpenIncident, alert: NewAlert, index: number, keys: string[]): void {
    incident.alerts.push(index);
    incident.lastAlertAt = alert.at;
    for (const key of keys) this.rememberKey(incident, key);
    if (alert.service !== null) {
      seeServices(incident, [{ service: alert.service, firstAt: alert.at, lastAt: alert.at }]);
    }
    for (const [name, value] of Object.entries(alert.labels)) {
      if (Object.hasOwn(this.rules.labelWeights, name)) seeValue(incident, name, value, alert.at);
    }
    seeNames(incident, [alert.name]);
  }

  private merge(from: OpenIncident, into: OpenIncident): void {
    this.byNumber.delete(from.number);
    into.alerts.push(...from.alerts);
    into.openedAt = Math.min(into.openedAt, from.openedAt);
    for (const key of from.keys) {
      this.byKey.get(key)?.delete(from);
      this.rememberKey(into, key);
    }
    seeServices(into, from.services);
    for (const [name, values] of from.values) {
      for (const [value, lastAt] of values) seeValue(into, name, value, lastAt);
    }
    seeNames(into, from.names);
  }

  private rememberKey(incident: OpenIncident, key: string): void {
    incident.keys.add(key);
    const incidents = this.byKey.get(key);
    if (incidents) incidents.add(incident);
    else this.byKey.set(key, new Set([incident]));
  }
}

/** The list is made anew when a service comes to it: what is deepest in it is remembered for the list. */
function seeServices(incident: OpenIncident, seen: readonly FailingService[]): void {
  const added: FailingService[] = [];
  for (const one of seen) {
    const same = incident.services.find(({ service }) => service === one.service);
    if (same) {
      same.firstAt = Math.min(same.firstAt, one.firstAt);
      same.lastAt = Math.max(same.lastAt, one.lastAt);
    } else added.push({ ...one });
  }
  if (added.length > 0) incident.services = [...incident.services, ...added];
}

function seeValue({ values }: OpenIncident, name: string, value: string, at: number): void {
  const ofName = values.get(name) ?? new Map<string, number>();
  values.set(name, ofName);
  ofName.set(value, Math.max(at, ofName.get(value) ?? at));
}

/** The values of the labels that the alert has: its own first, then others, which say how many there are. */
function labelsFor({ values }: OpenIncident, alert: NewAlert): CandidateIncident['labels'] {
  return Object.entries(alert.labels).flatMap(([name, own]) => {
    const ofName = values.get(name);
    const lastAt = ofName?.get(own);
    if (!ofName || lastAt === undefined) return [];
    const labels = [{ name, value: own, lastAt }];
    for (const [value, at] of ofName) {
      if (labels.length >= valuesLimit) break;
      if (value !== own) labels.push({ name, value, lastAt: at });
    }
    return labels;
  });
}

function seeNames(incident: OpenIncident, seen: string[]): void {
  for (const name of seen) {
    if (incident.names.length < namesLimit && !incident.names.includes(name)) incident.names.push(name);
  }
}
