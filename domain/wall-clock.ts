/** Time as a clock on the wall shows it, somewhere: with the hours that daylight saving time leaves out or repeats. */

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** A day by the calendar, wherever it is; months count from 0. */
export interface CalendarDay {
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

/** The calendar day at `now` in the zone, moved by `offset` days. */
export function dayAt(timeZone: string, now: number, offset: number): CalendarDay {
  const local = new Date(wallClock(timeZone, now) + offset * dayMs);
  return { year: local.getUTCFullYear(), month: local.getUTCMonth(), day: local.getUTCDate() };
}

/** The first moment at which the clock on the wall shows so many minutes after midnight, or more. */
export function instantOf(timeZone: string, day: CalendarDay, minutes: number): number {
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
export function wallClock(timeZone: string, at: number): number {
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
