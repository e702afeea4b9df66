import type { Database } from '../../db/database.ts';
import {
  deleteNotificationChannel,
  getNotificationChannel,
  listNotificationChannels,
  putNotificationChannel,
} from '../../db/policies.ts';
import type { NotificationChannel } from '../../domain/notification-channel.ts';
import { configurationEndpoints } from '../configuration.ts';
import type { Endpoint } from '../endpoint.ts';
import { presentChannel } from './presenter.ts';
import { type ChannelShown, notificationChannelBody, notificationChannelShown } from './schema.ts';

export function notificationChannelEndpoints(deps: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return configurationEndpoints<NotificationChannel, ChannelShown>(
    {
      plural: 'notification-channels',
      singular: 'notification channel',
      tag: 'Notification channels',
      body: notificationChannelBody,
      shown: notificationChannelShown,
      present: presentChannel,
      list: listNotificationChannels,
      get: getNotificationChannel,
      put: putNotificationChannel,
      remove: deleteNotificationChannel,
    },
    deps,
  );
}
