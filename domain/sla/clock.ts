import type { SlaState } from '../incident-status.ts';

/** The share of its time after which a clock is at risk, where its policy says none. */
const defaultAtRiskShare = 0.8;

/** When a clock does not run: [from, to) in epoch milliseconds, in order, none overlapping. */
export type Pauses = [from: number, to: number][];

export interface SlaTimes {
  policy: string;
  /** Running time, as is `resolveMs`. */
  acknowledgeMs: number;
  resolveMs: number;
  /** Absent in what was read before policies had one. */
  atRiskShare?: number;
  /** From the opening on, as far ahead as the clocks can last. Absent: they always run. */
  pauses?: Pauses;
}

export interface SlaClock {
  kind: 'acknowledge' | 'resolve';
  policy: string;
  startedAt: number;
  atRiskAt: number;
  dueAt: number;
  state: SlaState;
  endedAt: number | null;
  pauses?: Pauses;
  /** Of a paused clock: that it is at risk has been told. */
  atRisk?: true;
}

/** The two clocks of an incident: to acknowledge and to resolve, both from its opening. */
export function startClocks(times: SlaTimes, startedAt: number): SlaClock[] {
  const { policy, pauses = [], atRiskShare = defaultAtRiskShare } = times;
  const clock = (kind: SlaClock['kind'], ms: number): SlaClock => {
    const dueAt = afterRunning(startedAt, ms, pauses);
    const before = pauses.filter(([from]) => from < dueAt);
    return {
      kind,
      policy,
      startedAt,
      atRiskAt: afterRunning(startedAt, Math.round(ms * atRiskShare), pauses),
      dueAt,
      state: 'running',
      endedAt: null,
      ...(before.length > 0 ? { pauses: before } : {}),
    };
  };
  return [clock('acknowledge', times.acknowledgeMs), clock('resolve', times.resolveMs)];
}

/** A clock that is not decided yet, as it stands at `now`. What is met or breached stays so. */
export function advanceClock(clock: SlaClock, now: number): SlaClock {
  if (!undecided(clock)) return clock;
  const { atRisk, ...own } = clock;
  if (now >= clock.dueAt) return { ...own, state: 'breached', endedAt: clock.dueAt };
  const risky = now >= clock.atRiskAt;
  if (pauseAt(clock, now)) return { ...own, state: 'paused', ...(risky ? { atRisk: true } : {}) };
  return { ...own, state: risky ? 'at_risk' : 'running' };
}

/** The clock once what it waits for has happened at `at`: met in time, breached otherwise. */
export function stopClock(clock: SlaClock, at: number): SlaClock {
  const { atRisk: _, ...advanced } = advanceClock(clock, at);
  return undecided(advanced) ? { ...advanced, state: 'met', endedAt: at } : advanced;
}

/** When the clock's state changes next by itself, after `now`; null when it does not. */
export function nextClockChange(clock: SlaClock, now: number): number | null {
  if (!undecided(clock)) return null;
  const pause = pauseAt(clock, now);
  if (clock.state === 'paused') return pause ? pause[1] : now;
  const next = clock.state === 'running' ? clock.atRiskAt : clock.dueAt;
  const pauses = (clock.pauses ?? []).find(([from]) => from > now);
  return pauses ? Math.min(next, pauses[0]) : next;
}

/** Whether it can still be met and breached. */
export function undecided({ state }: Pick<SlaClock, 'state'>): boolean {
  return state === 'running' || state === 'at_risk' || state === 'paused';
}

/** Whether the clock's being at risk is known: before a pause it stays so. */
export function knownAtRisk({ state, atRisk }: SlaClock): boolean {
  return state === 'at_risk' || atRisk === true;
}

/** The pause that lasts at `now`. */
export function pauseAt(clock: Pick<SlaClock, 'pauses'>, now: number): Pauses[number] | undefined {
  return clock.pauses?.find(([from, to]) => from <= now && now < to);
}

/** How long a clock runs between two moments, in milliseconds. */
export function runningMs(from: number, to: number, pauses: Pauses = []): number {
  const paused = pauses.reduce(
    (sum, [start, end]) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)),
    0,
  );
  return Math.max(0, to - from) - paused;
}

/** When it has run for `ms` milliseconds from `from` on. */
function afterRunning(from: number, ms: number, pauses: Pauses): number {
  let end = from + ms;
  for (const [start, until] of pauses) {
    if (start >= end) break;
    end += until - Math.max(start, from);
  }
  return end;
}
