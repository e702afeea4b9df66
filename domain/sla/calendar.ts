import { z } from 'zod';
import { weekdays } from '../oncall/schedule.ts';
import { timeZone } from '../time-zone.ts';
import { wallTimeAt } from '../wall-clock.ts';
import { type BusinessCalendar, daysAhead } from './business-time.ts';

/** The calendar that is always there and always open: what a policy goes by that names none. */
export const alwaysOpen = '24x7';

const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "write a time of day such as '09:00'");
const date = z.iso.date("write a date such as '2026-12-25'");

const hours = z
  .array(
    z.strictObject({
      from: wallTime,
      to: wallTime.meta({ description: 'Not later than `from`: on the next day' }),
    }),
  )
  .max(10, 'name at most 10 stretches of a day');

/** When the clocks of an SLA run: hours of the week and holidays, by the clock on the wall of `timeZone`. */
export const slaCalendar = z.strictObject({
  timeZone,
  hours: z
    .partialRecord(z.enum(weekdays), hours)
    .refine((week) => Object.values(week).some((day) => day.length > 0), 'open at least one hour of the week')
    .meta({ description: 'By weekday; a day that is absent is closed' }),
  holidays: z
    .array(
      z
        .strictObject({
          from: date,
          to: date.optional().meta({ description: 'The last day of it, where it is more than one' }),
          name: z.string().trim().max(100).optional(),
        })
        .refine(({ from, to }) => to === undefined || to >= from, {
          path: ['to'],
          message: 'the last day must not lie before the first',
        }),
    )
    .max(500, 'name at most 500 holidays')
    .default([]),
});
export type SlaCalendar = z.infer<typeof slaCalendar>;

/** For the arithmetic of business time. */
export function businessCalendar({ timeZone, hours, holidays }: SlaCalendar): BusinessCalendar {
  const sundayFirst = [...weekdays.slice(-1), ...weekdays.slice(0, -1)];
  return {
    timeZone,
    hours: sundayFirst.map((day) => hours[day] ?? []),
    holidays: holidays.map(({ from, to }) => ({ from, to: to ?? from })),
  };
}

/** A day of the weeks ahead, for people. */
export interface PreviewedDay {
  /** ISO 8601. */
  date: string;
  /** By the clock on the wall; an end on the next day is not later than its start. */
  open: { from: string; to: string }[];
  /** The name of the holiday, '' where it has none; null on other days. */
  holiday: string | null;
  /** Where the clock changes on it: '23 hours long'. */
  note: string | null;
}

/** Two weeks, from the day of `now` (epoch milliseconds) on. */
export function previewCalendar(calendar: SlaCalendar, now: number): PreviewedDay[] {
  const wall = (at: number) => new Date(wallTimeAt(calendar.timeZone, at)).toISOString().slice(11, 16);
  return daysAhead(businessCalendar(calendar), now, 14).map(({ date, open, hours }) => ({
    date,
    open: open.map(([from, to]) => ({ from: wall(from), to: wall(to) })),
    holiday: holidayOn(calendar, date),
    note: hours === 24 ? null : `${hours} hours long: the clock changes`,
  }));
}

function holidayOn({ holidays }: SlaCalendar, date: string): string | null {
  const holiday = holidays.find(({ from, to }) => from <= date && date <= (to ?? from));
  return holiday ? (holiday.name ?? '') : null;
}
