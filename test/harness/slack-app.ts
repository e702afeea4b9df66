import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import type { ChatDeps } from '../../api/chat/routes.ts';
import { createSlackApi, SlackCallError } from '../../api/chat/slack-api.ts';
import { problemsOfMessage, problemsOfModal } from './slack-shapes.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
type Json = any;

export interface SlackUser {
  id: string;
  name: string;
  /** Of another workspace, in a shared conversation. */
  teamId?: string;
  email?: string;
  emailConfirmed?: boolean;
}

/** What came back from Holdfast to one request of Slack. */
export interface SlackAnswered {
  status: number;
  milliseconds: number;
  /** '' where nothing was said. */
  body: Json;
  /** What was posted to the response_url of the request, in order. */
  replies: Json[];
}

/**
 * Slack as an app sees it: signs what it sends, waits three seconds, takes modals with a fresh trigger, and answers by
 * response_url at most five times. What it would refuse stands in `problems`.
 */
export interface SlackAppDouble {
  signingSecret: string;
  token: string;
  /** For HOLDFAST_SLACK_API_URL. */
  apiUrl: string;
  /** For the API under test. */
  chat: ChatDeps['chat'];
  users: Map<string, SlackUser>;
  modals: Json[];
  problems: string[];
  command(url: string, text: string, user: SlackUser): Promise<SlackAnswered>;
  /** The body of a slash command, and what is posted to its response_url. */
  commandBody(text: string, user: SlackUser): { body: string; replies: Json[] };
  press(url: string, button: { action_id: string; value?: string }, user: SlackUser): Promise<SlackAnswered>;
  submit(url: string, modal: Json, values: Record<string, string>, user: SlackUser): Promise<SlackAnswered>;
  /** The last request once more, as it was, with the header of a delivery that is tried again. */
  again(): Promise<SlackAnswered>;
  /** Any body, signed or not. */
  send(
    url: string,
    body: string,
    given?: { secret?: string; timestamp?: number; headers?: Record<string, string> },
  ): Promise<{ status: number; body: Json }>;
  close(): Promise<void>;
}

const teamId = 'T0HOLDFAST';

export async function startSlackApp(): Promise<SlackAppDouble> {
  const signingSecret = '8f742231b10e8888abcd99yyyzzz85a5';
  const token = 'xoxb-test-0123456789';
  const problems: string[] = [];
  const modals: Json[] = [];
  const users = new Map<string, SlackUser>();
  const replies = new Map<string, Json[]>();
  const triggers = new Map<string, number>();
  const dispatcher = new Agent();
  let last: { url: string; body: string; key: string } | undefined;

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const path = new URL(request.url ?? '/', 'http://slack').pathname;
      const answer = path.startsWith('/hooks/')
        ? takeReply(path, request, body)
        : callMethod(path, request, new URLSearchParams(body));
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
  });
  const base = await listen(server);

  function takeReply(path: string, request: IncomingMessage, body: string) {
    const posted = replies.get(path);
    if (!posted) return { status: 404, body: { ok: false, error: 'used_url' } };
    if (!request.headers['content-type']?.startsWith('application/json')) problems.push('reply: no JSON');
    const message = JSON.parse(body);
    posted.push(message);
    if (posted.length > 5) problems.push('reply: more than five');
    problems.push(...problemsOfMessage(message));
    return { status: 200, body: { ok: true } };
  }

  function callMethod(path: string, request: IncomingMessage, form: URLSearchParams) {
    if (request.headers.authorization !== `Bearer ${token}`) {
      return { status: 200, body: { ok: false, error: 'invalid_auth' } };
    }
    if (path === '/api/views.open') {
      const trigger = form.get('trigger_id') ?? '';
      const given = triggers.get(trigger);
      triggers.delete(trigger);
      if (given === undefined) return { status: 200, body: { ok: false, error: 'invalid_trigger_id' } };
      if (Date.now() - given > 3000) return { status: 200, body: { ok: false, error: 'expired_trigger_id' } };
      const modal = JSON.parse(form.get('view') ?? '{}');
      problems.push(...problemsOfModal(modal));
      modals.push(modal);
      return { status: 200, body: { ok: true, view: modal } };
    }
    if (path === '/api/chat.postMessage') {
      return { status: 200, body: { ok: true, channel: 'C0ALERTS', ts: '1763691240.000100' } };
    }
    if (path === '/api/users.info') {
      const user = users.get(form.get('user') ?? '');
      if (!user) return { status: 200, body: { ok: false, error: 'user_not_found' } };
      const { id, name, email, emailConfirmed = true } = user;
      const profile = email === undefined ? {} : { email };
      const shown = { id, name, deleted: false, is_bot: false, is_email_confirmed: emailConfirmed, profile };
      return { status: 200, body: { ok: true, user: shown } };
    }
    return { status: 200, body: { ok: false, error: 'unknown_method' } };
  }

  function signed(body: string, { secret = signingSecret, timestamp = Math.floor(Date.now() / 1000) } = {}) {
    const digest = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
    return {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-signature': `v0=${digest}`,
      'x-slack-request-timestamp': String(timestamp),
    };
  }

  async function ask(
    url: string,
    body: string,
    key: string,
    headers: Record<string, string> = {},
  ): Promise<SlackAnswered> {
    const began = Date.now();
    const response = await fetch(url, { method: 'POST', headers: { ...signed(body), ...headers }, body });
    const text = await response.text();
    const milliseconds = Date.now() - began;
    if (milliseconds > 3000) problems.push(`${url} took ${milliseconds} ms`);
    if (text !== '' && !response.headers.get('content-type')?.includes('json')) problems.push('no JSON');
    const parsed = text === '' ? '' : JSON.parse(text);
    if (response.ok && parsed !== '') problems.push(...problemsOfAnswer(parsed));
    return { status: response.status, milliseconds, body: parsed, replies: replies.get(key) ?? [] };
  }

  function problemsOfAnswer(body: Json): string[] {
    if (body.response_action === 'update') return problemsOfModal(body.view);
    if (body.response_action === 'errors') {
      return Object.keys(body.errors).length === 0 ? ['errors: none named'] : [];
    }
    return problemsOfMessage(body);
  }

  function opened(): { responseUrl: string; key: string; trigger: string } {
    const key = `/hooks/${randomUUID()}`;
    replies.set(key, []);
    const trigger = `${Date.now()}.${randomUUID()}`;
    triggers.set(trigger, Date.now());
    return { responseUrl: base + key, key, trigger };
  }

  function commandForm(text: string, user: SlackUser): { body: string; key: string } {
    const { responseUrl, key, trigger } = opened();
    const form = new URLSearchParams({
      token: 'unused',
      team_id: teamId,
      team_domain: 'holdfast',
      channel_id: 'C0ALERTS',
      channel_name: 'alerts',
      user_id: user.id,
      user_name: user.name,
      command: '/holdfast',
      // as Slack escapes it
      text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
      api_app_id: 'A0HOLDFAST',
      is_enterprise_install: 'false',
      response_url: responseUrl,
      trigger_id: trigger,
    });
    return { body: form.toString(), key };
  }

  const person = ({ id, name, teamId: of = teamId }: SlackUser) => ({
    id,
    name,
    username: name,
    team_id: of,
  });

  async function send(url: string, body: string, key: string): Promise<SlackAnswered> {
    last = { url, body, key };
    return await ask(url, body, key);
  }

  return {
    signingSecret,
    token,
    apiUrl: `${base}/api`,
    chat: {
      slack: createSlackApi({ dispatcher, apiUrl: `${base}/api/`, hooksOrigin: base }),
      readHidden: async (_orgId, hidden) => (hidden === 'env:SLACK_SIGNING' ? signingSecret : hidden),
    },
    users,
    modals,
    problems,
    async command(url, text, user) {
      const { body, key } = commandForm(text, user);
      return await send(url, body, key);
    },
    commandBody(text, user) {
      const { body, key } = commandForm(text, user);
      return { body, replies: replies.get(key) ?? [] };
    },
    async press(url, button, user) {
      const { responseUrl, key, trigger } = opened();
      const payload = {
        type: 'block_actions',
        user: person(user),
        api_app_id: 'A0HOLDFAST',
        team: { id: teamId, domain: 'holdfast' },
        channel: { id: 'C0ALERTS', name: 'alerts' },
        container: { type: 'message', message_ts: '1763691240.000100', channel_id: 'C0ALERTS' },
        trigger_id: trigger,
        response_url: responseUrl,
        actions: [{ type: 'button', block_id: 'b1', action_ts: '1763691241.000000', ...button }],
      };
      return await send(url, new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), key);
    },
    async submit(url, modal, values, user) {
      const inputs = modal.blocks.filter(({ type }: Json) => type === 'input');
      const state = Object.fromEntries(
        inputs.map(({ block_id, element }: Json) => {
          const value = values[block_id];
          const given =
            element.type === 'static_select'
              ? { selected_option: value === undefined ? null : { value } }
              : { value: value ?? null };
          return [block_id, { [element.action_id]: { type: element.type, ...given } }];
        }),
      );
      const payload = {
        type: 'view_submission',
        user: person(user),
        team: { id: teamId, domain: 'holdfast' },
        trigger_id: `${Date.now()}.${randomUUID()}`,
        view: { id: 'V1', ...modal, state: { values: state }, hash: randomUUID() },
        response_urls: [],
      };
      return await send(url, new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), '');
    },
    async again() {
      if (!last) throw new Error('nothing was sent yet');
      const retried = { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' };
      return await ask(last.url, last.body, last.key, retried);
    },
    async send(url, body, given = {}) {
      const headers = { ...signed(body, given), ...given.headers };
      const response = await fetch(url, { method: 'POST', headers, body });
      const text = await response.text();
      return { status: response.status, body: text === '' ? '' : JSON.parse(text) };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dispatcher.close();
    },
  };
}

/** For tests without Slack: whatever is asked of it is refused. */
export function createTestChat(): ChatDeps['chat'] {
  const refuse = async () => {
    throw new SlackCallError('there is no Slack in this test');
  };
  return {
    slack: { openModal: refuse, profileOf: refuse, respond: refuse },
    readHidden: async (_orgId, hidden) => hidden,
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
