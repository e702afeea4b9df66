const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayMs = 86_400_000;

/** A mail does not know its reader's zone, so it says UTC: '02:14 UTC', 'Fri 02:14 UTC', '20 Nov 02:14 UTC'. */
export function clockUtc(at: Date, now: number): string {
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`;
  if (Math.floor(at.getTime() / dayMs) === Math.floor(now / dayMs)) return time;
  if (Math.abs(at.getTime() - now) < 6 * dayMs) return `${weekdays[at.getUTCDay()]} ${time}`;
  return `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${time}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Of ISO 8601 text; undefined of anything else. */
export function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
