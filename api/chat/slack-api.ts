import { type FetchFunction, LogLevel, type View, WebClient } from '@slack/web-api';
import { type Dispatcher, fetch } from 'undici';
import type { SlackMessage } from '../../domain/chat/slack-blocks.ts';
import type { SlackModal } from '../../domain/chat/slack-modals.ts';

/** What Slack knows of one of its users. */
export interface SlackProfile {
  /** Confirmed by them; null where Slack does not say it, or not of somebody who belongs to the workspace. */
  email: string | null;
}

/** A message to whoever asked; by it the message with the button can be replaced. */
export interface SlackReply extends SlackMessage {
  response_type?: 'ephemeral';
  replace_original: boolean;
}

/** What is asked of Slack while somebody waits there. */
export interface SlackApi {
  /** Within three seconds of the press. Throws SlackCallError. */
  openModal(token: string, triggerId: string, modal: SlackModal): Promise<void>;
  /** Throws SlackCallError. */
  profileOf(token: string, userId: string): Promise<SlackProfile>;
  /** At most five times within half an hour of the request. Throws SlackCallError. */
  respond(responseUrl: string, reply: SlackReply): Promise<void>;
}

/** Slack did not do it; the message says what it answered. */
export class SlackCallError extends Error {
  override name = 'SlackCallError';
}

/** Somebody waits: there is no second try after it. */
const timeoutMs = 2500;
const respondTimeoutMs = 10_000;

export function createSlackApi(options: {
  dispatcher: Dispatcher;
  /** Of the Web API. */
  apiUrl?: string;
  /** What answers may be posted to: a request could name any address. */
  hooksOrigin?: string;
}): SlackApi {
  const { dispatcher, hooksOrigin = 'https://hooks.slack.com' } = options;
  const apiUrl = `${(options.apiUrl ?? 'https://slack.com/api').replace(/\/+$/, '')}/`;
  const throughDispatcher = ((url, init) =>
    fetch(url, { ...init, dispatcher } as Parameters<typeof fetch>[1])) as FetchFunction;

  const client = (token: string) => {
    // a failure to send it as a header would hold it, and is logged
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new SlackCallError('the token of the channel has characters that no token has');
    }
    return new WebClient(token, {
      slackApiUrl: apiUrl,
      fetch: throughDispatcher,
      timeout: timeoutMs,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      allowAbsoluteUrls: false,
      logLevel: LogLevel.ERROR,
    });
  };

  return {
    async openModal(token, triggerId, modal) {
      await asking('views.open', () =>
        client(token).views.open({ trigger_id: triggerId, view: modal as unknown as View }),
      );
    },

    async profileOf(token, userId) {
      const { user } = await asking('users.info', () => client(token).users.info({ user: userId }));
      const confirmed = user as { is_email_confirmed?: boolean } | undefined;
      const belongs = user && !user.deleted && !user.is_bot && !user.is_stranger && !user.is_restricted;
      const email = belongs && confirmed?.is_email_confirmed ? user.profile?.email : undefined;
      return { email: email?.toLowerCase() ?? null };
    },

    async respond(responseUrl, reply) {
      const origin = URL.canParse(responseUrl) ? new URL(responseUrl).origin : undefined;
      if (origin !== hooksOrigin) {
        throw new SlackCallError(`answers go to ${hooksOrigin} alone, and were asked for elsewhere`);
      }
      await asking('response_url', async () => {
        const response = await fetch(responseUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Holdfast' },
          body: JSON.stringify(reply),
          redirect: 'manual',
          signal: AbortSignal.timeout(respondTimeoutMs),
          dispatcher,
        });
        const text = (await response.text()).slice(0, 200);
        if (!response.ok) throw new SlackCallError(`HTTP ${response.status} ${text}`);
      });
    },
  };
}

async function asking<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new SlackCallError(`${what}: ${said}`, { cause: error });
  }
}
