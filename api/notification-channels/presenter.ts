import { withoutSecret } from '../../db/policies.ts';
import type { NotificationChannel } from '../../domain/notification-channel.ts';
import type { ChannelShown } from './schema.ts';

/** Says that there is a secret, never which. */
export function presentChannel(channel: NotificationChannel): ChannelShown {
  return withoutSecret(channel);
}
