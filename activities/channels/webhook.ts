import { createHmac } from 'node:crypto';
import { type PostDeps, postJson } from './post-json.ts';

export interface WebhookMessage {
  url: string;
  /** Signs the body; without one the message goes unsigned. */
  secret?: string;
  /** Sent as Idempotency-Key: the same for every attempt of one message. */
  key: string;
  /** JSON text. */
  body: string;
}

const of = { noun: 'the webhook', kind: 'Webhook', remedy: "Check the channel's URL and secret." };

/** JSON by POST, signed. Throws as `postJson` does, with the names Webhook…. */
export function createWebhookChannel(deps: PostDeps) {
  return {
    async send(message: WebhookMessage): Promise<{ response: string }> {
      const at = Math.floor(deps.clock() / 1000);
      const { status } = await postJson(deps, {
        ...of,
        url: message.url,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'idempotency-key': headerText(message.key),
          ...(message.secret !== undefined && {
            'x-holdfast-signature': webhookSignature(message.secret, at, message.body),
          }),
        },
        body: message.body,
      });
      return { response: `HTTP ${status}` };
    },

    /** Whether something answers at the URL, whatever it says: HEAD, sends no message. Throws as `send` does. */
    async probe({ url }: Pick<WebhookMessage, 'url'>): Promise<{ response: string }> {
      const { status } = await postJson(deps, { ...of, url, method: 'HEAD' });
      return { response: `HTTP ${status}` };
    },

    /** What would be sent, as text. */
    preview(message: Pick<WebhookMessage, 'body'>): string {
      return JSON.stringify(JSON.parse(message.body), null, 2);
    },
  };
}

/** Value of `X-Holdfast-Signature`; `at` in Unix seconds. */
export function webhookSignature(secret: string, at: number, body: string): string {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}

/** Keys are minted from ids, but a header takes printable ASCII only. */
function headerText(key: string): string {
  return encodeURI(key);
}
