import { formatDuration } from '../duration.ts';
import type { EscalationTarget } from '../policies.ts';
import { advanceClock, type SlaClock, startClocks } from '../sla.ts';
import type { IncidentState, Notice } from './state.ts';
import { holdfast, tell } from './story.ts';

/** Arms the SLA clocks, and re-arms those still running when a worse severity brings other times. */
export function armClocks(state: IncidentState, at: number): IncidentState {
  const sla = state.plan?.sla;
  if (!sla) return state;
  const fresh = startClocks(sla, state.openedAt).map((clock) => {
    const old = state.clocks.find((other) => other.kind === clock.kind);
    if (!old) return clock;
    const running = old.state === 'running' || old.state === 'at_risk';
    return running && old.policy !== sla.policy ? clock : old;
  });
  return advanceClocks({ ...state, clocks: fresh }, at);
}

/** The clocks as they stand at `now`; what became at risk or was breached is told, once. */
export function advanceClocks(state: IncidentState, now: number): IncidentState {
  let next = state;
  for (const clock of state.clocks) {
    const advanced = advanceClock(clock, now);
    if (advanced.state === clock.state) continue;
    next = { ...next, clocks: next.clocks.map((other) => (other.kind === clock.kind ? advanced : other)) };
    next = tellClock(next, advanced);
  }
  return next;
}

function tellClock(state: IncidentState, clock: SlaClock): IncidentState {
  const what = clock.kind === 'acknowledge' ? 'acknowledged' : 'resolved';
  const breached = clock.state === 'breached';
  const at = breached ? clock.dueAt : clock.atRiskAt;
  const within = formatDuration(clock.dueAt - clock.startedAt);
  const summary = breached
    ? `SLA ${clock.policy} breached: not ${what} within ${within}`
    : `SLA ${clock.policy} at risk: to be ${what} within ${within}, ${formatDuration(clock.dueAt - at)} left`;
  const told = tell(state, at, breached ? 'sla_breached' : 'sla_at_risk', holdfast, summary, {
    clock: clock.kind,
    policy: clock.policy,
  });
  const type = breached ? 'sla.breached' : 'sla.at_risk';
  const notices = firstLevelTargets(state).map<Notice>((target, index) => ({
    key: `notice:${type}:${clock.kind}:${clock.startedAt}:${index}`,
    type,
    target,
    detail: { kind: clock.kind, policy: clock.policy, dueAt: new Date(clock.dueAt).toISOString() },
  }));
  return { ...told, notices: [...told.notices, ...notices] };
}

function firstLevelTargets(state: IncidentState): EscalationTarget[] {
  return state.plan?.escalation.policy.levels[0]?.targets ?? [];
}
