import { z } from 'zod';

/** The key in `settings` under which an organization keeps `chatSettings`. */
export const chatSettingsKey = 'chat';

/** When a channel is sent a summary. */
export const summarySpans = ['day', 'week'] as const;
export type SummarySpan = (typeof summarySpans)[number];

/** How people are known in chat, and which channels get summaries; what is absent is off. */
export const chatSettings = z.strictObject({
  /**
   * Somebody who is not linked acts as the user with the mail address that Slack has confirmed for them: whoever runs the
   * workspace then says who is who.
   */
  linkByEmail: z.boolean().optional(),
  /** By name of a channel of Slack or Teams. */
  summaries: z.record(z.string().max(200), z.array(z.enum(summarySpans)).max(2)).optional(),
});
export type ChatSettings = z.infer<typeof chatSettings>;
