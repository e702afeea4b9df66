import { z } from 'zod';
import { type Weekday, weekdays } from './oncall/schedule.ts';
import type { BusinessHours } from './runbook/definition.ts';
import { hoursText, nextOpening, openPeriod } from './safety/business-hours.ts';
import { timeZone } from './time-zone.ts';

const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "write a time of day such as '02:00'");

/**
 * A time that comes back every week, by the clock on the wall of its zone. `to` not later than `from` is on the day
 * after; it belongs to the day on which it begins.
 */
export const weeklyWindow = z.strictObject({
  timeZone,
  days: z.array(z.enum(weekdays)).min(1, 'name at least one day'),
  from: wallTime,
  to: wallTime,
});
export type WeeklyWindow = z.infer<typeof weeklyWindow>;

/** [opens, closes) in epoch milliseconds. */
export interface Stretch {
  opens: number;
  closes: number;
}

/** The stretch that `now` lies in; null outside. */
export function windowAt(window: WeeklyWindow, now: number): Stretch | null {
  return openPeriod(hoursOf(window), now);
}

/** What holds from `from` to `to`, epoch milliseconds; with `weekly` only at these times between them. */
export interface Recurring {
  from: number;
  to: number;
  weekly: WeeklyWindow | null;
}

/** Until when it goes on without a break, where it holds at `now`; null where it does not. */
export function holdsUntil({ from, to, weekly }: Recurring, now: number): number | null {
  if (now < from || now >= to) return null;
  if (weekly === null) return to;
  const window = windowAt(weekly, now);
  return window && Math.min(window.closes, to);
}

/** When it opens next, `now` itself where it is open; null where the clock never shows that time. */
export function nextWindow(window: WeeklyWindow, now: number): number | null {
  return nextOpening(hoursOf(window), now);
}

/** All its stretches that overlap [from, to), in the order of time. */
export function windowsBetween(window: WeeklyWindow, from: number, to: number): Stretch[] {
  const stretches: Stretch[] = [];
  let at = from;
  while (at < to) {
    const opens = nextWindow(window, at);
    if (opens === null || opens >= to) break;
    const stretch = windowAt(window, opens);
    if (!stretch) break;
    stretches.push(stretch);
    at = stretch.closes;
  }
  return stretches;
}

/** 'Mon–Fri 09:00–17:00 Europe/Berlin' */
export function windowText(window: WeeklyWindow): string {
  return hoursText(hoursOf(window));
}

function hoursOf({ timeZone: zone, days, from, to }: WeeklyWindow): BusinessHours {
  return { timeZone: zone, days: days.map(numberOf), from, to };
}

/** From Monday = 1. */
function numberOf(day: Weekday): number {
  return weekdays.indexOf(day) + 1;
}
