import type { BusinessHours } from '../runbook/definition.ts';
import { type CalendarDay, dayAt, firstInstantOf } from '../wall-clock.ts';

export function isOpen(hours: BusinessHours, now: number): boolean {
  return openPeriod(hours, now) !== null;
}

/** The stretch [opens, closes) that `now` lies in; null when it is closed. */
export function openPeriod(hours: BusinessHours, now: number): { opens: number; closes: number } | null {
  // hours over midnight belong to the day on which they begin
  for (const offset of [-1, 0]) {
    const period = periodOf(hours, dayAt(hours.timeZone, now, offset));
    if (period !== null && period.opens <= now && now < period.closes) return period;
  }
  return null;
}

/** The first moment from `now` on at which it is open; null when it never is. */
export function nextOpening(hours: BusinessHours, now: number): number | null {
  if (isOpen(hours, now)) return now;
  // two weeks: the only opening of a week may fall into the hour that a clock change leaves out
  for (let offset = 0; offset <= 15; offset++) {
    const period = periodOf(hours, dayAt(hours.timeZone, now, offset));
    if (period !== null && period.opens > now) return period.opens;
  }
  return null;
}

/** 'Mon–Fri 09:00–17:00 Europe/Berlin' */
export function hoursText(hours: BusinessHours): string {
  return `${daysText(hours.days)} ${hours.from}–${hours.to} ${hours.timeZone}`;
}

/** From Monday = 1. */
export const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** 'Mon–Fri, Sun' */
export function daysText(days: readonly number[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  const runs: number[][] = [];
  for (const day of sorted) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined) => dayNames[(day ?? 1) - 1];
  return runs
    .map((run) => (run.length > 1 ? `${name(run[0])}–${name(run.at(-1))}` : name(run[0])))
    .join(', ');
}

/**
 * One unbroken stretch for each day: an hour that the clock repeats in autumn neither closes nor opens it again, and
 * a time that the clock leaves out in spring is the moment of the change. Null on a day that is not worked.
 */
function periodOf(hours: BusinessHours, day: CalendarDay): { opens: number; closes: number } | null {
  const weekday = new Date(Date.UTC(day.year, day.month, day.day)).getUTCDay() || 7;
  if (!hours.days.includes(weekday)) return null;
  const from = minutesOf(hours.from);
  const to = minutesOf(hours.to);
  const opens = firstInstantOf(hours.timeZone, day, from);
  const closes = firstInstantOf(hours.timeZone, day, to <= from ? to + 24 * 60 : to);
  return opens < closes ? { opens, closes } : null;
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}
