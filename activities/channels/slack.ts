import type { FetchFunction, WebAPICallError, WebClient } from '@slack/web-api';
import { ApplicationFailure } from '@temporalio/common';
import { fetch } from 'undici';
import type { SlackMessage as SlackContent } from '../../domain/chat/slack-blocks.ts';
import { networkFailure, type PostDeps, postJson, rateLimited } from './post-json.ts';

export type SlackAddress =
  | { token: string; conversation: string }
  /** A direct message to this user, by the bot. */
  | { token: string; user: string }
  | { webhookUrl: string };

export interface SlackMessage extends SlackContent {
  to: SlackAddress;
  /** Posted under this message, and in the conversation too. */
  under?: SlackReference;
}

/** Where Slack has a message. */
export interface SlackReference {
  conversation: string;
  /** As Slack writes it: '1763691240.000100'. */
  ts: string;
}

const defaultApiUrl = 'https://slack.com/api/';
const of = {
  noun: 'the incoming webhook of Slack',
  kind: 'Slack',
  remedy: "Check the channel's webhookUrl: Slack may have revoked it.",
};

/**
 * Slack by a bot (https://docs.slack.dev/reference/methods/chat.postMessage) or by an incoming webhook
 * (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Throws ApplicationFailures: RateLimited,
 * SlackUnavailable, else non-retryable SlackRefused, which names Slack's own error.
 */
export function createSlackChannel(deps: PostDeps & { apiUrl?: string | undefined }) {
  const apiUrl = `${(deps.apiUrl ?? defaultApiUrl).replace(/\/+$/, '')}/`;
  const throughDispatcher = ((url, init) =>
    fetch(url, { ...init, dispatcher: deps.dispatcher } as Parameters<typeof fetch>[1])) as FetchFunction;

  async function client(token: string): Promise<WebClient> {
    // a failure to send it as a header would hold it, and failures stand in the log of messages
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw ApplicationFailure.nonRetryable(
        "the channel's token has spaces, line breaks or other characters that no token has. Put the bot token alone.",
        'ChannelIncomplete',
      );
    }
    // takes memory that only those who have Slack need to spend
    const { LogLevel, WebClient } = await import('@slack/web-api');
    return new WebClient(token, {
      slackApiUrl: apiUrl,
      fetch: throughDispatcher,
      timeout: 10_000,
      // Temporal tries again, and a destination that asks for patience is remembered in the database
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      allowAbsoluteUrls: false,
      logLevel: LogLevel.ERROR,
    });
  }

  async function asking<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw slackFailure(error, apiUrl);
    }
  }

  async function conversationOf(slack: WebClient, to: Exclude<SlackAddress, { webhookUrl: string }>) {
    if ('conversation' in to) return to.conversation;
    const opened = await slack.conversations.open({ users: to.user });
    const id = opened.channel?.id;
    if (id === undefined) throw new Error('Slack opened a conversation without saying which');
    return id;
  }

  return {
    async send(message: SlackMessage): Promise<{ response: string; reference?: SlackReference }> {
      const { to, text, blocks, under } = message;
      if ('webhookUrl' in to) {
        const body = JSON.stringify({ text, blocks });
        const headers = { 'content-type': 'application/json; charset=utf-8' };
        const { text: said } = await postJson(deps, { ...of, url: to.webhookUrl, headers, body });
        return { response: said };
      }
      const slack = await client(to.token);
      const posted = await asking(async () => {
        const quiet = { text, blocks, unfurl_links: false, unfurl_media: false } as const;
        return under
          ? await slack.chat.postMessage({
              ...quiet,
              channel: under.conversation,
              thread_ts: under.ts,
              reply_broadcast: true,
            })
          : await slack.chat.postMessage({ ...quiet, channel: await conversationOf(slack, to) });
      });
      const { channel, ts } = posted;
      if (channel === undefined || ts === undefined) return { response: 'ok' };
      return { response: `ok, ${ts}`, reference: { conversation: channel, ts } };
    },

    /** Puts `message` in the place of the one that is there. Throws SlackRefused 'message_not_found' if it is gone. */
    async update(
      reference: SlackReference,
      message: SlackContent & { to: { token: string } },
    ): Promise<{ response: string; reference: SlackReference }> {
      const { conversation, ts } = reference;
      const { to, text, blocks } = message;
      const slack = await client(to.token);
      await asking(() => slack.chat.update({ channel: conversation, ts, text, blocks }));
      return { response: `ok, updated ${ts}`, reference };
    },

    /** Whether the token is good; of a webhook nothing can be asked without posting. Throws as `send` does. */
    async probe(to: SlackAddress): Promise<{ response: string }> {
      if ('webhookUrl' in to) return { response: 'an incoming webhook: only a test message can tell' };
      const slack = await client(to.token);
      const { team, user } = await asking(() => slack.auth.test());
      return { response: `signed in to ${team ?? 'Slack'} as ${user ?? 'a bot'}` };
    },

    /** What would be sent, as text. */
    preview({ text, blocks }: SlackContent): string {
      return JSON.stringify({ text, blocks }, null, 2);
    },
  };
}

/**
 * Whether there is nothing to update any more: somebody deleted it, or the conversation in which it is cannot be written
 * to any more, which may have another in its place by now.
 */
export function isGone(failure: ApplicationFailure): boolean {
  return /\b(message_not_found|cant_update_message|edit_window_closed|channel_not_found|not_in_channel|is_archived)\b/.test(
    failure.message,
  );
}

const remedies: Record<string, string> = {
  invalid_auth: "Check the channel's token.",
  not_authed: "Check the channel's token.",
  token_revoked: 'Install the Slack app again and put its new token.',
  account_inactive: 'Install the Slack app again and put its new token.',
  missing_scope: 'Give the Slack app the scopes chat:write and im:write, and install it again.',
  channel_not_found: 'Check the conversation; a private one needs the bot to be invited.',
  not_in_channel: 'Invite the bot into the conversation.',
  is_archived: 'Choose a conversation that is not archived.',
  user_not_found: 'Link the account of the person anew.',
};

/** https://docs.slack.dev/reference/methods/chat.postMessage#errors; what a retry may mend. */
const passing = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'ratelimited',
]);

function slackFailure(thrown: unknown, url: string): ApplicationFailure {
  const error = thrown as Partial<WebAPICallError> & { cause?: unknown };
  switch (error.code as string | undefined) {
    case 'slack_webapi_rate_limited_error':
      return rateLimited(
        'Slack asks for patience: HTTP 429',
        (error as { retryAfter: number }).retryAfter * 1000,
      );
    case 'slack_webapi_platform_error':
      return refusal((error as Extract<WebAPICallError, { data: unknown }>).data);
    case 'slack_webapi_http_error':
      return ApplicationFailure.create({
        type: 'SlackUnavailable',
        message: `Slack answered HTTP ${(error as { statusCode: number }).statusCode}`,
      });
    default:
      return networkFailure({ noun: 'Slack', kind: 'Slack', url }, thrown);
  }
}

function refusal({
  error,
  response_metadata,
}: {
  error: string;
  response_metadata?: { messages?: string[] };
}): ApplicationFailure {
  if (passing.has(error)) {
    return ApplicationFailure.create({ type: 'SlackUnavailable', message: `Slack answered ${error}` });
  }
  const more = response_metadata?.messages?.join(', ');
  return ApplicationFailure.nonRetryable(
    `Slack refuses the message: ${error}${more === undefined ? '' : ` (${more})`}. ${remedies[error] ?? "Check the channel's settings."}`,
    'SlackRefused',
  );
}
