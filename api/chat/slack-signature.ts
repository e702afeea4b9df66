import { headerOf, hmacOf, isSameSecret, type Verification, type WebhookRequest } from '../webhook.ts';

/** A request that is older, or from further ahead, may be a repeat by somebody else. */
const replayWindowMs = 5 * 60_000;

/**
 * `v0=<hex HMAC-SHA256 of 'v0:timestamp:body'>` in X-Slack-Signature, the timestamp in X-Slack-Request-Timestamp.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function verifySlackSignature(request: WebhookRequest, secret: string, now: number): Verification {
  const given = headerOf(request, 'x-slack-signature');
  const seconds = headerOf(request, 'x-slack-request-timestamp');
  if (given === undefined || seconds === undefined) return 'missing';
  const signed = Buffer.concat([Buffer.from(`v0:${seconds}:`), request.body]);
  const right = isSameSecret(given, `v0=${hmacOf(signed, secret)}`);
  const recent = /^\d{1,12}$/.test(seconds) && Math.abs(now - Number(seconds) * 1000) <= replayWindowMs;
  return right && recent ? 'valid' : 'wrong';
}
