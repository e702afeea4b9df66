import type { SloState } from '../../domain/slo/evaluate.ts';
import { iso } from '../endpoint.ts';

export function presentSlo({ budgetLeft, burnRate, alerts, problem, problemSince }: SloState) {
  return {
    budgetLeft,
    burnRate,
    alerts: alerts.map(({ severity, burnRate, long, short, longBurn, shortBurn, firing, since }) => ({
      severity,
      burnRate,
      long,
      short,
      longBurn,
      shortBurn,
      firing,
      since: since === null ? null : iso(new Date(since)),
    })),
    problem,
    problemSince: problemSince === null ? null : iso(new Date(problemSince)),
  };
}
