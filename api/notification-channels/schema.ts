import { z } from 'zod';
import { type NotificationChannel, notificationChannel } from '../../domain/notification-channel.ts';
import { readBack } from '../configuration.ts';

const extra = {
  ...readBack,
  set: z.array(z.string()).optional().meta({ description: 'Ignored: as read' }),
};
const [email, webhook, slack, pagerduty, teams] = notificationChannel.options;

export const notificationChannelBody = z
  .discriminatedUnion('type', [
    email.extend(extra),
    webhook.extend(extra),
    slack.extend(extra),
    pagerduty.extend(extra),
    teams.extend(extra),
  ])
  .transform(({ set: _, ...channel }) => channel as NotificationChannel)
  .meta({
    id: 'NotificationChannel',
    description:
      'What is hidden (secrets, tokens, addresses that hold one) is never shown again; left out, what is set stays',
  });

export const notificationChannelShown = z.object({
  type: z.enum(notificationChannel.options.map((option) => option.shape.type.value)),
  addresses: z.array(z.string()).optional(),
  url: z.string().optional(),
  channel: z.string().optional(),
  set: z.array(z.string()).meta({ description: 'Hidden fields that are set' }),
});
export type ChannelShown = z.input<typeof notificationChannelShown>;
