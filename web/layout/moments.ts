import { formatDuration } from '../../domain/duration.ts';
import { type Pauses, pauseAt, runningMs } from '../../domain/sla/clock.ts';

/**
 * Times for people. The server does not know the reader's zone, so it writes UTC and says so; web/assets/time.js
 * rewrites the same elements in the reader's zone and keeps them fresh. Both follow the same rules.
 */
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayMs = 86_400_000;

const two = (n: number): string => String(n).padStart(2, '0');

/** '02:14' today, 'Fri 02:14' within six days, else '20 Nov 02:14' ('20 Nov 2025 02:14' in another year). */
export function clockText(at: number, now: number): string {
  const date = new Date(at);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (Math.floor(at / dayMs) === Math.floor(now / dayMs)) return time;
  if (Math.abs(at - now) < 6 * dayMs) return `${weekdays[date.getUTCDay()]} ${time}`;
  return `${dayText(at, now)} ${time}`;
}

/** '20 Nov', with the year where it is not this one. */
export function dayText(at: number, now: number): string {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  const day = `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
  return year === new Date(now).getUTCFullYear() ? day : `${day} ${year}`;
}

/** 'just now', '12 min ago', '3 h ago'; a date from a week on. */
export function agoText(at: number, now: number): string {
  const past = now - at;
  if (past < 45_000) return past < -45_000 ? untilText(at, now) : 'just now';
  if (past >= 7 * dayMs) return dayText(at, now);
  return `${formatDuration(largest(past))} ago`;
}

/** 'in 14 min 20 s', 'in 2 h 5 min'; 'now' once it has passed. */
export function untilText(at: number, now: number): string {
  const left = Math.floor((at - now) / 1000);
  if (left <= 0) return 'now';
  if (left < 3600 && left >= 60) {
    const seconds = left % 60;
    return `in ${Math.floor(left / 60)} min${seconds === 0 ? '' : ` ${seconds} s`}`;
  }
  return `in ${formatDuration(left * 1000)}`;
}

/** For lists: '38 min', '2 h 5 min', seconds only in the last two minutes; 'now' once it has passed. */
export function leftText(at: number, now: number): string {
  const left = at - now;
  return left <= 0 ? 'now' : formatDuration(left < 120_000 ? left : Math.floor(left / 60_000) * 60_000);
}

/**
 * Of a clock that pauses at times: '1 h 20 min left', 'paused, 1 h 20 min left'; 'over' once it is due. `pauses`:
 * [from, to) in epoch milliseconds.
 */
export function runningText(dueAt: number, now: number, pauses: Pauses): string {
  if (now >= dueAt) return 'over';
  const left = `${leftText(now + runningMs(now, dueAt, pauses), now)} left`;
  return pauseAt({ pauses }, now) ? `paused, ${left}` : left;
}

/** '2026-11-21 02:14:05 UTC' */
export function absoluteText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Rounded down to the largest unit: '3 h ago' reads better than '3 h 12 min ago'. */
function largest(ms: number): number {
  const unit = ms < 60_000 ? 1000 : ms < 3_600_000 ? 60_000 : ms < 2 * dayMs ? 3_600_000 : dayMs;
  return Math.floor(ms / unit) * unit;
}
