import { z } from 'zod';
import { notificationTypes } from '../../domain/notification.ts';
import { anyOf, instant, pageQuery } from '../endpoint.ts';

const statuses = ['started', 'sent', 'failed', 'skipped'] as const;

export const notificationParams = z.object({ id: z.coerce.number().int().min(1) });

export const notificationQuery = z.object({
  ...pageQuery,
  status: anyOf(statuses).optional(),
  type: anyOf(notificationTypes).optional(),
  person: z.email().optional().meta({ description: 'Whom it was to reach' }),
  destination: z.string().max(500).optional().meta({ description: 'As the log says it' }),
  incident: z.coerce
    .number()
    .int()
    .min(1)
    .max(2_147_483_647)
    .optional()
    .meta({ description: "The incident's number" }),
});

export const notificationShown = z
  .object({
    id: z.int(),
    key: z.string().meta({ description: 'The idempotency key under which receivers got it' }),
    type: z.string(),
    channel: z.string(),
    destination: z.string(),
    person: z.string().nullable().meta({ description: 'Mail address; null: a channel' }),
    subject: z.string(),
    status: z.enum(statuses),
    attempts: z.int(),
    error: z.string().nullable().meta({ description: 'What went wrong, or why nothing was sent' }),
    createdAt: instant,
    finishedAt: instant.nullable(),
    latencyMs: z
      .int()
      .nullable()
      .meta({ description: 'From the moment at which it was due to the moment at which it was handed over' }),
    incident: z.object({ number: z.int(), title: z.string() }).nullable(),
    execution: z.object({ id: z.uuid(), runbook: z.string() }).nullable(),
    consolidatedInto: z
      .int()
      .nullable()
      .meta({ description: 'The message that says it with others, where there were too many' }),
    partOf: z
      .int()
      .nullable()
      .meta({ description: 'Of a later one that says many in one: the first, which the others name' }),
  })
  .meta({ id: 'Notification' });

const cause = z.looseObject({
  event: z.string(),
  at: instant,
  seq: z.int().optional().meta({ description: "Number of the event, as the incident's timeline has it" }),
  policy: z.string().optional(),
  level: z.int().optional(),
  pass: z.int().optional(),
  round: z.int().optional(),
  levelDueAt: instant
    .optional()
    .meta({ description: 'When the level came due; a later step of contact rules is due after that' }),
  step: z.int().optional().meta({ description: "Of the person's contact rules" }),
  entry: z
    .object({
      schedule: z.string(),
      rotation: z.string(),
      from: instant,
      to: instant,
      override: z.boolean(),
      shadow: z.boolean(),
    })
    .optional(),
  held: z
    .array(
      z.object({
        kind: z.enum(['snooze', 'silence']),
        until: instant,
        by: z.string().optional().meta({ description: 'Who snoozed' }),
        names: z.array(z.string()).optional().meta({ description: 'Of the silences' }),
      }),
    )
    .optional()
    .meta({ description: 'What held the level back since escalation began, the last few' }),
  rule: z.object({ name: z.string(), reasons: z.array(z.string()) }).optional(),
  instead: z.string().optional().meta({ description: 'What was tried before and failed' }),
});

export const explainedNotification = notificationShown
  .extend({
    why: z.array(z.string()).meta({ description: 'Why it was sent, in sentences; times are in UTC' }),
    cause: cause.nullable().meta({ description: 'Null: sent before causes were written down' }),
    workflow: z
      .object({
        id: z.string(),
        url: z.string().nullable().meta({ description: 'Its page in the Temporal UI' }),
        event: z
          .object({ runId: z.string(), id: z.int(), at: instant })
          .nullable()
          .meta({ description: 'The event of its own history that scheduled the message' }),
        note: z.string().nullable().meta({ description: 'Why there is no event' }),
      })
      .nullable(),
  })
  .meta({ id: 'ExplainedNotification', description: "A message of the log, and 'why was I paged?'" });
