import { type Request, type Response, Router } from 'express';
import { listChatChannels, putChatSettings, readChatSettings } from '../../db/chat-settings.ts';
import { type ChatSettings, summarySpans } from '../../domain/chat/settings.ts';
import type { WebDeps } from '../deps.ts';
import { posted, postedAll } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';

const base = '/settings/chat';

/** How people are known in chat, which channels get summaries, and the addresses that a Slack app is given. */
export function chatSettingsRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, requireRole('admin'), async (request, response) => {
    await show(request, response);
  });

  router.post(base, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    await deps.db.write(scope, async (tx) => {
      const channels = await listChatChannels(tx);
      const settings = settingsOf(
        request.body,
        channels.map(({ name }) => name),
      );
      await putChatSettings(tx, { orgId, settings, actor });
    });
    setFlash(response, 'good', 'Saved.');
    response.redirect(303, base);
  });

  async function show(request: Request, response: Response): Promise<void> {
    const { channels, settings } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      channels: await listChatChannels(tx),
      settings: await readChatSettings(tx),
    }));
    await pages.show(request, response, {
      template: 'settings/chat',
      view: {
        linkByEmail: settings.linkByEmail ?? false,
        channels: channels.map(({ name, type }) => ({
          name,
          kind: type === 'slack' ? 'Slack' : 'Microsoft Teams',
          spans: summarySpans.map((span) => ({
            value: `${span}:${name}`,
            label: span === 'day' ? 'every day' : 'every Monday',
            checked: settings.summaries?.[name]?.includes(span) ?? false,
          })),
        })),
        apps: channels
          .filter(({ type }) => type === 'slack')
          .map(({ id, name }) => ({
            name,
            commands: `${deps.publicUrl}/api/v1/chat/slack/${id}/commands`,
            interactions: `${deps.publicUrl}/api/v1/chat/slack/${id}/interactions`,
          })),
      },
      title: 'Chat settings',
      section: 'settings',
      narrow: true,
    });
  }

  return router;
}

/** What is not ticked is off; a channel that was deleted meanwhile is left out. */
function settingsOf(body: unknown, channels: readonly string[]): ChatSettings {
  const ticked = postedAll(body, 'summaries');
  const summaries = Object.fromEntries(
    channels
      .map((name) => [name, summarySpans.filter((span) => ticked.includes(`${span}:${name}`))] as const)
      .filter(([, spans]) => spans.length > 0),
  );
  return {
    ...(posted(body, 'linkByEmail') === 'on' ? { linkByEmail: true } : {}),
    ...(Object.keys(summaries).length > 0 ? { summaries } : {}),
  };
}
