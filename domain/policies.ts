import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { durationText } from './duration-text.ts';
import { severities } from './severity.ts';

/**
 * Who is told at a level: a mail address, a notification channel by name, a user by mail address (as their contact rules
 * say), or whoever is on call by a schedule.
 */
export const escalationTarget = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('email'), address: z.email() }),
  z.strictObject({ type: z.literal('channel'), name: z.string().min(1) }),
  z.strictObject({ type: z.literal('user'), email: z.email() }),
  z.strictObject({ type: z.literal('schedule'), name: z.string().min(1) }),
]);
export type EscalationTarget = z.infer<typeof escalationTarget>;

/** Matching takes up to pattern × text steps. */
export const glob = z.string().max(500, 'write at most 500 characters');

/** What incidents are chosen by; `service`, `alert` and the values of `labels` are globs, `team` is a slug. */
export const incidentMatch = z.strictObject({
  severity: z.enum(severities).optional(),
  service: glob.optional(),
  alert: glob.optional(),
  team: z.string().max(100).optional(),
  labels: z.record(z.string().max(200), glob).optional(),
});
export type IncidentMatch = z.infer<typeof incidentMatch>;

/** For how long an acknowledged incident may be quiet: shorter, whoever has it could not even read. */
const quietTime = durationText.refine(
  (text) => (parseDuration(text) ?? 60_000) >= 60_000,
  'write at least a minute',
);

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
  /** Acknowledged, and nothing has happened for so long: whoever acknowledged is reminded. */
  remindAfter: quietTime.optional(),
  /** Acknowledged, and nothing has happened for so long: the acknowledgement is taken back, escalation begins anew. */
  unacknowledgeAfter: quietTime.optional(),
  /** Incidents that it is for; the policy `default` takes what no other matches. */
  match: incidentMatch.optional(),
});
export type EscalationPolicy = z.infer<typeof escalationPolicy>;

/** The first policy by `order` whose `match` holds sets the clocks. */
export const slaPolicy = z.strictObject({
  order: z.int().min(0).max(10_000).default(100),
  match: incidentMatch.default({}),
  acknowledgeWithin: durationText,
  resolveWithin: durationText,
  /** When the clocks run: an SLA calendar by name, or '24x7'. */
  calendar: z.string().min(1).max(100).default('24x7'),
  /** When so much of its time is over, a clock is at risk. */
  atRiskPercent: z.int().min(10).max(99).default(80),
});
export type SlaPolicy = z.infer<typeof slaPolicy>;
