import { instantOf, parseWallTime, type WallTime, wallTimeAt } from '../../domain/wall-clock.ts';

/*
 * Times of schedules are told in a zone that is named beside them: whose turn it is must not depend on where a browser
 * happens to be.
 */

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number): string => String(n).padStart(2, '0');

/** 'Mon 23 Nov 09:00' */
export function momentText(zone: string, at: number): string {
  return `${dayText(zone, at)} ${timeText(zone, at)}`;
}

/** 'Mon 23 Nov' */
export function dayText(zone: string, at: number): string {
  const date = wallDate(wallTimeAt(zone, at));
  return `${weekdays[date.getUTCDay()]} ${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
}

/** '09:00' */
export function timeText(zone: string, at: number): string {
  const date = wallDate(wallTimeAt(zone, at));
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** '2026-11-23T09:00', as fields of a form hold it. */
export function inputText(zone: string, at: number): string {
  return new Date(wallTimeAt(zone, at)).toISOString().slice(0, 16);
}

/** Of what such a field holds, by the clock of the zone; undefined where that is no time. */
export function inputMoment(zone: string, text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return undefined;
  const wall = parseWallTime(text);
  return Number.isNaN(wall) ? undefined : instantOf(zone, wall);
}

/** 'UTC+01:00' */
export function offsetText(zone: string, at: number): string {
  const minutes = Math.round((wallTimeAt(zone, at) - at) / 60_000);
  const sign = minutes < 0 ? '-' : '+';
  return `UTC${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

function wallDate(wall: WallTime): Date {
  return new Date(wall);
}
