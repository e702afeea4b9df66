import { type ServiceGraph, serviceGraph } from '../topology/graph.ts';
import type { Dependency } from '../topology/service.ts';
import { OpenIncidents } from './open-incidents.ts';
import { type CorrelationRules, defaultCorrelationRules } from './rules.ts';
import { lookAgain } from './second-look.ts';
import type { NewAlert } from './snapshot.ts';

export interface Grouping {
  /** Indices of alerts: each group and the groups by their first. */
  groups: number[][];
  /** Why each alert is where it is, by its index; '#7' is the incident that the alert with index 7 opened. */
  reasons: string[];
}

/** Correlates alerts one after the other in the order of their time, as if each had just come. */
export function groupAlerts(
  alerts: readonly NewAlert[],
  dependencies: Iterable<Dependency>,
  rules: CorrelationRules = defaultCorrelationRules,
): Grouping {
  const steps = groupInSteps(alerts, serviceGraph(dependencies), rules);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** As `groupAlerts`, and pauses after each alert, so that others can have their turn meanwhile. */
export function* groupInSteps(
  alerts: readonly NewAlert[],
  graph: ServiceGraph,
  rules: CorrelationRules,
): Generator<void, Grouping> {
  const open = new OpenIncidents(graph, rules);
  const reasons = alerts.map(() => '');
  const inOrder = alerts.map((alert, index) => ({ alert, index })).sort((a, b) => a.alert.at - b.alert.at);
  for (const { alert, index } of inOrder) {
    reasons[index] = open.take(alert, index);
    yield;
  }
  return { groups: lookAgain(alerts, open.groups(), graph, rules), reasons };
}
