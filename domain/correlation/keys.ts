import { reach, type ServiceGraph } from '../topology/graph.ts';
import type { CorrelationRules } from './rules.ts';
import type { NewAlert } from './snapshot.ts';

/** Characters of a value that count: keys are indexed, and an index takes no text of any length. */
const valueLimit = 400;

/** How many keys are asked for at most: a service that half of the others call has a neighbourhood without end. */
const askedLimit = 500;

/** What more services call than this says nothing of two that do. */
const callersLimit = 100;

/** What says less than this adds to other evidence; incidents are not looked for by it, and nobody is told of it. */
export const tellingWeight = 0.2;

/** What is remembered of an alert for those that come later: 'service=checkout', 'label.host=node-7'. */
export function rememberedKeys(alert: NewAlert, rules: CorrelationRules): string[] {
  return [...serviceKeys(alert), ...labelKeys(alert, rules, 0), `name=${bounded(alert.name)}`];
}

/** By its identity and by what people decided on it, an alert finds its incident whatever the evidence says. */
export function identityKeys(alert: {
  integrationId: string;
  fingerprint: string;
  groupId: string | null;
}): string[] {
  const keys = [`fingerprint=${alert.integrationId}:${alert.fingerprint}`];
  if (alert.groupId !== null) keys.push(`group=${alert.groupId}`);
  return keys;
}

/**
 * The remembered keys of incidents that the alert might join: its own service and labels, the services that it
 * reaches or that reach it, and those that call what it calls. Nearer ones first.
 */
export function correlationKeys(alert: NewAlert, graph: ServiceGraph, rules: CorrelationRules): string[] {
  const keys = new Set([...serviceKeys(alert), ...labelKeys(alert, rules, tellingWeight)]);
  for (const service of relatedServices(alert.service, graph, rules.topologyHops)) {
    if (keys.size >= askedLimit) break;
    keys.add(serviceKey(service));
  }
  return [...keys];
}

function* relatedServices(service: string | null, graph: ServiceGraph, hops: number): Generator<string> {
  if (service === null || hops === 0) return;
  yield* reach(graph, service, 'callees', hops).keys();
  yield* reach(graph, service, 'callers', hops).keys();
  for (const callee of graph.callees(service)) {
    const callers = graph.callers(callee);
    if (callers.length <= callersLimit) yield* callers;
  }
}

function serviceKeys({ service }: NewAlert): string[] {
  return service ? [serviceKey(service)] : [];
}

function serviceKey(service: string): string {
  return `service=${bounded(service)}`;
}

function labelKeys(alert: NewAlert, rules: CorrelationRules, least: number): string[] {
  return Object.entries(rules.labelWeights).flatMap(([name, weight]) => {
    const value = Object.hasOwn(alert.labels, name) ? alert.labels[name] : undefined;
    return value && weight > 0 && weight >= least ? [`label.${name}=${bounded(value)}`] : [];
  });
}

function bounded(value: string): string {
  return value.slice(0, valueLimit).toWellFormed();
}
