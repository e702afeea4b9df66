import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { ApplicationFailure } from '@temporalio/common';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector, type Dispatcher, fetch, type Response } from 'undici';

export interface WebhookMessage {
  url: string;
  /** Signs the body; without one the message goes unsigned. */
  secret?: string;
  /** Sent as Idempotency-Key: the same for every attempt of one message. */
  key: string;
  /** JSON text. */
  body: string;
}

const timeoutMs = 10_000;
const longestRetryDelayMs = 3_600_000;

/**
 * JSON by POST, signed. `send` throws ApplicationFailures: WebhookUnavailable for what a retry mends (network, 408,
 * 425, 429, 5xx; `Retry-After` sets the delay, an hour at most), else non-retryable WebhookRefused (other
 * 4xx), WebhookRedirected (a redirect would carry the message to where no Admin sent it) or WebhookForbidden
 * (link-local address).
 */
export function createWebhookChannel(deps: { dispatcher: Dispatcher; clock: () => number }) {
  async function request(
    url: string,
    init: { method: string; headers: Record<string, string>; body?: string },
  ) {
    try {
      return await fetch(url, {
        ...init,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
        dispatcher: deps.dispatcher,
      });
    } catch (error) {
      throw networkFailure(url, error);
    }
  }

  return {
    async send(message: WebhookMessage): Promise<{ response: string }> {
      const at = Math.floor(deps.clock() / 1000);
      const response = await request(message.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Holdfast',
          'idempotency-key': headerText(message.key),
          ...(message.secret !== undefined && {
            'x-holdfast-signature': webhookSignature(message.secret, at, message.body),
          }),
        },
        body: message.body,
      });
      const text = await beginning(response);
      if (response.ok) return { response: `HTTP ${response.status}` };
      throw answerFailure(message.url, response, text, deps.clock());
    },

    /** Whether something answers at the URL, whatever it says: HEAD, sends no message. Throws as `send` does. */
    async probe(url: string): Promise<{ response: string }> {
      const response = await request(url, { method: 'HEAD', headers: { 'user-agent': 'Holdfast' } });
      return { response: `HTTP ${response.status}` };
    },
  };
}

/** Value of `X-Holdfast-Signature`; `at` in Unix seconds. */
export function webhookSignature(secret: string, at: number, body: string): string {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}

/**
 * Connections for webhooks. Their URLs are written by an Admin, so private and loopback hosts are fine;
 * link-local addresses (a cloud's metadata service) only for hosts listed in `egressAllow`, also after DNS.
 */
export function webhookDispatcher({ egressAllow }: { egressAllow: readonly string[] }): Dispatcher {
  const allowed = new Set(egressAllow.map((host) => host.toLowerCase()));
  const checked: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const first = found?.[0];
      if (error || !first) return callback(error ?? new Error(`${hostname} has no address`), []);
      if (!allowed.has(hostname.toLowerCase()) && found.some(({ address }) => isLinkLocal(address))) {
        return callback(new LinkLocalError(hostname), []);
      }
      return options.all ? callback(null, found) : callback(null, first.address, first.family);
    });
  };
  const connector = buildConnector({ lookup: checked, timeout: timeoutMs });
  return new Agent({
    connections: 4,
    connect: (options, callback) => {
      // a literal address is never looked up
      const host = options.hostname.replace(/^\[|\]$/g, '').toLowerCase();
      if (isLinkLocal(host) && !allowed.has(host)) return callback(new LinkLocalError(host), null);
      return connector(options, callback);
    },
  });
}

class LinkLocalError extends Error {
  constructor(host: string) {
    super(`${host} is a link-local address. If it is meant, list it in HOLDFAST_EGRESS_ALLOW.`);
  }
}

function isLinkLocal(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'linkLocal';
}

function networkFailure(url: string, error: unknown): ApplicationFailure {
  const cause = rootCause(error);
  if (cause instanceof LinkLocalError) {
    return ApplicationFailure.create({
      type: 'WebhookForbidden',
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
    type: 'WebhookUnavailable',
    message: `the webhook at ${new URL(url).host} cannot be reached: ${why}`,
    cause,
  });
}

function answerFailure(url: string, response: Response, text: string, now: number): ApplicationFailure {
  const { status } = response;
  const host = new URL(url).host;
  const said = text === '' ? '' : `: ${text}`;
  if (status >= 300 && status < 400) {
    return ApplicationFailure.create({
      type: 'WebhookRedirected',
      nonRetryable: true,
      message: `the webhook at ${host} redirects to ${response.headers.get('location') ?? 'elsewhere'} (HTTP ${status}). Holdfast does not follow; if that is right, make it the channel's URL.`,
    });
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const delay = retryDelay(response.headers.get('retry-after'), now);
    return ApplicationFailure.create({
      type: 'WebhookUnavailable',
      message: `the webhook at ${host} answered HTTP ${status}${said}`,
      ...(delay !== undefined && { nextRetryDelay: delay }),
    });
  }
  return ApplicationFailure.create({
    type: 'WebhookRefused',
    nonRetryable: true,
    message: `the webhook at ${host} refuses the message with HTTP ${status}${said}. Check the channel's URL and secret.`,
  });
}

/** Milliseconds that `Retry-After` asks for, as seconds or as a date; undefined without a readable one. */
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

/** Keys are minted from ids, but a header takes printable ASCII only. */
function headerText(key: string): string {
  return encodeURI(key);
}

function rootCause(error: unknown): Error {
  let current = error instanceof Error ? error : new Error(String(error));
  while (current.cause instanceof Error) current = current.cause;
  return current;
}
