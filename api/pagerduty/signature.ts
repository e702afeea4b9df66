import { headerOf, hmacOf, isSameSecret, type Verification, type WebhookRequest } from '../webhook.ts';

/**
 * `v1=<hex HMAC-SHA256 of the body>` in X-PagerDuty-Signature, several separated by commas while one secret replaces
 * another. https://developer.pagerduty.com/docs/webhook-signatures
 */
export function verifyPagerDutySignature(request: WebhookRequest, secret: string): Verification {
  const given = headerOf(request, 'x-pagerduty-signature');
  if (given === undefined) return 'missing';
  const expected = `v1=${hmacOf(request.body, secret)}`;
  const signatures = given.split(',').slice(0, 10);
  return signatures.some((each) => isSameSecret(each.trim(), expected)) ? 'valid' : 'wrong';
}
