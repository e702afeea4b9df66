import { z } from 'zod';
import { instant } from '../endpoint.ts';

export const pagerDutyParams = z.object({
  id: z
    .uuid('write the id that the address of the channel has')
    .meta({ description: 'Of the notification channel' }),
});

const reference = z.object({
  id: z.string().max(100),
  type: z.string(),
  summary: z.string().max(500).optional(),
});

/** https://developer.pagerduty.com/docs/webhooks-overview: what Holdfast reads of a payload. */
export const pagerDutyPayload = z.object({
  event: z.object({
    id: z.string().min(1).max(200),
    event_type: z.string(),
    agent: reference.nullish(),
    data: z.object({
      id: z.string().max(100).optional(),
      /** The dedup_key of the event that opened it. */
      incident_key: z.string().max(255).nullish(),
      /** Of a note. */
      incident: reference.optional(),
      content: z.string().optional(),
      /** Whether PagerDuty sends the beginning alone. */
      trimmed: z.boolean().optional(),
    }),
  }),
});
export type PagerDutyEvent = z.infer<typeof pagerDutyPayload>['event'];

export const pagerDutyHeaders = z.object({
  'x-pagerduty-signature': z
    .string()
    .meta({ description: "`v1=` and the hex HMAC-SHA256 of the body, several with ','" }),
});

export const pagerDutyAnswer = z
  .object({
    done: z.boolean().meta({ description: 'Whether something came of it here' }),
    reason: z.string(),
  })
  .meta({ id: 'PagerDutyWebhookAnswer' });

export const pagerDutyPersonParams = z.object({
  externalId: z
    .string()
    .regex(
      /^[A-Z0-9]{1,50}$/,
      "write the id that stands in the address of the user's page at PagerDuty, such as 'PXPGF42'",
    )
    .meta({ description: 'Of the user at PagerDuty' }),
});

export const pagerDutyPersonBody = z.object({
  email: z.email().meta({ description: 'Of the user here' }),
  name: z.string().max(200).default('').meta({ description: 'How they are called there' }),
});

export const pagerDutyPerson = z
  .object({ externalId: z.string(), name: z.string(), email: z.string(), linkedAt: instant })
  .meta({ id: 'PagerDutyPerson' });
