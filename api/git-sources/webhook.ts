import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What a Git host sends: headers by their names in lower case, and the body as it came. */
export interface WebhookRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

/** Whether the request holds a signature or token at all, and the right one. */
export type Verification = 'valid' | 'wrong' | 'missing';

/**
 * Gitea (and Forgejo) and GitHub sign the body with HMAC-SHA256; GitLab sends the secret itself. Compared in constant
 * time. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries,
 * https://docs.gitea.com/usage/webhooks, https://docs.gitlab.com/user/project/integrations/webhooks/
 */
export function verifyWebhook(request: WebhookRequest, secret: string): Verification {
  const gitea = header(request, 'x-gitea-signature');
  const github = header(request, 'x-hub-signature-256');
  const gitlab = header(request, 'x-gitlab-token');
  if (gitea === undefined && github === undefined && gitlab === undefined) return 'missing';
  const digest = createHmac('sha256', secret).update(request.body).digest('hex');
  const valid =
    gitea !== undefined
      ? same(gitea, digest)
      : github !== undefined
        ? same(github, `sha256=${digest}`)
        : same(gitlab ?? '', secret);
  return valid ? 'valid' : 'wrong';
}

/** Digests of both have the same length, whatever was sent. */
function same(given: string, expected: string): boolean {
  const digestOf = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

export type WebhookEvent =
  | { kind: 'push'; branch: string; deleted: boolean }
  /** `what` is for the log of the host, such as 'ping'. */
  | { kind: 'other'; what: string };

const push = z.object({ ref: z.string(), deleted: z.boolean().optional(), after: z.string().optional() });

/** What happened, by the event's header and its body. */
export function readWebhook(request: WebhookRequest): WebhookEvent {
  const event =
    header(request, 'x-gitea-event') ??
    header(request, 'x-github-event') ??
    header(request, 'x-gitlab-event');
  if (event !== 'push' && event !== 'Push Hook')
    return { kind: 'other', what: event ?? 'an event without a name' };
  const parsed = push.safeParse(payloadOf(request));
  if (!parsed.success) return { kind: 'other', what: 'a push without a ref' };
  const { ref, deleted, after } = parsed.data;
  const branch = /^refs\/heads\/(.+)$/s.exec(ref)?.[1];
  if (branch === undefined) return { kind: 'other', what: 'a push of a tag' };
  return { kind: 'push', branch, deleted: deleted ?? /^0+$/.test(after ?? '') };
}

/** GitHub sends a form with one field where the webhook is not set to JSON. */
function payloadOf(request: WebhookRequest): unknown {
  const text = request.body.toString('utf8');
  const isForm = header(request, 'content-type')?.startsWith('application/x-www-form-urlencoded');
  try {
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text);
  } catch {
    return undefined;
  }
}

function header({ headers }: WebhookRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
