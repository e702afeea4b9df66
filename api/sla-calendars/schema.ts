import { z } from 'zod';
import { slaCalendar } from '../../domain/sla/calendar.ts';
import { readBack } from '../configuration.ts';

export const slaCalendarShown = slaCalendar;
export const slaCalendarBody = slaCalendar.extend(readBack).meta({
  id: 'SlaCalendar',
  description: 'When the clocks of an SLA run; the rest of the time they are paused',
});

export const calendarPreview = z.object({
  days: z
    .array(
      z.object({
        date: z.iso.date(),
        open: z.array(z.object({ from: z.string(), to: z.string() })).meta({
          description: 'By the clock on the wall; an end not later than its start is on the next day',
        }),
        holiday: z.string().nullable().meta({ description: "Its name; '' where it has none" }),
        note: z.string().nullable().meta({ description: 'Where the clock changes on that day' }),
      }),
    )
    .meta({ description: 'Two weeks, from today on' }),
});
