import { z } from 'zod';
import {
  headerOf,
  hmacOf,
  isSameSecret,
  type Verification,
  verifyGithubSignature,
  type WebhookRequest,
  webhookPayload,
} from '../webhook.ts';

/**
 * Gitea (and Forgejo) and GitHub sign the body with HMAC-SHA256; GitLab sends the secret itself. Gitea sends GitHub's
 * header, too. https://docs.gitea.com/usage/webhooks, https://docs.gitlab.com/user/project/integrations/webhooks/
 */
export function verifyWebhook(request: WebhookRequest, secret: string): Verification {
  const gitea = headerOf(request, 'x-gitea-signature');
  if (gitea !== undefined) return isSameSecret(gitea, hmacOf(request.body, secret)) ? 'valid' : 'wrong';
  const github = verifyGithubSignature(request, secret);
  if (github !== 'missing') return github;
  const gitlab = headerOf(request, 'x-gitlab-token');
  if (gitlab === undefined) return 'missing';
  return isSameSecret(gitlab, secret) ? 'valid' : 'wrong';
}

export type WebhookEvent =
  | { kind: 'push'; branch: string; deleted: boolean }
  /** `what` is for the log of the host, such as 'ping'. */
  | { kind: 'other'; what: string };

const push = z.object({ ref: z.string(), deleted: z.boolean().optional(), after: z.string().optional() });

/** What happened, by the event's header and its body. */
export function readWebhook(request: WebhookRequest): WebhookEvent {
  const event =
    headerOf(request, 'x-gitea-event') ??
    headerOf(request, 'x-github-event') ??
    headerOf(request, 'x-gitlab-event');
  if (event !== 'push' && event !== 'Push Hook')
    return { kind: 'other', what: event ?? 'an event without a name' };
  const parsed = push.safeParse(webhookPayload(request));
  if (!parsed.success) return { kind: 'other', what: 'a push without a ref' };
  const { ref, deleted, after } = parsed.data;
  const branch = /^refs\/heads\/(.+)$/s.exec(ref)?.[1];
  if (branch === undefined) return { kind: 'other', what: 'a push of a tag' };
  return { kind: 'push', branch, deleted: deleted ?? /^0+$/.test(after ?? '') };
}
