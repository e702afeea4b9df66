import { z } from 'zod';
import { notificationTypes, previewTypes } from '../../domain/notification.ts';
import { type NotificationChannel, notificationChannel } from '../../domain/notification-channel.ts';
import { readBack } from '../configuration.ts';
import { instant } from '../endpoint.ts';

const asRead = <T extends z.ZodType>(schema: T) =>
  schema.optional().meta({ description: 'Ignored: as read' });
const inbound = z.object({
  what: z.string(),
  url: z.string().meta({ description: 'To be set at the vendor' }),
});
const extra = {
  ...readBack,
  set: asRead(z.array(z.string())),
  checkedAt: asRead(z.string().nullable()),
  health: asRead(z.string().nullable()),
  error: asRead(z.string().nullable()),
  inbound: asRead(z.array(inbound)),
};
const [email, webhook, slack, pagerduty, teams] = notificationChannel.options;

export const notificationChannelBody = z
  .discriminatedUnion('type', [
    email.extend(extra),
    webhook.extend(extra),
    slack.extend(extra),
    // what is hidden and set already need not be sent again
    pagerduty.extend({ ...extra, routingKey: pagerduty.shape.routingKey.optional() }),
    teams.extend({ ...extra, webhookUrl: teams.shape.webhookUrl.optional() }),
  ])
  .transform(
    ({ set: _, checkedAt: __, health: ___, error: ____, inbound: _____, ...channel }) =>
      channel as NotificationChannel,
  )
  .meta({
    id: 'NotificationChannel',
    description:
      "What is hidden (secrets, tokens, addresses that hold one) is never shown again; left out, what is set stays. It may be a reference: 'env:NAME' is the variable HOLDFAST_SECRET_NAME, 'file:NAME' a file in HOLDFAST_SECRETS_DIR, 'ssm:/path' a parameter of AWS",
  });

export const notificationChannelShown = z.object({
  type: z.enum(notificationChannel.options.map((option) => option.shape.type.value)),
  addresses: z.array(z.string()).optional(),
  url: z
    .string()
    .optional()
    .meta({ description: 'Without its path to others than Admins: it may hold a secret' }),
  channel: z.string().optional(),
  notesFrom: z
    .string()
    .optional()
    .meta({ description: 'PagerDuty: mail address of the user there in whose name notes are written' }),
  set: z.array(z.string()).meta({ description: 'Hidden fields that are set' }),
  checkedAt: instant
    .nullable()
    .meta({ description: 'When something was last sent there, to the minute; null: never' }),
  health: z.string().nullable().meta({ description: 'What the channel then said' }),
  error: z.string().nullable().meta({ description: 'Or why it failed' }),
  inbound: z.array(inbound).meta({ description: 'Addresses at which Holdfast hears what people did there' }),
});
export type ChannelShown = z.input<typeof notificationChannelShown>;

export const channelTested = z
  .object({
    ok: z.boolean(),
    destination: z.string().optional().meta({ description: 'Where it has arrived' }),
    reason: z.string().optional().meta({ description: 'Why it has not, and what to do' }),
  })
  .meta({ id: 'ChannelTested' });

export const channelPreviewBody = z.object({
  type: z
    .enum(previewTypes)
    .default('escalation.page')
    .meta({ description: 'About the newest incident; where there is none, the test is shown' }),
});

export const channelPreviewed = z
  .object({
    type: z.enum(notificationTypes),
    text: z.string().meta({ description: 'The text of a mail, else the JSON that would be sent' }),
  })
  .meta({ id: 'ChannelPreview' });

export const channelProbed = z
  .object({
    ok: z.boolean(),
    response: z.string().optional().meta({ description: 'What the other side says' }),
    reason: z.string().optional().meta({ description: 'Why it would take none, and what to do' }),
  })
  .meta({ id: 'ChannelProbed' });
