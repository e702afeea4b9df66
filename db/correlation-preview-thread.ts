import {
  type CorrelationRules,
  readCorrelationRules,
  type WrittenCorrelationRules,
} from '../domain/correlation/rules.ts';
import { type NoiseFigure, simulate } from '../domain/correlation/simulate.ts';
import { serviceGraph } from '../domain/topology/graph.ts';
import type { Dependency } from '../domain/topology/service.ts';
import { asCorrelated } from './correlation-context.ts';
import { type RulesInForce, rulesForAlert } from './correlation-rules.ts';
import type { PastAlert } from './past-alerts.ts';

/** Rules to try, and all that they are tried on. */
export interface RulesToTry {
  /** Of the team whose rules they are; null: the organization's. */
  teamId: string | null;
  rules: WrittenCorrelationRules;
  inForce: RulesInForce;
  dependencies: Dependency[];
  /** Newest first. */
  alerts: PastAlert[];
}

export interface TriedRules {
  /** Looked at: those that the rules are for, of the latest of the organization. */
  alerts: number;
  /** How far back they go; null where there was none. */
  since: Date | null;
  before: NoiseFigure;
  after: NoiseFigure;
}

/** What a thread of correlation-preview.ts runs. */
export default function tryRules(given: RulesToTry): TriedRules {
  const { inForce, teamId } = given;
  const graph = serviceGraph(given.dependencies);
  const context = { inForce, graph, services: new Set(graph.services) };
  const concerned = given.alerts
    .filter(({ labels, teamId: own }) => {
      const owner = rulesForAlert(inForce, labels, own);
      return teamId === null ? owner.rules === inForce.organization : owner.teamId === teamId;
    })
    .map((alert) => asCorrelated(context, alert));
  const before: CorrelationRules =
    inForce.teams.find(({ id }) => id === teamId)?.rules ?? inForce.organization;
  const steps = simulate(concerned, { before, after: readCorrelationRules(given.rules) }, graph);
  for (;;) {
    const { done, value } = steps.next();
    if (!done) continue;
    const oldest = concerned.at(-1);
    return { ...value, since: oldest ? new Date(oldest.at) : null };
  }
}
