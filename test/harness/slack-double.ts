import { createServer, type IncomingMessage } from 'node:http';
import { findPort, loopback } from '../../stack/port.ts';

/**
 * Stands in for Slack: the methods of the Web API that Holdfast calls, and incoming webhooks, as strict as their
 * documentation (docs.slack.dev/reference/methods, /reference/block-kit/blocks, /apis/web-api/rate-limits). It refuses
 * unknown fields, wrong tokens, blocks that are too many, too long or malformed, and knows what was said where.
 */
export interface SlackDouble {
  /** For HOLDFAST_SLACK_API_URL. */
  apiUrl: string;
  webhookUrl: string;
  /** By conversation, in the order of their posting, each as it was changed last. */
  messages(conversation?: string): PostedMessage[];
  /** The methods that were called, in their order; 'webhook' for an incoming one. */
  calls: { method: string; at: number; answered: string }[];
  /** Answers every request with 429 and this Retry-After (seconds) until it is undefined. */
  askForPatience: number | undefined;
  /** As somebody does who deletes it. */
  remove(message: PostedMessage): void;
  /** As somebody does who is done with a conversation. */
  archive(conversation: string): void;
  close(): Promise<void>;
}

export interface PostedMessage {
  conversation: string;
  ts: string;
  text: string;
  blocks: Record<string, unknown>[];
  /** Of the message above it, in a thread. */
  under: string | null;
  /** Also shown in the conversation. */
  broadcast: boolean;
  changes: number;
  /** All its text, as one. */
  said: string;
}

class Refused extends Error {
  readonly messages: string[];
  constructor(error: string, ...messages: string[]) {
    super(error);
    this.messages = messages;
  }
}

const webhookPath = '/services/T000/B000/secret-of-the-webhook';

export async function startSlackDouble(options: {
  token: string;
  conversations: string[];
}): Promise<SlackDouble> {
  const messages: PostedMessage[] = [];
  const calls: SlackDouble['calls'] = [];
  const direct = new Map<string, string>();
  const archived = new Set<string>();
  let last = 1_763_691_240_000_000;

  const methods: Record<string, (given: Record<string, string>) => object> = {
    'auth.test': () => ({ team: 'Acme', user: 'holdfast', team_id: 'T000', user_id: 'U000', bot_id: 'B000' }),
    'conversations.open': ({ users, ...rest }) => {
      nothingElse(rest);
      if (users === undefined || !/^[UW][A-Z0-9]+$/.test(users)) throw new Refused('user_not_found');
      const id = direct.get(users) ?? `D${users}`;
      direct.set(users, id);
      return { channel: { id } };
    },
    'chat.postMessage': (given) => {
      const { channel, text, blocks, thread_ts, reply_broadcast, unfurl_links, unfurl_media, ...rest } =
        given;
      nothingElse(rest);
      for (const flag of [reply_broadcast, unfurl_links, unfurl_media]) {
        if (flag !== undefined && flag !== 'true' && flag !== 'false') throw new Refused('invalid_arguments');
      }
      const known = [...options.conversations, ...direct.values()];
      if (channel === undefined || !known.includes(channel)) throw new Refused('channel_not_found');
      if (archived.has(channel)) throw new Refused('is_archived');
      if (thread_ts !== undefined && !messages.some(({ ts }) => ts === thread_ts)) {
        throw new Refused('thread_not_found');
      }
      const message = messageOf(text, blocks);
      last += 100;
      const ts = `${Math.floor(last / 1e6)}.${String(last % 1e6).padStart(6, '0')}`;
      messages.push({
        ...message,
        conversation: channel,
        ts,
        under: thread_ts ?? null,
        broadcast: reply_broadcast === 'true',
        changes: 0,
      });
      return { channel, ts, message: { text, ts } };
    },
    'chat.update': ({ channel, ts, text, blocks, ...rest }) => {
      nothingElse(rest);
      if (channel !== undefined && archived.has(channel)) throw new Refused('is_archived');
      const existing = messages.find((message) => message.conversation === channel && message.ts === ts);
      if (!existing) throw new Refused('message_not_found');
      Object.assign(existing, messageOf(text, blocks), { changes: existing.changes + 1 });
      return { channel, ts, text };
    },
  };

  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const path = request.url ?? '';
    const method = path === webhookPath ? 'webhook' : path.replace(/^\/api\//, '');
    const answer = (status: number, headers: Record<string, string>, content: string, answered: string) => {
      calls.push({ method, at: Date.now(), answered });
      response.writeHead(status, headers).end(content);
    };
    if (double.askForPatience !== undefined) {
      return answer(429, { 'retry-after': String(double.askForPatience) }, 'ratelimited', '429');
    }
    const json = (content: object, answered: string) =>
      answer(200, { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify(content), answered);
    try {
      if (method === 'webhook') {
        messages.push(fromWebhook(request, body));
        return answer(200, { 'content-type': 'text/html' }, 'ok', 'ok');
      }
      const call = methods[method];
      if (!call) throw new Refused('unknown_method');
      if (request.method !== 'POST') throw new Refused('invalid_request');
      if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') {
        throw new Refused('invalid_post_type');
      }
      const { authorization } = request.headers;
      if (authorization === undefined) throw new Refused('not_authed');
      if (authorization !== `Bearer ${options.token}`) throw new Refused('invalid_auth');
      const { token: _, ...given } = Object.fromEntries(new URLSearchParams(body));
      return json({ ok: true, ...call(given) }, 'ok');
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (method === 'webhook') return answer(400, {}, error.message, error.message);
      const response_metadata = error.messages.length > 0 ? { messages: error.messages } : undefined;
      return json(
        { ok: false, error: error.message, ...(response_metadata && { response_metadata }) },
        error.message,
      );
    }
  });
  const port = await findPort();
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  const double: SlackDouble = {
    apiUrl: `http://${loopback}:${port}/api`,
    webhookUrl: `http://${loopback}:${port}${webhookPath}`,
    messages: (conversation) =>
      messages.filter((message) => conversation === undefined || message.conversation === conversation),
    calls,
    askForPatience: undefined,
    remove: (message) => void messages.splice(messages.indexOf(message), 1),
    archive: (conversation) => void archived.add(conversation),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return double;
}

function fromWebhook(request: IncomingMessage, body: string): PostedMessage {
  if (!request.headers['content-type']?.startsWith('application/json')) throw new Refused('invalid_payload');
  const { text, blocks, ...rest } = JSON.parse(body) as { text?: string; blocks?: object[] };
  nothingElse(rest);
  const message = messageOf(text, JSON.stringify(blocks));
  return { ...message, conversation: 'webhook', ts: '', under: null, broadcast: false, changes: 0 };
}

function nothingElse(rest: object): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Refused('invalid_arguments', `unknown argument ${unknown}`);
}

// ---- Block Kit ----

function messageOf(text: string | undefined, blocksText: string | undefined) {
  const blocks = JSON.parse(blocksText ?? '[]') as Record<string, unknown>[];
  if (!text && blocks.length === 0) throw new Refused('no_text');
  if ((text?.length ?? 0) > 40_000) throw new Refused('msg_too_long');
  if (blocks.length > 50) throw invalid('no more than 50 items allowed');
  const said: string[] = [];
  for (const block of blocks) checkBlock(block, said);
  return { text: text ?? '', blocks, said: said.join('\n') };
}

const invalid = (why: string): Refused => new Refused('invalid_blocks', why);

function checkBlock(block: Record<string, unknown>, said: string[]): void {
  const { type, block_id: _, ...rest } = block;
  switch (type) {
    case 'divider':
      only(rest, []);
      return;
    case 'section': {
      only(rest, ['text', 'fields', 'accessory']);
      const fields = (rest.fields ?? []) as unknown[];
      if (rest.text === undefined && fields.length === 0) throw invalid('a section without text');
      if (fields.length > 10) throw invalid('no more than 10 fields');
      if (rest.text !== undefined) checkText(rest.text, 3000, said);
      for (const field of fields) checkText(field, 2000, said);
      return;
    }
    case 'context': {
      only(rest, ['elements']);
      const elements = rest.elements as unknown[];
      if (elements.length === 0 || elements.length > 10) throw invalid('1 to 10 elements');
      for (const element of elements) checkText(element, 3000, said);
      return;
    }
    case 'actions': {
      only(rest, ['elements']);
      const elements = rest.elements as Record<string, unknown>[];
      if (elements.length === 0 || elements.length > 25) throw invalid('1 to 25 elements');
      const ids = elements.map(({ action_id }) => action_id);
      if (new Set(ids).size < ids.length) throw invalid('action_id must be unique in a block');
      for (const element of elements) checkButton(element, said);
      return;
    }
    default:
      throw invalid(`unsupported type: ${String(type)}`);
  }
}

function checkButton(element: Record<string, unknown>, said: string[]): void {
  const { type, ...rest } = element;
  if (type !== 'button') throw invalid(`unsupported element: ${String(type)}`);
  only(rest, ['text', 'action_id', 'value', 'url', 'style', 'confirm']);
  if ((rest.text as { type?: string }).type !== 'plain_text') throw invalid('a button has plain_text');
  checkText(rest.text, 75, said);
  if (typeof rest.action_id !== 'string' || rest.action_id.length > 255) throw invalid('action_id');
  if (String(rest.value ?? '').length > 2000) throw invalid('value is longer than 2000');
  if (rest.url !== undefined && (!URL.canParse(String(rest.url)) || String(rest.url).length > 3000))
    throw invalid('url');
  if (rest.style !== undefined && rest.style !== 'primary' && rest.style !== 'danger') throw invalid('style');
}

function checkText(given: unknown, limit: number, said: string[]): void {
  const { type, text, ...rest } = given as { type: string; text: string };
  only(rest, type === 'mrkdwn' ? ['verbatim'] : ['emoji']);
  if (type !== 'mrkdwn' && type !== 'plain_text') throw invalid(`no text object: ${type}`);
  if (text.length === 0) throw invalid('text is empty');
  if (text.length > limit) throw invalid(`text is longer than ${limit}`);
  said.push(text);
}

function only(rest: object, allowed: string[]): void {
  const unknown = Object.keys(rest).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw invalid(`unknown field ${unknown}`);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
