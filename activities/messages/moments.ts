import { dayMs, wallTimeAt } from '../../domain/wall-clock.ts';

/** When it is for whoever reads: epoch milliseconds, and an IANA zone. */
export interface Reading {
  now: number;
  timeZone: string;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * What the clock on the reader's wall shows: '02:14 UTC', 'Fri 02:14 UTC+2', '20 Nov 07:44 UTC+5:30'. With the offset,
 * since a message is forwarded, and since 'IST' or 'CST' mean several zones.
 */
export function clockText(at: Date, { now, timeZone }: Reading): string {
  const wall = wallTimeAt(timeZone, at.getTime());
  const shown = new Date(wall);
  const time = `${timeOfDay(shown)} ${offsetText(wall - at.getTime())}`;
  if (Math.floor(wall / dayMs) === Math.floor(wallTimeAt(timeZone, now) / dayMs)) return time;
  if (Math.abs(at.getTime() - now) < 6 * dayMs) return `${weekdays[shown.getUTCDay()]} ${time}`;
  return `${shown.getUTCDate()} ${months[shown.getUTCMonth()]} ${time}`;
}

/** 'Mon 23 Nov 09:00', by the clock of the zone: a handoff is a time of day. */
export function momentText(at: Date, timeZone: string): string {
  const shown = new Date(wallTimeAt(timeZone, at.getTime()));
  return `${weekdays[shown.getUTCDay()]} ${shown.getUTCDate()} ${months[shown.getUTCMonth()]} ${timeOfDay(shown)}`;
}

function timeOfDay(shown: Date): string {
  return shown.toISOString().slice(11, 16);
}

function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes === 0) return 'UTC';
  const rest = minutes % 60;
  return `UTC${ms < 0 ? '-' : '+'}${Math.floor(minutes / 60)}${rest === 0 ? '' : `:${two(rest)}`}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Of ISO 8601 text; undefined of anything else. */
export function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
