import { ApplicationFailure } from '@temporalio/common';
import { type Dispatcher, fetch, type Response } from 'undici';
import { LinkLocalError } from './dispatcher.ts';

export interface PostDeps {
  dispatcher: Dispatcher;
  /** Epoch milliseconds. */
  clock: () => number;
}

/** What is asked of whom; `noun` and `kind` are for the failures: 'the webhook', 'Webhook'. */
export interface Post {
  noun: string;
  kind: string;
  url: string;
  method?: 'POST' | 'HEAD' | 'GET';
  headers?: Record<string, string>;
  /** JSON text. */
  body?: string;
  /** What to look at when it is refused, by the status of the answer where that tells. */
  remedy: string | ((status: number) => string);
}

const timeoutMs = 10_000;
const longestRetryDelayMs = 3_600_000;

/** ApplicationFailure type of an answer that asks for patience; `nextRetryDelay` says how long. */
export const rateLimitedType = 'RateLimited';
/** Where no time is named with it. */
const defaultPatienceMs = 30_000;

/** `message`: who asks for patience; `forMs` as they say it, an hour at most. */
export function rateLimited(message: string, forMs: number = defaultPatienceMs): ApplicationFailure {
  const nextRetryDelay = Math.min(Math.max(forMs, 0), longestRetryDelayMs);
  return ApplicationFailure.create({ type: rateLimitedType, message, nextRetryDelay });
}

/**
 * Sends JSON and answers what came back. Throws ApplicationFailures, `kind` before their names: RateLimited (429) and
 * …Unavailable for what a retry mends (network, 408, 425, 5xx; `Retry-After` or `RateLimit-Reset` sets the delay, an hour
 * at most), else non-retryable …Refused (other 4xx), …Redirected (a redirect would carry the message to where no Admin sent
 * it) or …Forbidden (link-local address).
 */
export async function postJson(deps: PostDeps, post: Post): Promise<{ status: number; text: string }> {
  const response = await answerTo(deps, post);
  const text = await beginning(response);
  // a probe asks whether somebody is there, whatever they say
  if (response.ok || post.method === 'HEAD') return { status: response.status, text };
  throw answerFailure(post, response, text, deps.clock());
}

/**
 * As `postJson`, and answers the JSON that came back, of so many bytes at most. An answer that is cut short, too long or no
 * JSON is …Unavailable too.
 */
export async function askJson(deps: PostDeps, post: Post, atMostBytes: number): Promise<unknown> {
  const response = await answerTo(deps, post);
  if (!response.ok) throw answerFailure(post, response, await beginning(response), deps.clock());
  try {
    return JSON.parse(await whole(response, atMostBytes));
  } catch (error) {
    throw networkFailure(post, error);
  }
}

async function answerTo(deps: PostDeps, post: Post): Promise<Response> {
  try {
    return await fetch(post.url, {
      method: post.method ?? 'POST',
      headers: { 'user-agent': 'Holdfast', ...post.headers },
      ...(post.body !== undefined && { body: post.body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      dispatcher: deps.dispatcher,
    });
  } catch (error) {
    throw networkFailure(post, error);
  }
}

/** The failure of a request that got no answer. */
export function networkFailure(
  { noun, kind, url }: Pick<Post, 'noun' | 'kind' | 'url'>,
  error: unknown,
): ApplicationFailure {
  const cause = rootCause(error);
  if (cause instanceof LinkLocalError) {
    return ApplicationFailure.create({
      type: `${kind}Forbidden`,
      nonRetryable: true,
      message: cause.message,
      cause,
    });
  }
  const why =
    cause.name === 'TimeoutError'
      ? `it did not answer within ${timeoutMs / 1000} s`
      : cause.message || cause.name;
  return ApplicationFailure.create({
    type: `${kind}Unavailable`,
    message: `${noun} at ${new URL(url).host} cannot be reached: ${why}`,
    cause,
  });
}

function answerFailure(post: Post, response: Response, text: string, now: number): ApplicationFailure {
  const { status } = response;
  const { kind } = post;
  const whom = `${post.noun} at ${new URL(post.url).host}`;
  const said = text === '' ? '' : `: ${text}`;
  if (status >= 300 && status < 400) {
    return ApplicationFailure.create({
      type: `${kind}Redirected`,
      nonRetryable: true,
      message: `${whom} redirects to ${response.headers.get('location') ?? 'elsewhere'} (HTTP ${status}). Holdfast does not follow; if that is right, make it the channel's URL.`,
    });
  }
  const { headers } = response;
  const delay = retryDelay(headers.get('retry-after') ?? headers.get('ratelimit-reset'), now);
  if (status === 429) return rateLimited(`${whom} answered HTTP 429${said}`, delay);
  if (status === 408 || status === 425 || status >= 500) {
    return ApplicationFailure.create({
      type: `${kind}Unavailable`,
      message: `${whom} answered HTTP ${status}${said}`,
      ...(delay !== undefined && { nextRetryDelay: delay }),
    });
  }
  return ApplicationFailure.create({
    type: `${kind}Refused`,
    nonRetryable: true,
    message: `${whom} refuses the message with HTTP ${status}${said}. ${remedyOf(post, status)}`,
  });
}

function remedyOf({ remedy }: Post, status: number): string {
  return typeof remedy === 'string' ? remedy : remedy(status);
}

/** Milliseconds that `Retry-After` (or PagerDuty's `ratelimit-reset`) asks for, as seconds or as a date; undefined without a readable one. */
function retryDelay(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestRetryDelayMs);
}

/** The first 300 characters of the answer: enough to say why. Never throws; the status counts. */
async function beginning(response: Response): Promise<string> {
  let text = '';
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      // leaving the loop ends the connection, so that an endless answer costs nothing
      if (text.length > 300) break;
    }
  } catch {
    // an answer cut short still has its status
  }
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}

async function whole(response: Response, atMostBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > atMostBytes) throw new Error(`its answer is longer than ${atMostBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

function rootCause(error: unknown): Error {
  let current = error instanceof Error ? error : new Error(String(error));
  while (current.cause instanceof Error) current = current.cause;
  return current;
}
