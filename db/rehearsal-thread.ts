import type { EscalationPolicy } from '../domain/policies.ts';
import { horizonOf } from '../domain/rehearsal/horizon.ts';
import { simulate } from '../domain/rehearsal/simulate.ts';
import type { Configuration, Failure, RehearsedIncident } from '../domain/rehearsal/situation.ts';
import { type RehearsedRow, rowsOf, summaryOf } from '../domain/rehearsal/table.ts';
import { type RehearsedWeek, rehearseWeek, type WeekToRehearse } from '../domain/rehearsal/week.ts';
import type { SlaClock } from '../domain/sla/clock.ts';

export type RehearsalTask =
  | { kind: 'situation'; incident: RehearsedIncident; configuration: Configuration; failures: Failure[] }
  | ({ kind: 'week' } & WeekToRehearse);

/** One incident, made up. Times are epoch milliseconds. */
export interface RehearsedSituation {
  kind: 'situation';
  openedAt: number;
  until: number;
  /** The policy and the SLA policy that are for it. */
  policy: string;
  sla: string | null;
  /** Schedules that the policy names. */
  schedules: string[];
  summary: string;
  rows: RehearsedRow[];
  /** There were more lines than these. */
  cut: boolean;
  clocks: SlaClock[];
}

export type Rehearsed = RehearsedSituation | ({ kind: 'week' } & RehearsedWeek);

/** Time until a message is taken by whoever carries it. */
const latencyMs = 1000;
const mostRows = 1000;

/** What a thread of rehearsal.ts runs. */
export default function rehearse(task: RehearsalTask): Rehearsed {
  if (task.kind === 'week') return { kind: 'week', ...rehearseWeek(task) };
  const { incident, configuration, failures } = task;
  const until = horizonOf(incident, configuration);
  const simulated = simulate(incident, { configuration, failures, latencyMs, until });
  const rows = rowsOf(simulated);
  const { state } = simulated;
  return {
    kind: 'situation',
    openedAt: incident.openedAt,
    until,
    policy: state.plan?.escalation.name ?? '',
    sla: state.plan?.sla?.policy ?? null,
    schedules: schedulesOf(state.plan?.escalation.policy),
    summary: summaryOf(simulated, incident.openedAt),
    rows: rows.slice(0, mostRows),
    cut: rows.length > mostRows,
    clocks: state.clocks,
  };
}

function schedulesOf(policy: EscalationPolicy | undefined): string[] {
  const targets = policy?.levels.flatMap((level) => level.targets) ?? [];
  return targets.flatMap((target) => (target.type === 'schedule' ? [target.name] : []));
}
