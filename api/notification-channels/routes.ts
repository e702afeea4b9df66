import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import {
  deleteNotificationChannel,
  getNotificationChannel,
  listNotificationChannels,
  type NotificationChannelRow,
  putNotificationChannel,
} from '../../db/policies.ts';
import { believedBy, channelKindNames, type NotificationChannel } from '../../domain/notification-channel.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { ForbiddenError } from '../auth/errors.ts';
import { mayOn, type Principal, scopeOf } from '../auth/principal.ts';
import { configurationEndpoints, configurationParams } from '../configuration.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { ConflictError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { presentChannel } from './presenter.ts';
import {
  type ChannelShown,
  channelPreviewBody,
  channelPreviewed,
  channelProbed,
  channelTested,
  notificationChannelBody,
  notificationChannelShown,
} from './schema.ts';

const tag = 'Notification channels';
const errors = { 404: 'No notification channel of this name', 503: 'Temporal does not answer' };

export function notificationChannelEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
  publicUrl: string;
}): Endpoint[] {
  const { db, messages, publicUrl } = deps;

  async function requireChannel(principal: Principal, name: string): Promise<void> {
    const channel = await db.read(scopeOf(principal), (tx) => getNotificationChannel(tx, name));
    if (!channel) throw new NotFoundError(`notification channel '${name}'`);
  }

  return [
    ...configurationEndpoints<NotificationChannel, ChannelShown, NotificationChannelRow>(
      {
        plural: 'notification-channels',
        singular: 'notification channel',
        tag,
        body: notificationChannelBody,
        shown: notificationChannelShown,
        present: (_definition, row, reader) =>
          presentChannel(row, publicUrl, { addresses: mayOn(reader, 'admin', null) }),
        list: listNotificationChannels,
        get: getNotificationChannel,
        put: (tx, change) => putNotificationChannel(tx, change).catch(refuseIncomplete),
        assertMayPut,
        remove: deleteNotificationChannel,
      },
      deps,
    ),
    personEndpoint({
      method: 'post',
      path: '/api/v1/notification-channels/{name}/test',
      tag,
      summary: 'Send a test through the channel, and say what came of it',
      access: 'admin',
      params: configurationParams,
      status: 200,
      response: channelTested,
      errors,
      handle: async ({ principal, params: { name: channel } }) => {
        await requireChannel(principal, channel);
        const { orgId, email: requestedBy } = principal;
        return await messages.testChannel(orgId, { channel, requestedBy });
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/notification-channels/{name}/probe',
      tag,
      summary: 'Ask whether the channel would take messages, as far as that shows without sending one',
      access: 'admin',
      params: configurationParams,
      status: 200,
      response: channelProbed,
      errors,
      handle: async ({ principal, params: { name: channel } }) => {
        await requireChannel(principal, channel);
        return await messages.probeChannel(principal.orgId, channel);
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/notification-channels/{name}/preview',
      tag,
      summary: 'Show what would be sent through the channel; sends nothing',
      access: 'admin',
      params: configurationParams,
      body: channelPreviewBody,
      status: 200,
      response: channelPreviewed,
      errors: { ...errors, 409: 'The channel lacks something' },
      handle: async ({ principal, params: { name: channel }, body: { type } }) => {
        await requireChannel(principal, channel);
        const preview = await messages.previewChannel(principal.orgId, { channel, type });
        if (!preview.ok) throw new ConflictError(preview.reason);
        return { type: preview.type, text: preview.text };
      },
    }),
  ];
}

function assertMayPut(principal: Principal, channel: NotificationChannel): void {
  const field = believedBy[channel.type];
  if (field === undefined || !(field in channel) || mayOn(principal, 'owner', null)) return;
  throw new ForbiddenError(
    `${field} needs the role owner, since whoever knows it can speak for anybody in ${channelKindNames[channel.type]}: leave it out, what is set stays`,
  );
}

/** What is hidden may be left out where it is set: whether it is shows when both are put together. */
function refuseIncomplete(error: unknown): never {
  if (!(error instanceof z.ZodError)) throw error;
  throw new InvalidRequestError(
    error.issues.map(({ path, message }) => ({ field: path.map(String).join('.'), message })),
  );
}
