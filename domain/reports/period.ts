/** Weekly reports cover this much. */
export const weekMs = 7 * 86_400_000;

/** '9 Nov 08:00 – 16 Nov 2026 08:00 (Europe/Berlin)'; times are epoch milliseconds. */
export function formatPeriod(from: number, to: number, timeZone: string): string {
  const start = formatMoment(from, timeZone);
  const end = formatMoment(to, timeZone);
  const first = start.year === end.year ? start.day : `${start.day} ${start.year}`;
  return `${first} ${start.time} – ${end.day} ${end.year} ${end.time} (${timeZone})`;
}

/** '16 Nov' in a time zone. */
export function formatDay(at: number, timeZone: string): string {
  return formatMoment(at, timeZone).day;
}

/** '16 Nov 08:00' in a time zone. */
export function formatDayAndTime(at: number, timeZone: string): string {
  const { day, time } = formatMoment(at, timeZone);
  return `${day} ${time}`;
}

function formatMoment(at: number, timeZone: string): { day: string; year: string; time: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(at));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  return {
    day: `${part('day')} ${part('month')}`,
    year: part('year'),
    time: `${part('hour')}:${part('minute')}`,
  };
}
