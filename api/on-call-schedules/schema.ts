import { z } from 'zod';
import { onCallSchedule, rotation } from '../../domain/oncall/schedule.ts';
import { readBack } from '../configuration.ts';
import { instant } from '../endpoint.ts';

const team = z
  .string()
  .max(100)
  .nullable()
  .default(null)
  .meta({ description: 'Slug of the team that it belongs to; null: the whole organization' });

export const onCallScheduleBody = onCallSchedule.safeExtend({ team, ...readBack }).meta({
  id: 'OnCallSchedule',
  description:
    'Who is on call: rotations by the wall clock of their zone; of those that have anybody at a moment the highest priority answers',
});
export const onCallScheduleShown = z.object({
  team: z.string().nullable(),
  timeZone: z.string(),
  rotations: z
    .array(rotation)
    .meta({ description: 'Addresses of calendars are shown to Admins; to others without their path' }),
});

export const onCallScheduleParams = z.object({ name: z.string().max(100) });

// ---- shifts ----

const dayMs = 86_400_000;
const longestDays = 400;
const usualDays = 28;

/** Refused where `to` does not lie after `from`, or too far. Defaults: now, and four weeks. */
export const shiftsQuery = z.object({
  from: z.iso
    .datetime({ offset: true, error: "write a time such as '2026-11-23T09:00:00Z'" })
    .optional()
    .meta({ description: 'Default now' }),
  to: z.iso
    .datetime({ offset: true, error: "write a time such as '2026-11-23T09:00:00Z'" })
    .optional()
    .meta({ description: `Default ${usualDays} days after \`from\`, at most ${longestDays}` }),
});

/** Epoch milliseconds of a `shiftsQuery`; a sentence where they make no time. */
export function spanOf(
  query: z.output<typeof shiftsQuery>,
  now: number,
): { from: number; to: number } | string {
  const from = query.from === undefined ? now : Date.parse(query.from);
  const to = query.to === undefined ? from + usualDays * dayMs : Date.parse(query.to);
  if (to <= from) return 'write a time after `from`';
  if (to - from > longestDays * dayMs) return `write a time at most ${longestDays} days after \`from\``;
  return { from, to };
}

export const onCallShift = z
  .object({
    person: z.string().meta({ description: 'Mail address' }),
    rotation: z.string().nullable().meta({ description: 'Null: an override of everybody' }),
    from: instant,
    to: instant,
    override: z.uuid().nullable().meta({ description: 'The override that put them there' }),
    shadow: z
      .boolean()
      .meta({ description: 'Told beside those on call, does not count as somebody who answers' }),
  })
  .meta({ id: 'OnCallShift' });

export const shiftsShown = z.object({
  from: instant,
  to: instant,
  shifts: z.array(onCallShift).meta({ description: 'In the order of time, cut at `from` and `to`' }),
  gaps: z.array(z.object({ from: instant, to: instant })).meta({ description: 'When nobody is on call' }),
  overlaps: z
    .array(
      z.object({ from: instant, to: instant, rotations: z.array(z.string()), people: z.array(z.string()) }),
    )
    .meta({ description: 'When rotations of one priority have different people on call together' }),
});

// ---- health ----

export const scheduleHealthShown = z
  .object({
    calendars: z.array(
      z.object({
        rotation: z.string(),
        url: z.string().meta({ description: 'Without its path, which is a secret as often as not' }),
        checkedAt: instant.nullable(),
        readAt: instant.nullable().meta({ description: 'When what is known of it was read' }),
        error: z
          .string()
          .nullable()
          .meta({ description: 'Why the newest reading failed; earlier shifts stay' }),
        shifts: z.int(),
        unmatched: z.array(z.string()).meta({ description: 'What events name that is no user here' }),
      }),
    ),
    disabled: z.array(z.string()).meta({ description: 'Who takes turns and was disabled' }),
  })
  .meta({ id: 'OnCallScheduleHealth' });

export const readingAsked = z
  .object({ name: z.string() })
  .meta({ description: 'What came of it stands in the health of the schedule' });

// ---- overrides ----

export const overrideParams = z.object({
  ...onCallScheduleParams.shape,
  id: z.uuid('write the id of an override'),
});

const longestOverrideDays = 366;
const overrideTime = z.iso
  .datetime({ offset: true, error: "write a time such as '2026-11-23T09:00:00Z'" })
  .transform((text) => new Date(text));

export const overrideBody = z
  .strictObject({
    person: z.email().optional().meta({ description: 'Who takes over; default whoever asks' }),
    insteadOf: z
      .email()
      .nullable()
      .default(null)
      .meta({ description: 'Whose shifts are taken over; null: everybody is replaced' }),
    startsAt: overrideTime,
    endsAt: overrideTime,
    reason: z.string().trim().max(500).default(''),
  })
  .superRefine(({ startsAt, endsAt, person, insteadOf }, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (endsAt <= startsAt) refuse('endsAt', 'the end must lie after the start');
    if (endsAt.getTime() - startsAt.getTime() > longestOverrideDays * dayMs) {
      refuse('endsAt', `an override lasts ${longestOverrideDays} days at most: change a rotation instead`);
    }
    if (person !== undefined && person.toLowerCase() === insteadOf?.toLowerCase()) {
      refuse('insteadOf', 'they would take over from themselves: name another, or null for everybody');
    }
  });

export const overrideShown = z
  .object({
    id: z.uuid(),
    schedule: z.string(),
    person: z.string(),
    insteadOf: z.string().nullable(),
    startsAt: instant,
    endsAt: instant,
    reason: z.string(),
    createdBy: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'OnCallOverride', description: 'Of two at the same time the one that was made later counts' });
