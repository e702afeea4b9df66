import { type ServiceGraph, serviceGraph } from '../topology/graph.ts';
import type { Dependency } from '../topology/service.ts';
import { attributedService } from './attribution.ts';
import type { FirstLook, Grouping } from './grouping.ts';
import { inOrderOfTime } from './in-order-of-time.ts';
import { OpenIncidents } from './open-incidents.ts';
import { type CorrelationRules, defaultCorrelationRules } from './rules.ts';
import { lookAgain } from './second-look.ts';
import type { Decision, NewAlert } from './snapshot.ts';

/**
 * Correlates alerts one after the other in the order of their time, as if each had just come, and then once more with
 * hindsight: who has all of them need not stay with what could be known at the time.
 */
export function groupAlerts(
  alerts: readonly NewAlert[],
  dependencies: Iterable<Dependency>,
  rules: CorrelationRules = defaultCorrelationRules,
): Grouping {
  const graph = serviceGraph(dependencies);
  const known = new Set([...graph.services, ...alerts.flatMap(({ service }) => service ?? [])]);
  const attributed = alerts.map((alert) => ({ ...alert, service: attributedService(alert, known) }));
  const steps = placeInTurn(attributed, graph, rules);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return lookAgain(attributed, value, graph, rules);
  }
}

/** Where alerts are put as they come, as the live correlation does. Pauses after each alert, so that others have a turn. */
export function* placeInTurn(
  alerts: readonly NewAlert[],
  graph: ServiceGraph,
  rules: CorrelationRules,
): Generator<void, FirstLook> {
  const open = new OpenIncidents(graph, rules);
  const decisions: Decision[] = [];
  for (const { alert, index } of inOrderOfTime(alerts)) {
    decisions[index] = open.take(alert, index);
    yield;
  }
  return { groups: open.groups(), decisions };
}
