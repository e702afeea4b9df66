import type { Response } from 'express';
import { clearChatMessages, listChatMessages } from '../../db/chat-history.ts';
import { putChatSettings, readChatSettings } from '../../db/chat-settings.ts';
import type { Database } from '../../db/database.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { HttpError } from '../auth/errors.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, endpoint, personEndpoint, presentPage, withoutUndefined } from '../endpoint.ts';
import type { ErrorLog } from '../errors.ts';
import { receiveWebhook } from '../webhook.ts';
import { presentChatMessage } from './presenter.ts';
import {
  chatMessagePage,
  chatMessagesQuery,
  chatSettingsBody,
  cleared,
  clearQuery,
  slackAnswer,
  slackBody,
  slackHeaders,
  slackParams,
} from './schema.ts';
import type { SlackApi } from './slack-api.ts';
import { verifiedSlackApp } from './slack-app.ts';
import { createSlackDesk, type SlackAnswer, type SlackRequest } from './slack-desk.ts';

export interface ChatDeps {
  db: Pick<Database, 'read' | 'write' | 'unscoped'>;
  messages: MessageClient;
  chat: {
    slack: SlackApi;
    /** What a channel hides: the thing itself, or what is kept where it says. Throws where that cannot be read. */
    readHidden(orgId: string, hidden: string): Promise<string>;
    /** Milliseconds after which an answer follows instead of standing in Slack's request. */
    patienceMs?: number;
  };
  publicUrl: string;
  log: ErrorLog;
}

const tag = 'Chat';

/** Slack waits for three seconds, and then says that the app does not answer. */
const deadlineMs = 2700;

export function chatEndpoints(deps: ChatDeps): Endpoint[] {
  const { db } = deps;
  const clock = Date.now;
  const desk = createSlackDesk({
    ...deps,
    slack: deps.chat.slack,
    clock,
    ...withoutUndefined({ patienceMs: deps.chat.patienceMs }),
  });

  const slackEndpoint = (
    what: 'commands' | 'interactions',
    summary: string,
    answer: (request: SlackRequest) => Promise<SlackAnswer>,
  ): Endpoint =>
    endpoint({
      method: 'post',
      path: `/api/v1/chat/slack/{id}/${what}`,
      tag,
      summary,
      access: 'public',
      params: slackParams,
      alsoReads: { body: slackBody, headers: slackHeaders, query: slackParams.pick({}) },
      bodyTypes: ['application/x-www-form-urlencoded'],
      status: 200,
      response: slackAnswer,
      errors: {
        401: 'No signature, or a wrong or old one',
        404: 'No Slack channel of this id',
        409: 'The channel has no signing secret',
        413: 'More than 1 MB',
        503: 'Not available within three seconds: ask again',
      },
      handle: async ({ params, request }) => {
        const arrivedAt = clock();
        const received = await receiveWebhook(request, 1);
        const { readHidden } = deps.chat;
        const work = verifiedSlackApp({ db, readHidden, log: deps.log }, params.id, received, arrivedAt).then(
          (app) => answer({ ...received, app, arrivedAt }),
        );
        return (await beforeDeadline(work, deps.log)) as Record<string, unknown>;
      },
      send: (answered, _request, response) => sendSlack(answered as SlackAnswer, response),
    });

  return [
    slackEndpoint('commands', 'Take a slash command of Slack', desk.command),
    slackEndpoint(
      'interactions',
      'Take a press of a button or a form that was sent in Slack',
      desk.interaction,
    ),
    personEndpoint({
      method: 'get',
      path: '/api/v1/chat/messages',
      tag,
      summary: 'What was asked in chat and what was answered, newest first',
      access: 'viewer',
      query: chatMessagesQuery,
      status: 200,
      response: chatMessagePage,
      handle: async ({ principal, query: { whose, ...query } }) => {
        const userId = userOf(principal, whose);
        const page = await db.read(scopeOf(principal), (tx) =>
          listChatMessages(tx, { userId, limit: query.limit, ...withoutUndefined(query) }),
        );
        return presentPage(page, presentChatMessage);
      },
    }),
    personEndpoint({
      method: 'delete',
      path: '/api/v1/chat/messages',
      tag,
      summary: 'Forget what was asked in chat and what was answered',
      access: 'viewer',
      query: clearQuery,
      status: 200,
      response: cleared,
      handle: async ({ principal, query }) => {
        const userId = userOf(principal, query.whose);
        const { orgId, email: actor } = principal;
        return {
          cleared: await db.write(scopeOf(principal), (tx) =>
            clearChatMessages(tx, { orgId, userId, actor }),
          ),
        };
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/chat/settings',
      tag,
      summary: 'How people are known in chat, and which channels get summaries',
      access: 'viewer',
      status: 200,
      response: chatSettingsBody,
      handle: async ({ principal }) => await db.read(scopeOf(principal), readChatSettings),
    }),
    personEndpoint({
      method: 'put',
      path: '/api/v1/chat/settings',
      tag,
      summary: 'Set how people are known in chat, and which channels get summaries',
      access: 'admin',
      body: chatSettingsBody,
      status: 200,
      response: chatSettingsBody,
      handle: async ({ principal, body: settings }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), (tx) => putChatSettings(tx, { orgId, settings, actor }));
        return settings;
      },
    }),
  ];
}

/** Null: everybody's, whose words only an Admin reads. Throws ForbiddenError. */
function userOf(principal: Principal, whose: 'mine' | 'all'): string | null {
  if (whose === 'mine') return principal.userId;
  assertRole(principal, 'admin', null);
  return null;
}

/** Throws HttpError 503 where it takes longer than Slack waits; what has begun goes on. */
async function beforeDeadline<T>(work: Promise<T>, log: ErrorLog): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => {
    work.catch((error: unknown) => log.error({ err: error }, 'a late request of Slack failed'));
    reject(
      new HttpError(503, 'Not available now', 'it takes too long: look how things stand, and ask again'),
    );
  }, deadlineMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(late);
  }
}

function sendSlack(answer: SlackAnswer, response: Response): void {
  if (answer === '') response.end();
  else response.json(answer);
}
