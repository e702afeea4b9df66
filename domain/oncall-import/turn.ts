import type { Rotation } from '../oncall/schedule.ts';
import { wallTimeAt } from '../wall-clock.ts';

type Turn = Rotation['turn'];

const hour = 3600;
const day = 24 * hour;
const week = 7 * day;

/** Turns of so many seconds; undefined where they are no whole hours. Days and weeks go by the wall clock. */
export function turnOf(seconds: number): Turn | undefined {
  for (const [unit, length] of [
    ['week', week],
    ['day', day],
    ['hour', hour],
  ] as const) {
    const every = seconds / length;
    if (Number.isInteger(every) && every >= 1 && every <= 366) return { every, unit };
  }
  return undefined;
}

/**
 * The turn that holds at `at`, where the first began at `first` (epoch milliseconds): its number, and the wall time at
 * which it began.
 */
export function turnAt(
  { every, unit }: { every: number; unit: Turn['unit'] },
  zone: string,
  { first, at }: { first: number; at: number },
): { index: number; startsAt: string } {
  if (unit === 'hour') {
    const lengthMs = every * hour * 1000;
    const index = Math.floor((at - first) / lengthMs);
    return { index, startsAt: wallText(zone, first + index * lengthMs) };
  }
  const lengthMs = every * (unit === 'week' ? week : day) * 1000;
  const wall = wallTimeAt(zone, first);
  const index = Math.floor((wallTimeAt(zone, at) - wall) / lengthMs);
  return { index, startsAt: new Date(wall + index * lengthMs).toISOString().slice(0, 16) };
}

/** A duration as configuration has it, of whole seconds. */
export function durationText(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** 'YYYY-MM-DDTHH:MM' as clocks in `zone` show it at an instant (epoch milliseconds). */
export function wallText(zone: string, at: number): string {
  return new Date(wallTimeAt(zone, at)).toISOString().slice(0, 16);
}

/** The list begun at `index`, which may be any integer. */
export function rotatedBy<T>(list: readonly T[], index: number): T[] {
  const start = ((index % list.length) + list.length) % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
