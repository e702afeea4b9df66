import type { SlaState } from './incident-status.ts';

/** The share of its time after which a clock is at risk. */
export const atRiskShare = 0.8;

export interface SlaTimes {
  policy: string;
  acknowledgeMs: number;
  resolveMs: number;
  /** When its clocks do not run, from the opening on, as far ahead as they may last: [from, to) in epoch milliseconds. */
  pauses?: [number, number][];
}

export interface SlaClock {
  kind: 'acknowledge' | 'resolve';
  policy: string;
  startedAt: number;
  atRiskAt: number;
  dueAt: number;
  state: SlaState;
  endedAt: number | null;
  /** When it does not run. */
  pauses?: [number, number][];
}

/** The two clocks of an incident: to acknowledge and to resolve, both from its opening. */
export function startClocks(times: SlaTimes, startedAt: number): SlaClock[] {
  const clock = (kind: SlaClock['kind'], ms: number): SlaClock => ({
    kind,
    policy: times.policy,
    startedAt,
    atRiskAt: startedAt + Math.round(ms * atRiskShare),
    dueAt: startedAt + ms,
    state: 'running',
    endedAt: null,
  });
  return [clock('acknowledge', times.acknowledgeMs), clock('resolve', times.resolveMs)];
}

/** A running clock as it stands at `now`. What is met or breached stays so. */
export function advanceClock(clock: SlaClock, now: number): SlaClock {
  if (clock.state !== 'running' && clock.state !== 'at_risk') return clock;
  if (now >= clock.dueAt) return { ...clock, state: 'breached', endedAt: clock.dueAt };
  if (now >= clock.atRiskAt) return { ...clock, state: 'at_risk' };
  return clock;
}

/** The clock once what it waits for has happened at `at`: met in time, breached otherwise. */
export function stopClock(clock: SlaClock, at: number): SlaClock {
  const advanced = advanceClock(clock, at);
  return advanced.state === 'breached' ? advanced : { ...advanced, state: 'met', endedAt: at };
}

/** When the clock's state changes next by itself; null when it does not. */
export function nextClockChange(clock: SlaClock): number | null {
  if (clock.state === 'running') return clock.atRiskAt;
  if (clock.state === 'at_risk') return clock.dueAt;
  return null;
}
