import { z } from 'zod';
import type { Rotation } from '../oncall/schedule.ts';
import { parseWallTime, timeOfDay, weekdayOf } from '../wall-clock.ts';
import { everyDay, windowsOf } from './windows.ts';

const icalDays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
const localTime = z.iso.datetime({
  local: true,
  error: "write a local date and time such as '2026-11-23T09:00:00'",
});

/** What begins in a year of four digits has an end that is a date, too. */
const longestSeconds = 10 * 366 * 86_400;

/** Of GET /api/v1/on_call_shifts. Times are local to the shift's zone, durations in seconds. */
export const grafanaShift = z.object({
  id: z.string(),
  name: z.string(),
  type: z.enum(['single_event', 'recurrent_event', 'rolling_users', 'override']),
  time_zone: z.string().nullish(),
  level: z.int().nullish(),
  start: localTime,
  duration: z.number().positive().max(longestSeconds, 'write at most ten years, in seconds'),
  frequency: z.enum(['hourly', 'daily', 'weekly', 'monthly']).nullish(),
  interval: z.int().min(1).nullish(),
  until: localTime.nullish(),
  week_start: z.enum(icalDays).nullish(),
  by_day: z.array(z.enum(icalDays)).nullish(),
  by_month: z.array(z.int()).nullish(),
  by_monthday: z.array(z.int()).nullish(),
  users: z.array(z.string()).nullish(),
  rolling_users: z.array(z.array(z.string())).nullish(),
  start_rotation_from_user_index: z.int().nullish(),
});
export type ShiftRead = z.output<typeof grafanaShift>;

type Times = Pick<Rotation, 'turn' | 'startsAt' | 'endsAt' | 'hours'>;

const dayMs = 86_400_000;
const units = { hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month' } as const;
const unitMs = { hourly: 3_600_000, daily: dayMs, weekly: 7 * dayMs };

/**
 * Turns and hours that say the same; `problem` where there are none. Each group of a shift that rolls takes one period
 * of the frequency, and is on call for `duration` at its beginning.
 */
export function timesOf(shift: ShiftRead): Times | { problem: string; endsAt?: string } {
  const start = parseWallTime(shift.start);
  const durationMs = shift.duration * 1000;
  const startsAt = textOf(start);
  if (shift.type === 'single_event' || shift.type === 'override' || !shift.frequency) {
    // one turn, longer than the shift, that ends with it
    return { startsAt, endsAt: textOf(start + durationMs), turn: { every: 12, unit: 'month' } };
  }
  const every = shift.interval ?? 1;
  const frame = { startsAt, ...(shift.until ? { endsAt: textOf(parseWallTime(shift.until)) } : {}) };
  const recurring = recurringTimes(shift, shift.frequency, { start, durationMs, every });
  return { ...frame, ...recurring };
}

function recurringTimes(
  shift: ShiftRead,
  frequency: NonNullable<ShiftRead['frequency']>,
  { start, durationMs, every }: { start: number; durationMs: number; every: number },
): Omit<Times, 'endsAt' | 'startsAt'> | Omit<Times, 'endsAt'> | { problem: string } {
  const { by_day: byDay, by_month: byMonth, by_monthday: byMonthday } = shift;
  if (byMonth?.length || byMonthday?.length) {
    return { problem: 'turns by months or by days of the month are not carried over' };
  }
  const turn = { every, unit: units[frequency] };
  if (byDay?.length) return onDays(shift, frequency, { start, durationMs, every, byDay });
  if (frequency === 'monthly') {
    const wholeMonths = durationMs >= 28 * dayMs * every && durationMs <= 31 * dayMs * every;
    return wholeMonths ? { turn } : { problem: 'shifts of a part of each month are not carried over' };
  }
  const periodMs = unitMs[frequency] * every;
  if (durationMs >= periodMs) return { turn };
  if (every > 1 || frequency === 'hourly') {
    return { problem: 'shifts that leave out a part of each turn of several periods are not carried over' };
  }
  const days = frequency === 'daily' ? everyDay : [weekdayOf(start)];
  return { turn, hours: windowsOf(days, timeOfDay(start) / 60_000, durationMs / 60_000) };
}

/** On some days of the week: the hours say which, and who it is changes by the week. */
function onDays(
  shift: ShiftRead,
  frequency: NonNullable<ShiftRead['frequency']>,
  given: { start: number; durationMs: number; every: number; byDay: readonly (typeof icalDays)[number][] },
): Omit<Times, 'endsAt'> | { problem: string } {
  const { start, durationMs, every, byDay } = given;
  const rolls = shift.type === 'rolling_users' && (shift.rolling_users?.length ?? 0) > 1;
  if (every > 1 || (frequency !== 'weekly' && (frequency !== 'daily' || rolls))) {
    return { problem: 'these days of the week at this frequency are not carried over' };
  }
  const days = byDay.map((day) => icalDays.indexOf(day));
  // who it is changes with the week of the calendar, wherever in it the first shift lies (RFC 5545, WKST)
  const weekStart = icalDays.indexOf(shift.week_start ?? 'SU');
  const intoWeek = (weekdayOf(start) - weekStart + 7) % 7;
  return {
    startsAt: textOf(start - intoWeek * dayMs),
    turn: { every: 1, unit: 'week' },
    hours: windowsOf(days, timeOfDay(start) / 60_000, durationMs / 60_000),
  };
}

function textOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 16);
}
