import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { findPort, loopback } from '../../stack/port.ts';

export interface ReceivedHook {
  /** Epoch milliseconds. */
  at: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  raw: string;
  /** The body as JSON, undefined when it is none. */
  body: unknown;
  /** Whether `X-Holdfast-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "t.body">` is right; false without a secret. */
  signed: boolean;
}

export interface WebhookReceiver {
  url: string;
  /** In the order of arrival. */
  hooks: ReceivedHook[];
  /** What it answers from now on. */
  status: number;
  /** Sent along with the status, such as `retry-after`. */
  answerHeaders: Record<string, string>;
  close(): Promise<void>;
}

/** Receives outgoing webhooks and checks their signature as a receiver in the field would. */
export async function startWebhook(options: { secret?: string } = {}): Promise<WebhookReceiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      receiver.hooks.push({
        at: Date.now(),
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        raw,
        body: asJson(raw),
        signed: isSigned(String(request.headers['x-holdfast-signature'] ?? ''), raw, options.secret),
      });
      response.writeHead(receiver.status, receiver.answerHeaders).end();
    });
  });
  const port = await findPort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback, resolve);
  });
  const receiver: WebhookReceiver = {
    url: `http://${loopback}:${port}`,
    hooks: [],
    status: 200,
    answerHeaders: {},
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

function isSigned(header: string, raw: string, secret: string | undefined): boolean {
  const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (secret === undefined || time === undefined || given === undefined) return false;
  if (Math.abs(Date.now() / 1000 - Number(time)) > 300) return false;
  const expected = createHmac('sha256', secret).update(`${time}.${raw}`).digest();
  return timingSafeEqual(expected, Buffer.from(given, 'hex'));
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
