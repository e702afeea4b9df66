import { createHash } from 'node:crypto';
import type { WebhookKind } from '../../db/change-sources.ts';
import { readArgocd } from '../../domain/changes/argocd.ts';
import { readGeneric } from '../../domain/changes/generic.ts';
import { readGithub } from '../../domain/changes/github.ts';
import { readJenkins } from '../../domain/changes/jenkins.ts';
import type { ChangeMapping, ReadChange } from '../../domain/changes/report.ts';
import {
  headerOf,
  hmacOf,
  isSameSecret,
  type Verification,
  verifyGithubSignature,
  type WebhookRequest,
  webhookPayload,
} from '../webhook.ts';

/** A signature that is older, or from further ahead, may be a repeat by somebody else. */
const replayWindowMs = 5 * 60_000;

/**
 * GitHub signs its webhooks. Jenkins and Argo CD can only send the secret: as Bearer, as the password of Basic, in
 * X-Holdfast-Token, or, since Jenkins' Notification plugin takes an address alone, as `token` in that. Anybody's own
 * pipeline may sign as Holdfast signs its webhooks, with the time in the signature.
 */
export function verifyChangeWebhook(
  kind: WebhookKind,
  request: WebhookRequest & { token: string | undefined },
  secret: string,
  now: number,
): Verification {
  if (kind === 'github') return verifyGithubSignature(request, secret);
  const signature = headerOf(request, 'x-holdfast-signature');
  if (signature !== undefined) return verifyHoldfastSignature(signature, request.body, secret, now);
  const sent = sentSecret(request) ?? (kind === 'jenkins' ? request.token : undefined);
  if (sent === undefined) return 'missing';
  return isSameSecret(sent, secret) ? 'valid' : 'wrong';
}

function verifyHoldfastSignature(given: string, body: Buffer, secret: string, now: number): Verification {
  const [, seconds = '', digest = ''] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(given) ?? [];
  const right = hmacOf(Buffer.concat([Buffer.from(`${seconds}.`), body]), secret);
  const recent = Math.abs(now - Number(seconds) * 1000) <= replayWindowMs;
  return isSameSecret(digest, right) && recent ? 'valid' : 'wrong';
}

function sentSecret(request: WebhookRequest): string | undefined {
  const [scheme = '', value = ''] = headerOf(request, 'authorization')?.split(' ') ?? [];
  if (/^bearer$/i.test(scheme)) return value;
  if (/^basic$/i.test(scheme)) {
    const text = Buffer.from(value, 'base64').toString('utf8');
    return text.slice(text.indexOf(':') + 1);
  }
  return headerOf(request, 'x-holdfast-token');
}

export const unverified: Record<WebhookKind, Record<Exclude<Verification, 'valid'>, string>> = {
  github: {
    missing: "send X-Hub-Signature-256: set the webhook's secret at GitHub",
    wrong: "the signature is not the one of this source: set the webhook's secret at GitHub anew",
  },
  jenkins: {
    missing: "send the secret as 'Authorization: Bearer …', or as ?token=… in the address",
    wrong: 'the secret is not the one of this source: make a new one, and set it in Jenkins',
  },
  argocd: {
    missing: "send the secret as 'Authorization: Bearer …'",
    wrong:
      'the secret is not the one of this source: make a new one, and set it in argocd-notifications-secret',
  },
  generic: {
    missing:
      "send X-Holdfast-Signature: t=<unix seconds>,v1=<hex HMAC of 't.body'>, or 'Authorization: Bearer …'",
    wrong: 'the signature or secret is not the one of this source, or is more than five minutes old',
  },
};

/** What the message says, by whose it is. */
export function readChangeWebhook(
  kind: WebhookKind,
  request: WebhookRequest,
  mapping: ChangeMapping,
): ReadChange {
  const payload = webhookPayload(request);
  if (payload === undefined) return { invalid: [{ field: 'body', message: 'send JSON' }] };
  switch (kind) {
    case 'github':
      return readGithub(headerOf(request, 'x-github-event') ?? '', payload, mapping);
    case 'jenkins':
      return readJenkins(payload, mapping);
    case 'argocd':
      return readArgocd(payload, mapping);
    case 'generic':
      return readGeneric(payload, mapping, bodyId(request));
  }
}

/** The same message sent again is the same change; one that is signed anew may be another one that reads alike. */
function bodyId(request: WebhookRequest): string {
  const hash = createHash('sha256').update(headerOf(request, 'x-holdfast-signature') ?? '');
  return `body:${hash.update(request.body).digest('hex').slice(0, 32)}`;
}
