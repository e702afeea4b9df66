import { z } from 'zod';
import { notificationChannel } from '../../domain/policies.ts';
import { readBack } from '../configuration.ts';

const [webhook, email] = notificationChannel.options;
const hasSecret = z.boolean();

export const notificationChannelBody = z
  .discriminatedUnion('type', [
    webhook.extend({
      ...readBack,
      hasSecret: hasSecret.optional().meta({ description: 'Ignored: as read' }),
    }),
    email.extend(readBack),
  ])
  .transform((channel) => {
    if (channel.type !== 'webhook') return channel;
    const { hasSecret: _, ...definition } = channel;
    return definition;
  })
  .meta({
    id: 'NotificationChannel',
    description:
      '`secret` signs a webhook and is never shown again; left out for the same url, the present one stays',
  });

export const notificationChannelShown = z.object({
  type: z.enum(['webhook', 'email']),
  url: z.string().optional(),
  hasSecret: hasSecret.optional(),
  addresses: z.array(z.string()).optional(),
});
export type ChannelShown = z.input<typeof notificationChannelShown>;
