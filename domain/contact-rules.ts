import { z } from 'zod';
import { durationText } from './duration-text.ts';
import { type Severity, severities } from './severity.ts';

/** One way to reach a person. */
export const contactMethod = z.discriminatedUnion('type', [
  /** Without `address` the one that they sign in with. */
  z.strictObject({ type: z.literal('email'), address: z.email().optional() }),
  /** A direct message by the bot of this notification channel; needs their Slack user to be known. */
  z.strictObject({ type: z.literal('slack'), channel: z.string().min(1).max(100) }),
  /** Whatever a notification channel reaches, such as their own webhook. */
  z.strictObject({ type: z.literal('channel'), name: z.string().min(1).max(100) }),
]);
export type ContactMethod = z.infer<typeof contactMethod>;

/** `after` counts from the moment at which the level pages the person. */
export const contactStep = z.strictObject({ after: durationText.default('0s'), method: contactMethod });
export type ContactStep = z.infer<typeof contactStep>;

/** How a person is reached, first match wins; what no rule matches comes as a mail at once. */
export const contactRules = z
  .array(
    z.strictObject({
      /** Absent: all. */
      severities: z.array(z.enum(severities)).min(1).optional(),
      steps: z.array(contactStep).min(1, 'name at least one way to be reached').max(10),
    }),
  )
  .max(10);
export type ContactRules = z.infer<typeof contactRules>;

const byMail: ContactStep[] = [{ after: '0s', method: { type: 'email' } }];

export function contactStepsFor(rules: ContactRules, severity: Severity): ContactStep[] {
  return (
    rules.find(({ severities: named }) => named === undefined || named.includes(severity))?.steps ?? byMail
  );
}
