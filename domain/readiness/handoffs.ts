import { shiftsBetween } from '../oncall/on-call.ts';
import type { OnCallShift, ScheduleFacts } from '../oncall/schedule.ts';

/** Somebody comes on, or goes off. Mail addresses; `at` is epoch milliseconds. */
export interface Handoff {
  schedule: string;
  at: number;
  on: string[];
  off: string[];
}

/** How far a gap is looked across: who was on call before it and is after it hands over to nobody. */
const acrossMs = 14 * 86_400_000;

/**
 * Handoffs in (from, to]: when the people who answer are others than those who answered last. A pause of the same
 * person's shift, as by the hours of a rotation, is none. A shadow neither comes on nor goes off.
 */
export function handoffsBetween(facts: ScheduleFacts, from: number, to: number): Handoff[] {
  const shifts = shiftsBetween(facts, from - acrossMs, to + acrossMs).filter(({ shadow }) => !shadow);
  const edges = edgesOf(shifts);
  return edges.flatMap((at, index) => {
    if (at <= from || at > to) return [];
    const now = answeringAt(shifts, at);
    const before = lastBefore(shifts, edges, index);
    const after = now.length > 0 ? now : nextAfter(shifts, edges, index);
    const held = answeringAt(shifts, at - 1);
    const on = now.filter((person) => !before.includes(person));
    const off = held.filter((person) => !after.includes(person));
    return on.length + off.length > 0 ? [{ schedule: facts.name, at, on, off }] : [];
  });
}

/** Who answers at a moment, each once, in their order; of shifts without shadows. */
export function answeringAt(shifts: readonly OnCallShift[], at: number): string[] {
  const holding = shifts.filter(({ from, to }) => from <= at && at < to);
  return [...new Set(holding.map(({ person }) => person))].sort();
}

function edgesOf(shifts: readonly OnCallShift[]): number[] {
  return [...new Set(shifts.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
}

/** The last who answered before the edge; nobody where nobody did for so long. */
function lastBefore(shifts: readonly OnCallShift[], edges: readonly number[], index: number): string[] {
  for (let i = index - 1; i >= 0; i--) {
    const people = answeringAt(shifts, edges[i] ?? 0);
    if (people.length > 0) return people;
  }
  return [];
}

function nextAfter(shifts: readonly OnCallShift[], edges: readonly number[], index: number): string[] {
  for (let i = index + 1; i < edges.length; i++) {
    const people = answeringAt(shifts, edges[i] ?? 0);
    if (people.length > 0) return people;
  }
  return [];
}
