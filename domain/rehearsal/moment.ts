import { dayMs, instantOf, isTimeZone, parseWallTime, wallTimeAt, weekdayOf } from '../wall-clock.ts';

const weekdayNames = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

export type Moment = { at: number; timeZone: string } | { problem: string };

const remedy =
  "write a moment such as 'Saturday 03:00 Europe/Berlin', '2026-11-28 03:00 Europe/Berlin' or '2026-11-28T02:00:00Z'";

/**
 * The moment that a text names, as epoch milliseconds: an instant of ISO 8601, or a day (a date, or the next weekday of
 * that name) and a time by the clock on the wall of a zone. A time that the change to summer time leaves out is moved
 * forward by the gap; of one that occurs twice it is the first.
 * @param now epoch milliseconds, from which the next weekday is counted
 * @param timeZone IANA name, where the text names none
 */
export function parseMoment(text: string, now: number, timeZone: string): Moment {
  const trimmed = text.trim();
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(trimmed)) {
    const at = Date.parse(trimmed);
    return Number.isNaN(at) ? { problem: remedy } : { at, timeZone };
  }
  const found = /^(\S+?)[ T](([01]\d|2[0-3]):[0-5]\d)(?:\s+(\S+))?$/.exec(trimmed);
  const [, day = '', time = '', , zone = timeZone] = found ?? [];
  if (!found) return { problem: remedy };
  if (!isTimeZone(zone))
    return { problem: `'${zone}' is no IANA time zone: write one such as 'Europe/Berlin'` };
  const wall = wallOf(day.toLowerCase(), time, wallTimeAt(zone, now));
  if (wall === undefined) return { problem: remedy };
  return { at: instantOf(zone, wall), timeZone: zone };
}

function wallOf(day: string, time: string, wallNow: number): number | undefined {
  const place = day.length < 3 ? -1 : weekdayNames.findIndex((name) => name.startsWith(day));
  if (place === -1) {
    const wall = /^\d{4}-\d{2}-\d{2}$/.test(day) ? parseWallTime(`${day}T${time}`) : Number.NaN;
    const exists = !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(day);
    return exists ? wall : undefined;
  }
  const midnight = Math.floor(wallNow / dayMs) * dayMs;
  const days = (place - weekdayOf(wallNow) + 7) % 7;
  const wall = midnight + days * dayMs + parseWallTime(`1970-01-01T${time}`);
  return wall > wallNow ? wall : wall + 7 * dayMs;
}
