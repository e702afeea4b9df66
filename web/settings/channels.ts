import { type Request, type Response, Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import {
  deleteNotificationChannel,
  getNotificationChannel,
  listNotificationChannels,
  type NotificationChannelRow,
  putNotificationChannel,
} from '../../db/policies.ts';
import { believedBy, channelKindNames } from '../../domain/notification-channel.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { deleteNamed } from '../named-configuration.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  channelsPath as base,
  type ChannelValues,
  channelFormView,
  channelKindOf,
  channelKinds,
  channelValues,
  hiddenSet,
  newChannel,
  postedChannel,
  readChannel,
} from './channel-form.ts';
import { goesTo, healthMark, setUpOf } from './channel-words.ts';

export function channelRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const channels = await deps.db.read(visitorOf(request).scope, listNotificationChannels);
    await pages.show(request, response, {
      template: 'settings/channel-list',
      view: {
        channels: channels.map(channelRow),
        kinds: channelKinds.map((kind) => ({
          name: channelKindNames[kind],
          href: `${base}/new?kind=${kind}`,
        })),
      },
      title: 'Channels',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    const kind = channelKindOf(String(request.query.kind)) ?? 'webhook';
    await form(request, response, newChannel(kind), {}, null);
  });

  router.get(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const row = await present(request);
    await form(request, response, channelValues(row.name, row.definition), {}, row);
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    const values = postedChannel(request.body);
    if (await find(request, values.name)) {
      await form(request, response, values, { name: 'There is one of this name.' }, null);
      return;
    }
    await save(request, response, values, null);
  });

  router.post(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const row = await present(request);
    const values = { ...postedChannel(request.body), name: row.name, kind: row.definition.type };
    await save(request, response, values, row);
  });

  router.post(`${base}/:name/test`, requireRole('admin'), async (request, response) => {
    const { orgId, email: requestedBy } = visitorOf(request);
    const { name } = await present(request);
    const outcome = await deps.messages.testChannel(orgId, { channel: name, requestedBy });
    if (outcome.ok) setFlash(response, 'good', `The test has arrived: ${outcome.destination}.`);
    else setFlash(response, 'bad', `The test did not get through: ${outcome.reason}`.slice(0, 400));
    response.redirect(303, `${base}/${encodeURIComponent(name)}`);
  });

  router.post(`${base}/:name/preview`, requireRole('admin'), async (request, response) => {
    const row = await present(request);
    const { orgId } = visitorOf(request);
    const outcome = await deps.messages.previewChannel(orgId, {
      channel: row.name,
      type: 'escalation.page',
    });
    const preview = outcome.ok
      ? { text: outcome.text, problem: null }
      : { text: null, problem: outcome.reason };
    await form(request, response, channelValues(row.name, row.definition), {}, row, preview);
  });

  router.post(`${base}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await deleteNamed(response, {
      remove: () =>
        deps.db.write(scope, (tx) => deleteNotificationChannel(tx, { orgId, name, actor: email })),
      done: `The channel ${name} is deleted.`,
    });
    response.redirect(303, base);
  });

  async function find(request: Request, name: string): Promise<NotificationChannelRow | undefined> {
    return await deps.db.read(visitorOf(request).scope, (tx) => getNotificationChannel(tx, name));
  }

  async function present(request: Request): Promise<NotificationChannelRow> {
    const name = String(request.params.name);
    const row = await find(request, name);
    if (!row) throw new NotFoundError(`There is no channel ${name}.`);
    return row;
  }

  async function save(
    request: Request,
    response: Response,
    values: ChannelValues,
    existing: NotificationChannelRow | null,
  ): Promise<void> {
    const { scope, orgId, email, principal } = visitorOf(request);
    const read = readChannel(values, existing?.definition ?? null);
    if ('problems' in read) {
      await form(request, response, values, read.problems, existing);
      return;
    }
    const { definition } = read;
    const believed = believedBy[definition.type];
    if (believed !== undefined && values.fields[believed] !== '' && !mayOn(principal, 'owner', null)) {
      const vendor = channelKindNames[definition.type];
      const problem = `An Owner sets it, since it lets one speak for anybody in ${vendor}. Leave it empty.`;
      await form(request, response, values, { [believed]: problem }, existing);
      return;
    }
    const { name, removed: remove } = values;
    await deps.db.write(scope, (tx) =>
      putNotificationChannel(tx, { orgId, name, definition, remove, actor: email }),
    );
    setFlash(response, 'good', `The channel ${name} is saved. Send a test to see that it works.`);
    response.redirect(303, `${base}/${encodeURIComponent(name)}`);
  }

  async function form(
    request: Request,
    response: Response,
    values: ChannelValues,
    problems: Problems,
    existing: NotificationChannelRow | null,
    preview: { text: string | null; problem: string | null } | null = null,
  ): Promise<void> {
    const setUp = setUpOf(values.kind, deps.publicUrl, existing?.id ?? null);
    await pages.show(request, response, {
      template: 'settings/channel-form',
      view: {
        form: channelFormView(
          values,
          problems,
          existing !== null,
          existing ? hiddenSet(existing.definition) : [],
        ),
        standing: existing ? channelRow(existing) : null,
        preview,
        setUp: setUp && { ...setUp, afterSaving: existing === null && values.kind !== 'webhook' },
      },
      title: existing ? `Channel ${values.name}` : 'New channel',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

function channelRow(row: NotificationChannelRow) {
  const { name, definition, checkedAt, health, error } = row;
  return {
    name,
    href: `${base}/${encodeURIComponent(name)}`,
    testAction: `${base}/${encodeURIComponent(name)}/test`,
    previewAction: `${base}/${encodeURIComponent(name)}/preview`,
    kind: channelKindNames[definition.type],
    goesTo: goesTo(definition),
    mark: healthMark(row),
    said: error ?? health,
    checkedAt: checkedAt?.toISOString() ?? null,
  };
}
