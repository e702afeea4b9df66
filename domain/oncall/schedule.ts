import { z } from 'zod';
import { timeZone } from '../time-zone.ts';

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "write a time of day such as '09:00'");
const wallDateTime = z.iso
  .datetime({
    local: true,
    offset: false,
    error: "write a local date and time such as '2026-11-23T09:00'",
  })
  .refine((text) => text >= '1970' && text < '2200', 'write a year from 1970 to 2199');

/** Who is on call in turns, by the clock on the wall of `timeZone`. */
export const rotation = z.strictObject({
  name: z.string().trim().min(1).max(100),
  /** Among the rotations that have anybody at a moment, those of the highest priority answer. */
  priority: z.int().min(0).max(100).default(0),
  /** Who takes turns, by mail address; those of one inner list are on call together. */
  participants: z.array(z.array(z.email()).min(1).max(20)).max(100).default([]),
  /** Each turn lasts so long. Hours are elapsed time; days, weeks and months go by the wall clock. */
  turn: z.strictObject({
    every: z.int().min(1).max(366).default(1),
    unit: z.enum(['hour', 'day', 'week', 'month']),
  }),
  /** The first handoff; the others follow from it at the same time of day. */
  startsAt: wallDateTime,
  endsAt: wallDateTime.optional(),
  /** Of this rotation, where it differs from the schedule's: follow the sun. */
  timeZone: timeZone.optional(),
  /** Only at these times; absent: always. `to` not later than `from` lies on the next day. */
  hours: z
    .array(
      z.strictObject({
        days: z.array(z.enum(weekdays)).min(1),
        from: wallTime,
        to: wallTime,
      }),
    )
    .min(1)
    .max(50)
    .optional(),
  /** Told beside those on call, to learn: does not count as somebody who answers. */
  shadow: z.boolean().default(false),
  /** Instead of turns: shifts come from this calendar (https, iCalendar), each event naming who is on call. */
  calendar: z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(2000) }).optional(),
});
export type Rotation = z.infer<typeof rotation>;

/** Of all rotations of a schedule: more are nobody's plan, and a year of them takes seconds to reckon. */
const mostShiftsPerDay = 200;
const daysOf = { hour: 1 / 24, day: 1, week: 7, month: 28 } as const;

/** Handoffs and openings of hours, each for everybody who is on call together. */
function shiftsPerDay({ turn, hours = [], participants, calendar }: Rotation): number {
  if (calendar) return 0;
  // what is no turn is refused by itself
  const handoffs = 1 / (Math.max(1, turn.every) * daysOf[turn.unit]);
  const openings = hours.reduce((sum, { days }) => sum + new Set(days).size / 7, 0);
  return (handoffs + openings) * Math.max(...participants.map((together) => together.length), 1);
}

export const onCallSchedule = z
  .strictObject({
    timeZone,
    rotations: z.array(rotation).max(50).default([]),
  })
  .superRefine(({ rotations }, context) => {
    const perDay = rotations.reduce((sum, each) => sum + shiftsPerDay(each), 0);
    if (perDay > mostShiftsPerDay) {
      context.addIssue({
        code: 'custom',
        path: ['rotations'],
        message: `they would make ${Math.round(perDay)} shifts a day, and ${mostShiftsPerDay} are the most: hand over less often, or make several schedules`,
      });
    }
    const names = new Set<string>();
    for (const [index, { name, participants, calendar, endsAt, startsAt }] of rotations.entries()) {
      const at = (...path: (string | number)[]) => ['rotations', index, ...path];
      if (names.has(name)) {
        context.addIssue({
          code: 'custom',
          path: at('name'),
          message: `another rotation is called '${name}'`,
        });
      }
      names.add(name);
      if (calendar === undefined && participants.length === 0) {
        context.addIssue({
          code: 'custom',
          path: at('participants'),
          message: 'name who takes turns, or a calendar',
        });
      }
      if (endsAt !== undefined && endsAt <= startsAt) {
        context.addIssue({ code: 'custom', path: at('endsAt'), message: 'the end must lie after the start' });
      }
    }
  });
export type OnCallSchedule = z.infer<typeof onCallSchedule>;

/** Times are epoch milliseconds, half-open: at `to` it is over. */
export interface Override {
  id: string;
  person: string;
  /** Whose shifts are taken over; null: everybody's. */
  insteadOf: string | null;
  from: number;
  to: number;
}

export interface CalendarShift {
  rotation: string;
  person: string;
  from: number;
  to: number;
}

/** All that says who is on call. */
export interface ScheduleFacts {
  name: string;
  definition: OnCallSchedule;
  overrides: Override[];
  calendarShifts: CalendarShift[];
}

/** Somebody answers, or shadows, from `from` to `to`. */
export interface OnCallShift {
  /** Mail address, lower case. */
  person: string;
  /** Empty: an override of everybody, which belongs to no rotation. */
  rotation: string;
  from: number;
  to: number;
  /** The override that put them there; null: the rotation. */
  override: string | null;
  shadow: boolean;
}
