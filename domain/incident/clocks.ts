import { formatDuration } from '../duration.ts';
import type { EscalationTarget } from '../policies.ts';
import {
  advanceClock,
  knownAtRisk,
  runningMs,
  type SlaClock,
  startClocks,
  stopClock,
  undecided,
} from '../sla/clock.ts';
import type { IncidentState, Notice } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * Arms the SLA clocks, and re-arms those not decided yet when another severity brings another policy. What is over has
 * the clocks that it ended with; where it was over before anything was read of it, they are judged by that.
 */
export function armClocks(state: IncidentState, at: number): IncidentState {
  const { resolved } = state;
  const sla = state.plan?.sla;
  if (!sla) return state;
  const fresh = startClocks(sla, state.openedAt);
  if (resolved) {
    return state.clocks.length > 0
      ? state
      : { ...state, clocks: fresh.map((clock) => stopClock(clock, resolved.at)) };
  }
  const replaced = (clock: SlaClock) => undecided(clock) && clock.policy !== sla.policy;
  const clocks = fresh.map((clock) => {
    const old = state.clocks.find((other) => other.kind === clock.kind);
    return old && !replaced(old) ? old : clock;
  });
  const from = state.clocks.find(replaced)?.policy;
  const armed = { ...state, clocks };
  // what was read before policies said when a clock is at risk was re-armed without a word
  if (from === undefined || sla.atRiskShare === undefined) return advanceClocks(armed, at);
  const rearmed = clocks.filter((clock) => fresh.includes(clock));
  return advanceClocks(tellRearmed(armed, { from, to: sla.policy, clocks: rearmed }, at), at);
}

/** The clocks as they stand at `now`; what became at risk or was breached is told, once. */
export function advanceClocks(state: IncidentState, now: number): IncidentState {
  if (state.resolved) return state;
  let next = state;
  for (const clock of state.clocks) {
    const advanced = advanceClock(clock, now);
    if (advanced.state === clock.state && advanced.atRisk === clock.atRisk) continue;
    next = { ...next, clocks: next.clocks.map((other) => (other.kind === clock.kind ? advanced : other)) };
    const riskier = knownAtRisk(advanced) && !knownAtRisk(clock);
    if (advanced.state === 'breached' || riskier) next = tellClock(next, advanced);
  }
  return next;
}

function tellRearmed(
  state: IncidentState,
  { from, to, clocks }: { from: string; to: string; clocks: readonly SlaClock[] },
  at: number,
): IncidentState {
  const times = clocks.map((clock) => `${doneOf(clock)} within ${allowance(clock)}`).join(', ');
  const summary = `SLA ${to} takes over from ${from}: to be ${times} from the opening on`;
  return tell(state, at, 'sla_rearmed', holdfast, summary, { policy: to, before: from });
}

function tellClock(state: IncidentState, clock: SlaClock): IncidentState {
  const what = doneOf(clock);
  const breached = clock.state === 'breached';
  const at = breached ? clock.dueAt : clock.atRiskAt;
  const within = allowance(clock);
  const left = formatDuration(runningMs(at, clock.dueAt, clock.pauses));
  const summary = breached
    ? `SLA ${clock.policy} breached: not ${what} within ${within}`
    : `SLA ${clock.policy} at risk: to be ${what} within ${within}, ${left} left`;
  const told = tell(state, at, breached ? 'sla_breached' : 'sla_at_risk', holdfast, summary, {
    clock: clock.kind,
    policy: clock.policy,
  });
  const type = breached ? 'sla.breached' : 'sla.at_risk';
  const notices = firstLevelTargets(state).map<Notice>((target, index) => ({
    // a clock that is re-armed may be at risk once more
    key: `notice:${type}:${clock.kind}:${clock.policy}:${clock.startedAt}:${index}`,
    type,
    target,
    detail: { kind: clock.kind, policy: clock.policy, dueAt: new Date(clock.dueAt).toISOString() },
  }));
  return { ...told, notices: [...told.notices, ...notices] };
}

const doneOf = ({ kind }: SlaClock): string => (kind === 'acknowledge' ? 'acknowledged' : 'resolved');

/** How long it may run, for people. */
function allowance({ startedAt, dueAt, pauses }: SlaClock): string {
  return formatDuration(runningMs(startedAt, dueAt, pauses));
}

function firstLevelTargets(state: IncidentState): EscalationTarget[] {
  return state.plan?.escalation.policy.levels[0]?.targets ?? [];
}
