import {
  addMonths,
  dayMs,
  hourMs,
  instantOf,
  monthsFrom,
  parseWallTime,
  timeOfDay,
  wallTimeAt,
  weekdayOf,
} from '../wall-clock.ts';
import { type Interval, intersect, union, within } from './interval.ts';
import { type Rotation, type Weekday, weekdays } from './schedule.ts';

/** A turn, or the part of it that the rotation's hours leave. */
export interface Turn extends Interval {
  people: readonly string[];
}

/**
 * Whose turn it is between two moments, in the order of time and whole: the first may begin before `from`, the last end
 * after `to`. `zone` is the schedule's, for a rotation without one of its own.
 */
export function turnsBetween(rotation: Rotation, zone: string, from: number, to: number): Turn[] {
  const clock = clockOf(rotation, zone);
  const begin = Math.max(from, clock.handoff(0));
  const end = Math.min(to, clock.end);
  const turns: Turn[] = [];
  if (begin >= end || rotation.participants.length === 0) return turns;
  for (let index = clock.turnAt(begin); clock.handoff(index) < end; index++) {
    turns.push({
      from: clock.handoff(index),
      to: Math.min(clock.handoff(index + 1), clock.end),
      people: rotation.participants[index % rotation.participants.length] ?? [],
    });
  }
  return turns;
}

/** Of what lies in the rotation's life and hours; each in its order, whole where nothing cuts it. */
export function inHours<T extends Interval>(rotation: Rotation, zone: string, parts: readonly T[]): T[] {
  const clock = clockOf(rotation, zone);
  const alive = parts.flatMap((part) => within(part, clock.handoff(0), clock.end) ?? []);
  if (rotation.hours === undefined || alive.length === 0) return alive;
  const from = Math.min(...alive.map((part) => part.from));
  const to = Math.max(...alive.map((part) => part.to));
  return intersect(alive, hoursBetween(rotation.hours, rotation.timeZone ?? zone, from, to));
}

/** When a rotation hands over, by the wall clock of its zone. */
function clockOf(rotation: Rotation, scheduleZone: string) {
  const zone = rotation.timeZone ?? scheduleZone;
  const { every, unit } = rotation.turn;
  const start = parseWallTime(rotation.startsAt);
  const first = instantOf(zone, start);
  const days = unit === 'week' ? 7 : 1;

  /** Of turn number `index` (from 0). */
  function handoff(index: number): number {
    if (index === 0) return first;
    if (unit === 'hour') return first + index * every * hourMs;
    if (unit === 'month') return instantOf(zone, addMonths(start, index * every));
    return instantOf(zone, start + index * every * days * dayMs);
  }

  /** Number of the turn that holds at `at`, which is not before the first. Reckoned, not walked to. */
  function turnAt(at: number): number {
    if (unit === 'hour') return Math.floor((at - first) / (every * hourMs));
    const wall = wallTimeAt(zone, at);
    let index =
      unit === 'month'
        ? Math.floor(monthsFrom(start, wall) / every)
        : Math.floor((wall - start) / (every * days * dayMs));
    index = Math.max(0, index);
    // a change of the clock, or the day of the month, may put the handoff on the other side of `at`
    while (index > 0 && handoff(index) > at) index--;
    while (handoff(index + 1) <= at) index++;
    return index;
  }

  const end =
    rotation.endsAt === undefined
      ? Number.POSITIVE_INFINITY
      : instantOf(zone, parseWallTime(rotation.endsAt));
  return { handoff, turnAt, end };
}

type Hours = NonNullable<Rotation['hours']>;

/** When `hours` hold, in the order of time, as `union` gives them. */
function hoursBetween(hours: Hours, zone: string, from: number, to: number): Interval[] {
  const windows = hours.map(({ days, from: opens, to: closes }) => {
    const [start, end] = [clockTime(opens), clockTime(closes)];
    return {
      days: new Set(days.map((day: Weekday) => weekdays.indexOf(day))),
      start,
      end: end > start ? end : end + dayMs,
    };
  });
  const open: Interval[] = [];
  const firstDay = wallTimeAt(zone, from);
  const lastDay = wallTimeAt(zone, to);
  // those of the day before may reach into the first
  for (let day = firstDay - timeOfDay(firstDay) - dayMs; day <= lastDay; day += dayMs) {
    const weekday = weekdayOf(day);
    for (const { days, start, end } of windows) {
      if (!days.has(weekday)) continue;
      const [opens, closes] = [instantOf(zone, day + start), instantOf(zone, day + end)];
      if (opens < closes) open.push({ from: opens, to: closes });
    }
  }
  return union(open);
}

/** Milliseconds after midnight of a text such as '09:30'. */
function clockTime(text: string): number {
  return (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000;
}
