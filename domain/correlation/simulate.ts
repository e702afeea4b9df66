import type { ServiceGraph } from '../topology/graph.ts';
import { placeInTurn } from './group-alerts.ts';
import type { CorrelationRules } from './rules.ts';
import type { NewAlert } from './snapshot.ts';

/** What rules make of alerts. */
export interface NoiseFigure {
  incidents: number;
  /** Incidents of one alert. */
  single: number;
  /** The most alerts in one incident. */
  largest: number;
  /** 0 to 1: the share of alerts that opened no incident of their own. */
  reduction: number;
}

/** What the rules before and after an edit make of the same alerts. Pauses after each alert. */
export function* simulate(
  alerts: readonly NewAlert[],
  rules: { before: CorrelationRules; after: CorrelationRules },
  graph: ServiceGraph,
): Generator<void, { alerts: number; before: NoiseFigure; after: NoiseFigure }> {
  const before = noiseOf((yield* placeInTurn(alerts, graph, rules.before)).groups);
  const after = noiseOf((yield* placeInTurn(alerts, graph, rules.after)).groups);
  return { alerts: alerts.length, before, after };
}

function noiseOf(groups: number[][]): NoiseFigure {
  const sizes = groups.map(({ length }) => length);
  const alerts = sizes.reduce((sum, size) => sum + size, 0);
  return {
    incidents: sizes.length,
    single: sizes.filter((size) => size === 1).length,
    largest: sizes.reduce((most, size) => Math.max(most, size), 0),
    reduction: alerts === 0 ? 0 : 1 - sizes.length / alerts,
  };
}
