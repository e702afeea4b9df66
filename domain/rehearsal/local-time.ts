import { wallTimeAt } from '../wall-clock.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** 'Sat 28 Nov 03:00:00' by the clock on the wall. */
export function localTimeText(timeZone: string, at: number): string {
  const local = new Date(wallTimeAt(timeZone, at));
  const month = local.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' });
  return `${days[local.getUTCDay()]} ${local.getUTCDate()} ${month} ${local.toISOString().slice(11, 19)}`;
}
