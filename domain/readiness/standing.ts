import type { Interval } from '../oncall/interval.ts';
import { gapsBetween, onCallAt, shiftsBetween } from '../oncall/on-call.ts';
import type { OnCallShift, ScheduleFacts } from '../oncall/schedule.ts';

/** How a schedule stands at a moment; times are epoch milliseconds. */
export interface Standing {
  /** Who answers now, and who shadows, each with the whole shift. */
  now: OnCallShift[];
  /** When others answer than now, and who; null: nothing changes before `to`. */
  next: { at: number; people: string[] } | null;
  /** When nobody answers. */
  gaps: Interval[];
}

/** Of [at, to). */
export function standingOf(facts: ScheduleFacts, at: number, to: number): Standing {
  const shifts = shiftsBetween(facts, at, to);
  return { now: onCallAt(facts, at), next: nextChange(shifts, at, to), gaps: gapsBetween(shifts, at, to) };
}

function nextChange(shifts: readonly OnCallShift[], at: number, to: number): Standing['next'] {
  const current = answeringAt(shifts, at).join();
  const edges = [...new Set(shifts.flatMap((shift) => [shift.from, shift.to]))].sort((a, b) => a - b);
  for (const edge of edges) {
    if (edge <= at || edge >= to) continue;
    const people = answeringAt(shifts, edge);
    if (people.join() !== current) return { at: edge, people };
  }
  return null;
}

/** Mail addresses in their order, each once. */
export function answeringAt(shifts: readonly OnCallShift[], at: number): string[] {
  const holding = shifts.filter(({ shadow, from, to }) => !shadow && from <= at && at < to);
  return [...new Set(holding.map(({ person }) => person))].sort();
}
