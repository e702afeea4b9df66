import { z } from 'zod';
import { weekdays } from '../oncall/schedule.ts';
import { glob } from '../policies.ts';
import { timeZone } from '../time-zone.ts';

const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "write a time of day such as '02:00'");

/** Alerts that nobody is to be told of for a while. They are received, correlated and shown as ever. */
export const silence = z
  .strictObject({
    /** All must hold; label values, service and alert name are globs. */
    match: z
      .strictObject({
        service: glob.optional(),
        alert: glob.optional(),
        labels: z.record(z.string().max(200), glob).optional(),
      })
      .refine(
        ({ service, alert, labels }) =>
          service !== undefined || alert !== undefined || Object.keys(labels ?? {}).length > 0,
        'name a service, an alert or a label: what catches everything is no silence',
      ),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
    /** Only at these times between start and end; absent: all the while. `to` not later than `from` is on the next day. */
    weekly: z
      .strictObject({ timeZone, days: z.array(z.enum(weekdays)).min(1), from: wallTime, to: wallTime })
      .optional(),
    /** Slug; null: everybody's. */
    team: z.string().max(100).nullable().default(null),
    reason: z.string().trim().min(1, 'say why').max(500),
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > Date.parse(startsAt), {
    path: ['endsAt'],
    message: 'the end must lie after the start',
  });
export type Silence = z.infer<typeof silence>;
