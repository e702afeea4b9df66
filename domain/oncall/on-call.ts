import type { OnCallShift, ScheduleFacts } from './schedule.ts';

/** Who answers, and who shadows, between two moments (epoch milliseconds), in the order of time; cut at both ends. */
export function shiftsBetween(_facts: ScheduleFacts, _from: number, _to: number): OnCallShift[] {
  return [];
}

/** Those of one moment, each with the whole shift that they are in; empty: a gap. */
export function onCallAt(_facts: ScheduleFacts, _at: number): OnCallShift[] {
  return [];
}
