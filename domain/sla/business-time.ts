import { type CalendarDay, dayAt, firstInstantOf } from '../wall-clock.ts';

/** From `from` on, up to but without `to`, in epoch milliseconds. */
export type Stretch = [from: number, to: number];

/** When a promise's clock runs, by the clock on the wall of one place. Without `hours` it always runs. */
export interface BusinessCalendar {
  /** IANA name. */
  timeZone: string;
  /** Times of the day, Sunday first; `to` not later than `from` lies on the next day. Absent: round the clock. */
  hours?: { from: string; to: string }[][];
  /** Days on which it does not run, both ends included: ISO 8601 dates. */
  holidays: { from: string; to: string }[];
}

/** Where a calendar is not open for so long ahead, what is promised by it would never be due. */
const furthestDays = 3 * 366;

/**
 * When `ms` milliseconds of open time have passed since `from`. Null where that is further ahead than three years: the
 * calendar is hardly ever open.
 */
export function addBusiness(calendar: BusinessCalendar, from: number, ms: number): number | null {
  let left = ms;
  for (const [opens, closes] of openFrom(calendar, from)) {
    if (closes - opens >= left) return opens + left;
    left -= closes - opens;
  }
  return null;
}

/** The closed times from `from` up to `until`, in order. */
export function pausesAfter(calendar: BusinessCalendar, from: number, until: number): Stretch[] {
  const pauses: Stretch[] = [];
  let closedFrom = from;
  for (const [opens, closes] of openFrom(calendar, from)) {
    if (opens >= until) break;
    if (opens > closedFrom) pauses.push([closedFrom, opens]);
    closedFrom = closes;
  }
  if (closedFrom < until) pauses.push([closedFrom, until]);
  return pauses;
}

/** A day as its calendar opens it, and how long it is where the clock changes. */
export interface CalendarDayHours {
  /** ISO 8601. */
  date: string;
  open: Stretch[];
  /** 23 or 25 on the day of a change of most clocks, else 24. */
  hours: number;
}

/** The day of `from` and those that follow it, each with what opens on it. */
export function daysAhead(calendar: BusinessCalendar, from: number, count: number): CalendarDayHours[] {
  return Array.from({ length: count }, (_, ahead) => {
    const day = dayAt(calendar.timeZone, from, ahead);
    const begins = firstInstantOf(calendar.timeZone, day, 0);
    const ends = firstInstantOf(calendar.timeZone, dayAfter(day), 0);
    return { date: isoDate(day), open: openOnDay(calendar, day), hours: (ends - begins) / 3_600_000 };
  });
}

/** The open times from `from` on, in order, none touching the next. */
function* openFrom(calendar: BusinessCalendar, from: number): Generator<Stretch> {
  let current: Stretch | null = null;
  // what opened yesterday may still be open
  for (let ahead = -1; ahead < furthestDays; ahead++) {
    for (const [opens, closes] of openOnDay(calendar, dayAt(calendar.timeZone, from, ahead))) {
      if (closes <= from) continue;
      const stretch: Stretch = [Math.max(opens, from), closes];
      if (current && stretch[0] <= current[1]) {
        current = [current[0], Math.max(current[1], closes)];
      } else {
        if (current) yield current;
        current = stretch;
      }
    }
  }
  if (current) yield current;
}

/** What opens on a day, without the holidays that it reaches into: sorted. */
function openOnDay(calendar: BusinessCalendar, day: CalendarDay): Stretch[] {
  const hours = calendar.hours?.[weekdayOf(day)] ?? (calendar.hours ? [] : [{ from: '00:00', to: '00:00' }]);
  const next = dayAfter(day);
  const midnight = firstInstantOf(calendar.timeZone, next, 0);
  return hours
    .flatMap(({ from, to }): Stretch[] => {
      const opens = firstInstantOf(calendar.timeZone, day, minutesOf(from));
      const overMidnight = minutesOf(to) <= minutesOf(from);
      const closes = firstInstantOf(calendar.timeZone, overMidnight ? next : day, minutesOf(to));
      const [today, tomorrow] = [!isHoliday(calendar, day), !isHoliday(calendar, next)];
      if (today && tomorrow) return [[opens, closes]];
      if (today) return [[opens, Math.min(closes, midnight)]];
      return tomorrow ? [[midnight, closes]] : [];
    })
    .filter(([opens, closes]) => opens < closes)
    .sort(([a], [b]) => a - b);
}

function isHoliday({ holidays }: BusinessCalendar, day: CalendarDay): boolean {
  const date = isoDate(day);
  return holidays.some(({ from, to }) => from <= date && date <= to);
}

const isoDate = ({ year, month, day }: CalendarDay): string =>
  new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

const weekdayOf = (day: CalendarDay): number => new Date(Date.UTC(day.year, day.month, day.day)).getUTCDay();

function dayAfter({ year, month, day }: CalendarDay): CalendarDay {
  const next = new Date(Date.UTC(year, month, day + 1));
  return { year: next.getUTCFullYear(), month: next.getUTCMonth(), day: next.getUTCDate() };
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}
