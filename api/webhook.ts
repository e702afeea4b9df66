import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import express, { type Request } from 'express';
import { HttpError } from './auth/errors.ts';

/** What somebody's webhook sends: headers by their names in lower case, and the body as it came. */
export interface WebhookRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

/** Whether the request holds a signature or token at all, and the right one. */
export type Verification = 'valid' | 'wrong' | 'missing';

export function headerOf({ headers }: Pick<WebhookRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The hex digest that those who sign a body with HMAC-SHA256 send. */
export function hmacOf(body: Buffer | string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** Compared in constant time: digests of both have the same length, whatever was sent. */
export function isSameSecret(given: string, expected: string): boolean {
  const digestOf = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

/**
 * `sha256=<hex HMAC of the body>` in X-Hub-Signature-256.
 * https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 */
export function verifyGithubSignature(request: WebhookRequest, secret: string): Verification {
  const given = headerOf(request, 'x-hub-signature-256');
  if (given === undefined) return 'missing';
  return isSameSecret(given, `sha256=${hmacOf(request.body, secret)}`) ? 'valid' : 'wrong';
}

/** The body's JSON, undefined where it is none. GitHub sends a form with one field where it is not set to JSON. */
export function webhookPayload(request: WebhookRequest): unknown {
  const text = request.body.toString('utf8');
  const isForm = headerOf(request, 'content-type')?.startsWith('application/x-www-form-urlencoded');
  try {
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text);
  } catch {
    return undefined;
  }
}

/**
 * The request with its body as it was sent: a signature is over that, so nothing is inflated or parsed before.
 * Throws HttpError 413 for more than `megabytes`.
 */
export async function receiveWebhook(request: Request, megabytes: number): Promise<WebhookRequest> {
  const { res } = request;
  if (!res) throw new Error('a request without its response');
  const raw = express.raw({ limit: `${megabytes}mb`, inflate: false, type: () => true });
  await new Promise<void>((resolve, reject) => {
    raw(request, res, (error?: unknown) => (error ? reject(error) : resolve()));
  }).catch((error: unknown) => {
    const tooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large';
    throw tooLarge
      ? new HttpError(413, 'Body too large', `a webhook may send at most ${megabytes} MB`)
      : error;
  });
  return {
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}
