import { z } from 'zod';

/** Hidden: written once, never shown. The thing itself or where it is kept: 'env:SLACK_TOKEN', 'file:slack', 'ssm:/slack'. */
const hidden = z.string().min(8).max(4000);
const https = z.url({ protocol: /^https?$/ }).max(2000);

/** Where messages go. */
export const notificationChannel = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('email'), addresses: z.array(z.email()).min(1).max(20) }),
  /** `secret` signs the body (X-Holdfast-Signature). */
  z.strictObject({ type: z.literal('webhook'), url: https, secret: hidden.optional() }),
  /**
   * By a bot (`token`, `channel`): buttons, updates in place, direct messages. By an incoming webhook (`webhookUrl`): only
   * messages. `signingSecret` is of the Slack app that sends back what people press and ask.
   */
  z.strictObject({
    type: z.literal('slack'),
    token: hidden.optional(),
    channel: z.string().min(1).max(80).optional(),
    webhookUrl: hidden.optional(),
    signingSecret: hidden.optional(),
  }),
  /**
   * Events API v2; `webhookSecret` is of the webhook subscription (v3) by which PagerDuty says what people did there.
   * By `apiToken`, an access key of the REST API, notes are written there, in the name of the user with the mail address
   * `notesFrom`: both or neither.
   */
  z.strictObject({
    type: z.literal('pagerduty'),
    routingKey: hidden,
    webhookSecret: hidden.optional(),
    apiToken: hidden.optional(),
    notesFrom: z.email().max(320).optional(),
  }),
  /** A Workflows webhook of Microsoft Teams, which posts adaptive cards. */
  z.strictObject({ type: z.literal('teams'), webhookUrl: hidden }),
]);

/** What is put together from what was there and what is new: with all that belongs together. */
export const completeChannel = notificationChannel.superRefine((channel, context) => {
  if (channel.type !== 'pagerduty') return;
  const { apiToken, notesFrom } = channel;
  if (apiToken !== undefined && notesFrom === undefined) {
    const message = 'write the mail address of the PagerDuty user in whose name apiToken writes notes';
    context.addIssue({ code: 'custom', path: ['notesFrom'], message });
  }
  if (notesFrom !== undefined && apiToken === undefined) {
    const message = 'write the API access key by which notes are written, or leave notesFrom out';
    context.addIssue({ code: 'custom', path: ['apiToken'], message });
  }
});
export type NotificationChannel = z.infer<typeof notificationChannel>;
export type ChannelKind = NotificationChannel['type'];

/** For people. */
export const channelKindNames: Record<ChannelKind, string> = {
  email: 'E-mail',
  webhook: 'Webhook',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  teams: 'Microsoft Teams',
};

export const hiddenFields = {
  email: [],
  webhook: ['secret'],
  slack: ['token', 'webhookUrl', 'signingSecret'],
  pagerduty: ['routingKey', 'webhookSecret', 'apiToken'],
  teams: ['webhookUrl'],
} as const satisfies Record<ChannelKind, readonly string[]>;

/**
 * The hidden field by which a vendor is believed where it says what people did there. Whoever knows its value can speak,
 * and vote, for everybody who is known at the vendor.
 */
export const believedBy: Partial<Record<ChannelKind, 'signingSecret' | 'webhookSecret'>> = {
  slack: 'signingSecret',
  pagerduty: 'webhookSecret',
};
