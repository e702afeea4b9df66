import { dayMs } from '../wall-clock.ts';
import { onCallAt, shiftsBetween } from './on-call.ts';
import type { OnCallShift, ScheduleFacts } from './schedule.ts';

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
/** Shifts that are looked at in one step: of many rotations that hand over by the hour less far ahead is looked. */
const mostShifts = 50_000;

/** Who is on call at `at`, until when, and who is next. */
export function standingAt(facts: ScheduleFacts, at: number): OnCallStanding {
  const shifts = onCallAt(facts, at);
  const now = peopleOf(shifts);
  let until: number | null = null;
  let perDay = 0;
  for (const days of horizonsDays) {
    if (perDay * days > mostShifts) break;
    const end = at + days * dayMs;
    const ahead = shiftsBetween(facts, at, end);
    perDay = ahead.length / days;
    for (const { from, people } of answersFrom(ahead)) {
      // the end of what is looked at is no change
      if (from <= at || from >= end || same(people, now)) continue;
      until ??= from;
      if (people.length > 0) return { shifts, until, next: { from, people } };
    }
  }
  return { shifts, until, next: null };
}

/** Who answers from each moment at which anything begins or ends; of shifts in the order of time. */
function* answersFrom(shifts: readonly OnCallShift[]): Generator<{ from: number; people: string[] }> {
  const moments = [...new Set(shifts.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  let open: OnCallShift[] = [];
  let next = 0;
  for (const from of moments) {
    open = open.filter(({ to }) => to > from);
    for (let shift = shifts[next]; shift !== undefined && shift.from <= from; shift = shifts[++next]) {
      open.push(shift);
    }
    yield { from, people: peopleOf(open) };
  }
}

/** Who answers, each once; a shadow does not. */
function peopleOf(shifts: readonly OnCallShift[]): string[] {
  const answering = shifts.filter(({ shadow }) => !shadow);
  return [...new Set(answering.map(({ person }) => person))].sort();
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((person, index) => person === b[index]);
}
