import { Temporal } from 'temporal-polyfill';

/** Time as a clock on the wall shows it, somewhere: with the hours that daylight saving time leaves out or repeats. */

/**
 * What the clock on the wall shows, as one number: the epoch milliseconds that UTC would have at those digits. A day
 * later at the same time of day is `dayMs` more, whatever the zone did in between.
 */
export type WallTime = number;

/** A day by the calendar, wherever it is; months count from 0. */
export interface CalendarDay {
  year: number;
  month: number;
  day: number;
}

const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Those that there are, once somebody asked: each schedule that is read asks, and finding out takes far longer. */
const zones = new Set<string>();

/** No offset such as '+02:00', which has no daylight saving time. */
export function isTimeZone(name: string): boolean {
  if (zones.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name });
    zones.add(name);
    return true;
  } catch {
    return false;
  }
}

/** Of a text such as '2026-11-23T09:00', with or without seconds, that was checked before. */
export function parseWallTime(text: string): WallTime {
  return Date.parse(`${text}Z`);
}

/** The wall time in `zone` at an instant (epoch milliseconds). */
export function wallTimeAt(zone: string, at: number): WallTime {
  return at + periodAt(zone, at).offset;
}

/** The calendar day at `now` in the zone, moved by `offset` days. */
export function dayAt(zone: string, now: number, offset: number): CalendarDay {
  const local = new Date(wallTimeAt(zone, now) + offset * dayMs);
  return { year: local.getUTCFullYear(), month: local.getUTCMonth(), day: local.getUTCDate() };
}

/**
 * The instant (epoch milliseconds) at which clocks in `zone` show `wall`. A time that the change to summer time leaves
 * out is moved forward by the gap; of one that occurs twice it is the first (RFC 5545, 3.3.5, says the same).
 */
export function instantOf(zone: string, wall: WallTime): number {
  return find(zone, wall).at;
}

/**
 * The first moment at which clocks in the zone show so many minutes after midnight, or more. Hours that open in the
 * time that is left out open when it is over, where `instantOf` would begin them later by the gap.
 */
export function firstInstantOf(zone: string, { year, month, day }: CalendarDay, minutes: number): number {
  const { at, gapEnd } = find(zone, Date.UTC(year, month, day) + minutes * minuteMs);
  return gapEnd ?? at;
}

/** `gapEnd`: no clock shows that time, since then it showed a later one at once. */
function find(zone: string, wall: WallTime): { at: number; gapEnd?: number } {
  // no zone is further from UTC than a day, so the period that held a day earlier is this one or precedes it
  let period = periodAt(zone, wall - dayMs);
  while (true) {
    const at = wall - period.offset;
    if (at < period.to) return { at };
    const next = periodAt(zone, period.to);
    // before the next period began, after this one ended: the gap between the two
    if (wall - next.offset < next.from) return { at, gapEnd: next.from };
    period = next;
  }
}

/** The same day and time of day, `months` later; the month's last day where it is too short for the day. */
export function addMonths(wall: WallTime, months: number): WallTime {
  const date = new Date(wall);
  const month = date.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const first = Date.UTC(date.getUTCFullYear(), month, 1);
  return first + (Math.min(date.getUTCDate(), lastDay) - 1) * dayMs + timeOfDay(wall);
}

/** Whole months from one to the other by the calendar, without regard to day and time. */
export function monthsFrom(start: WallTime, end: WallTime): number {
  const [a, b] = [new Date(start), new Date(end)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
}

/** Milliseconds since midnight. */
export function timeOfDay(wall: WallTime): number {
  return ((wall % dayMs) + dayMs) % dayMs;
}

/** 0 is Monday. */
export function weekdayOf(wall: WallTime): number {
  // 1 January 1970 was a Thursday
  return (((Math.floor(wall / dayMs) + 3) % 7) + 7) % 7;
}

/** Between two changes of a zone's offset; epoch milliseconds, half-open. */
interface Period {
  from: number;
  to: number;
  offset: number;
}

/** By zone, those that were asked for: finding one costs a hundred times what remembering it does. */
const periods = new Map<string, Period[]>();

function periodAt(zone: string, at: number): Period {
  const known = periods.get(zone);
  const found = known?.find(({ from, to }) => from <= at && at < to);
  if (found) return found;
  const period = readPeriod(zone, at);
  if (known) known.push(period);
  else periods.set(zone, [period]);
  return period;
}

function readPeriod(zone: string, at: number): Period {
  // shares of a time, such as 80 % of a clock's, have fractions of a millisecond, which no instant has
  const moment = Temporal.Instant.fromEpochMilliseconds(Math.floor(at)).toZonedDateTimeISO(zone);
  // 'previous' looks for a change before, so one at this very moment is found a millisecond later
  const began = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
  const ends = moment.getTimeZoneTransition('next');
  return {
    from: began?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    to: ends?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offset: moment.offsetNanoseconds / 1_000_000,
  };
}
