import { addMonths, dayMs, instantOf, wallTimeAt } from '../wall-clock.ts';

/** What a report covers. */
export const reportSpans = ['week', 'month'] as const;
export type ReportSpan = (typeof reportSpans)[number];

/**
 * The period that ends at `end`, and those before it, newest first; epoch milliseconds. Each begins at the same time of
 * day in the zone: a week on the same day of the week, also where the clock changes in between, so that reports of every
 * Monday at 08:00 neither overlap nor leave an hour out; a month on the same day of the month, or on the last day of a
 * shorter one.
 */
export function reportPeriods(
  end: number,
  { span, timeZone, count }: { span: ReportSpan; timeZone: string; count: number },
): { from: number; to: number }[] {
  const bounds = Array.from({ length: count + 1 }, (_, back) =>
    span === 'week' ? weeksBefore(end, back, timeZone) : monthsBefore(end, back, timeZone),
  );
  return bounds.slice(1).map((from, index) => ({ from, to: bounds[index] ?? end }));
}

function weeksBefore(at: number, weeks: number, timeZone: string): number {
  return weeks === 0 ? at : instantOf(timeZone, wallTimeAt(timeZone, at) - weeks * 7 * dayMs);
}

function monthsBefore(at: number, months: number, timeZone: string): number {
  return months === 0 ? at : instantOf(timeZone, addMonths(wallTimeAt(timeZone, at), -months));
}

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
