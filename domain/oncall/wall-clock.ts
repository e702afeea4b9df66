import { Temporal } from 'temporal-polyfill';

/**
 * What the clock on the wall shows, as one number: the epoch milliseconds that UTC would have at those digits. A day
 * later at the same time of day is `dayMs` more, whatever the zone did in between.
 */
export type WallTime = number;

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Of a text such as '2026-11-23T09:00', with or without seconds, that was checked before. */
export function parseWallTime(text: string): WallTime {
  return Date.parse(`${text}Z`);
}

/** The wall time in `zone` at an instant (epoch milliseconds). */
export function wallTimeAt(zone: string, at: number): WallTime {
  return at + periodAt(zone, at).offset;
}

/**
 * The instant (epoch milliseconds) at which clocks in `zone` show `wall`. A time that the change to summer time leaves
 * out is moved forward by the gap; of one that occurs twice it is the first (RFC 5545, 3.3.5, says the same).
 */
export function instantOf(zone: string, wall: WallTime): number {
  // no zone is further from UTC than a day, so the period that held a day earlier is this one or precedes it
  let period = periodAt(zone, wall - dayMs);
  while (true) {
    const at = wall - period.offset;
    if (at < period.to) return at;
    const next = periodAt(zone, period.to);
    // before the next period began, after this one ended: the gap between the two
    if (wall - next.offset < next.from) return at;
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
  const moment = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  // 'previous' looks for a change before, so one at this very moment is found a millisecond later
  const began = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
  const ends = moment.getTimeZoneTransition('next');
  return {
    from: began?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    to: ends?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offset: moment.offsetNanoseconds / 1_000_000,
  };
}
