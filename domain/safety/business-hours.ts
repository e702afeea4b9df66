import type { BusinessHours } from '../runbook/definition.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A day by the calendar, wherever it is; months count from 0. */
interface CalendarDay {
  year: number;
  month: number;
  day: number;
}

/** No offset such as '+02:00', which has no daylight saving time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

export function isOpen(hours: BusinessHours, now: number): boolean {
  // hours over midnight belong to the day on which they begin
  return [-1, 0].some((offset) => {
    const period = periodOf(hours, dayAt(hours.timeZone, now, offset));
    return period !== null && period.opens <= now && now < period.closes;
  });
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
  const opens = instantOf(hours.timeZone, day, from);
  const closes = instantOf(hours.timeZone, day, to <= from ? to + 24 * 60 : to);
  return opens < closes ? { opens, closes } : null;
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}

/** The calendar day at `now` in the zone, moved by `offset` days. */
function dayAt(timeZone: string, now: number, offset: number): CalendarDay {
  const local = new Date(wallClock(timeZone, now) + offset * dayMs);
  return { year: local.getUTCFullYear(), month: local.getUTCMonth(), day: local.getUTCDate() };
}

/** The first moment at which the clock on the wall shows so many minutes after midnight, or more. */
function instantOf(timeZone: string, day: CalendarDay, minutes: number): number {
  const wanted = Date.UTC(day.year, day.month, day.day) + minutes * minuteMs;
  // a clock changes at most once in two days, so one of these two offsets holds at the moment that is sought
  const offsets = [-dayMs, dayMs].map((aside) => wallClock(timeZone, wanted + aside) - (wanted + aside));
  const moments = offsets.map((offset) => wanted - offset).sort((a, b) => a - b);
  const exact = moments.find((moment) => wallClock(timeZone, moment) === wanted);
  if (exact !== undefined) return exact;
  let [before = wanted, after = wanted] = moments;
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000;
    if (middle === before) break;
    if (wallClock(timeZone, middle) >= wanted) after = middle;
    else before = middle;
  }
  return after;
}

/** What the clock on the wall shows, as if it were UTC. */
function wallClock(timeZone: string, at: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of clockOf(timeZone).formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1000) + 1000) % 1000);
}

/** Making one takes far longer than asking it; there are some 600 zones. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    clocks.set(timeZone, clock);
  }
  return clock;
}
