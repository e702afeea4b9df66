import { z } from 'zod';
import { instant } from '../endpoint.ts';
import { onCallShift } from '../on-call-schedules/schema.ts';

export const onCallQuery = z.object({
  at: z.iso
    .datetime({ offset: true, error: "write a time such as '2026-11-23T09:00:00Z'" })
    .optional()
    .meta({ description: 'Default now' }),
});

export const onCallShown = z.object({
  at: instant,
  items: z.array(
    z
      .object({
        schedule: z.string(),
        team: z.string().nullable(),
        shifts: z.array(onCallShift).meta({
          description: 'Each with the whole shift that they are in, shadows too; nobody who answers: a gap',
        }),
        until: instant
          .nullable()
          .meta({ description: 'When others answer, or nobody does; null: not within 400 days' }),
        next: z
          .object({ from: instant, people: z.array(z.string()) })
          .nullable()
          .meta({ description: 'Who answers next, after a gap where there is one' }),
      })
      .meta({ id: 'OnCall' }),
  ),
});
