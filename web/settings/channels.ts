import { type Request, type Response, Router } from 'express';
import {
  deleteNotificationChannel,
  getNotificationChannel,
  InUseError,
  listNotificationChannels,
  putNotificationChannel,
} from '../../db/policies.ts';
import { channelKindNames, type NotificationChannel } from '../../domain/notification-channel.ts';
import type { WebDeps } from '../deps.ts';
import type { Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  type ChannelValues,
  channelFormView,
  channelValues,
  postedChannel,
  readChannel,
} from './channel-form.ts';

const base = '/settings/channels';

function goesTo(channel: NotificationChannel): string {
  switch (channel.type) {
    case 'email':
      return channel.addresses.join(', ');
    case 'webhook':
      return channel.url;
    case 'slack':
      return channel.channel ?? 'the channel of its incoming webhook';
    case 'pagerduty':
      return 'the service of its routing key';
    case 'teams':
      return 'the channel of its workflow';
  }
}

export function channelRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const channels = await deps.db.read(visitorOf(request).scope, listNotificationChannels);
    await pages.show(request, response, {
      template: 'settings/channel-list',
      view: {
        channels: channels.map(({ name, definition }) => ({
          name,
          href: `${base}/${encodeURIComponent(name)}`,
          type: channelKindNames[definition.type],
          goesTo: goesTo(definition),
          signed: definition.type === 'webhook' ? (definition.secret ? 'yes' : 'no') : '–',
        })),
      },
      title: 'Channels',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    const values = { name: '', type: 'webhook', url: '', secret: '', addresses: '' };
    await form(request, response, values, {}, null);
  });

  router.get(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const channel = await find(request, name);
    if (!channel) throw new NotFoundError(`There is no channel ${name}.`);
    await form(request, response, channelValues(name, channel.definition), {}, channel.definition);
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    const values = postedChannel(request.body);
    const taken = await find(request, values.name);
    if (taken) {
      await form(request, response, values, { name: 'There is one of this name.' }, null);
      return;
    }
    await save(request, response, values, null);
  });

  router.post(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const channel = await find(request, name);
    if (!channel) throw new NotFoundError(`There is no channel ${name}.`);
    await save(request, response, { ...postedChannel(request.body), name }, channel.definition);
  });

  router.post(`${base}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    try {
      await deps.db.write(scope, (tx) => deleteNotificationChannel(tx, { orgId, name, actor: email }));
      setFlash(response, 'good', `The channel ${name} is deleted.`);
    } catch (error) {
      if (!(error instanceof InUseError)) throw error;
      setFlash(response, 'bad', `Not deleted: ${error.message}`);
    }
    response.redirect(303, base);
  });

  type Existing = Parameters<typeof channelValues>[1] | null;

  async function find(request: Request, name: string) {
    return await deps.db.read(visitorOf(request).scope, (tx) => getNotificationChannel(tx, name));
  }

  async function save(request: Request, response: Response, values: ChannelValues, existing: Existing) {
    const { scope, orgId, email } = visitorOf(request);
    const read = readChannel(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, existing);
      return;
    }
    const { definition } = read;
    await deps.db.write(scope, (tx) =>
      putNotificationChannel(tx, { orgId, name: values.name, definition, actor: email }),
    );
    setFlash(response, 'good', `The channel ${values.name} is saved.`);
    response.redirect(303, base);
  }

  async function form(
    request: Request,
    response: Response,
    values: ChannelValues,
    problems: Problems,
    existing: Existing,
  ): Promise<void> {
    const hasSecret = existing?.type === 'webhook' && existing.secret !== undefined;
    await pages.show(request, response, {
      template: 'settings/channel-form',
      view: { form: channelFormView(values, problems, existing !== null, hasSecret) },
      title: existing ? `Channel ${values.name}` : 'New channel',
      section: 'settings',
      narrow: true,
      status: Object.keys(problems).length > 0 ? 422 : 200,
    });
  }

  return router;
}
