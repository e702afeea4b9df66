import { z } from 'zod';

/** `action_id` of the buttons and menus in Holdfast's messages. */
export const slackActions = [
  'holdfast.acknowledge',
  'holdfast.view',
  'holdfast.run',
  'holdfast.approve',
  'holdfast.reject',
  'holdfast.false_positive',
] as const;
export type SlackAction = (typeof slackActions)[number];

/**
 * `value` of a button, as JSON: what it acts on, and as of what the reader saw. Slack takes 2,000 characters. It grants
 * nothing: who presses is known from Slack's signature and the linked account.
 */
export const slackActionValue = z.object({
  /** Of the incident. */
  number: z.int().positive().optional(),
  /** `recordedSeq` of the incident. */
  asOf: z.int().min(0).optional(),
  /** Of the incident: 1, and one more with each reopening. */
  opening: z.int().min(1).optional(),
  executionId: z.uuid().optional(),
  approvalId: z.uuid().optional(),
  runbook: z.string().max(200).optional(),
});
export type SlackActionValue = z.infer<typeof slackActionValue>;
