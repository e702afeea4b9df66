import { z } from 'zod';
import { durationText } from './duration-text.ts';
import { severities } from './severity.ts';

/** Who is told at a level: a mail address, a notification channel by name, or a user by mail address. */
export const escalationTarget = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('email'), address: z.email() }),
  z.strictObject({ type: z.literal('channel'), name: z.string().min(1) }),
  z.strictObject({ type: z.literal('user'), email: z.email() }),
]);
export type EscalationTarget = z.infer<typeof escalationTarget>;

/** Matching takes up to pattern × text steps. */
export const glob = z.string().max(500, 'write at most 500 characters');

/** What incidents are chosen by; `service` and `alert` are globs. */
export const incidentMatch = z.strictObject({
  severity: z.enum(severities).optional(),
  service: glob.optional(),
  alert: glob.optional(),
});
export type IncidentMatch = z.infer<typeof incidentMatch>;

/**
 * `after` counts from the incident's opening. `repeats` are further passes, each beginning `repeatAfter`
 * (default: the last level's `after`, at least a minute) after the last level.
 */
export const escalationPolicy = z.strictObject({
  levels: z
    .array(z.strictObject({ after: durationText, targets: z.array(escalationTarget).min(1).max(20) }))
    .min(1)
    .max(20),
  repeats: z.int().min(0).max(20).default(0),
  repeatAfter: durationText.optional(),
  /** Incidents that it is for; the policy `default` takes what no other matches. */
  match: incidentMatch.optional(),
});
export type EscalationPolicy = z.infer<typeof escalationPolicy>;

/** The first policy by `order` whose `match` holds sets the clocks. `alert` and `service` are globs. */
export const slaPolicy = z.strictObject({
  order: z.int().min(0).max(10_000).default(100),
  match: incidentMatch.default({}),
  acknowledgeWithin: durationText,
  resolveWithin: durationText,
});
export type SlaPolicy = z.infer<typeof slaPolicy>;

/** Where messages go. `secret` signs a webhook's body (X-Holdfast-Signature) and is never shown again. */
export const notificationChannel = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('webhook'),
    url: z.url({ protocol: /^https?$/ }),
    secret: z.string().min(8).optional(),
  }),
  z.strictObject({ type: z.literal('email'), addresses: z.array(z.email()).min(1).max(20) }),
]);
export type NotificationChannel = z.infer<typeof notificationChannel>;
