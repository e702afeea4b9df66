import { onCallAt, shiftsBetween } from './on-call.ts';
import type { OnCallShift, ScheduleFacts } from './schedule.ts';
import { dayMs } from './wall-clock.ts';

/** How a schedule stands at a moment. Times are epoch milliseconds. */
export interface OnCallStanding {
  /** Each with the whole shift that they are in, shadows too; nobody who answers: a gap. */
  shifts: OnCallShift[];
  /** When others answer, or nobody does; null: not within the time that is looked at. */
  until: number | null;
  /** The next who answer and are not those of now, and from when, after a gap where there is one. */
  next: { from: number; people: string[] } | null;
}

/** How far ahead is looked, step by step: most schedules change within a week. */
const horizonsDays = [8, 40, 400] as const;

/** Who is on call at `at`, until when, and who is next. */
export function standingAt(facts: ScheduleFacts, at: number): OnCallStanding {
  const shifts = onCallAt(facts, at);
  const now = peopleOf(shifts, at);
  let until: number | null = null;
  for (const days of horizonsDays) {
    const ahead = shiftsBetween(facts, at, at + days * dayMs);
    const moments = [...new Set(ahead.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
    for (const from of moments.filter((moment) => moment > at && moment < at + days * dayMs)) {
      const people = peopleOf(ahead, from);
      if (same(people, now)) continue;
      until ??= from;
      if (people.length > 0) return { shifts, until, next: { from, people } };
    }
  }
  return { shifts, until, next: null };
}

/** Who answers at a moment, each once. */
function peopleOf(shifts: readonly OnCallShift[], at: number): string[] {
  const answering = shifts.filter(({ from, to, shadow }) => !shadow && from <= at && at < to);
  return [...new Set(answering.map(({ person }) => person))].sort();
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((person, index) => person === b[index]);
}
