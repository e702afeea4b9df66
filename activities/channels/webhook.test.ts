import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, expect, test } from 'vitest';
import { webhookDispatcher } from './dispatcher.ts';
import { createWebhookChannel } from './webhook.ts';

const dispatcher = webhookDispatcher({ egressAllow: [] });
const now = Date.parse('2026-11-21T02:14:00Z');
const channel = createWebhookChannel({ dispatcher, clock: () => now });

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  server = undefined;
});

afterAll(() => dispatcher.close());

interface Received {
  headers: IncomingMessage['headers'];
  body: string;
}

/** A real receiver; `answer` decides what it says. */
async function receiver(
  answer: (response: ServerResponse, received: Received) => void,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    answer(response, { headers: request.headers, body });
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

async function failureOf(sending: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await sending.then(() => undefined).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
}

const body = JSON.stringify({ type: 'escalation.page', text: 'Zürich – ✓ "quoted"' });

test('the receiver can verify who sent the body, when, and that it is the same message as before', async () => {
  const secret = 'a-shared-secret';
  const { url, received } = await receiver((response, { headers, body }) => {
    const [t, v1] = String(headers['x-holdfast-signature'])
      .split(',')
      .map((part) => part.slice(part.indexOf('=') + 1));
    const expected = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
    response.writeHead(v1 === expected && t === String(now / 1000) ? 204 : 401).end();
  });
  expect(await channel.send({ url, secret, key: 'page:1', body })).toEqual({ response: 'HTTP 204' });
  expect(received[0]?.body).toBe(body);
  expect(received[0]?.headers).toMatchObject({
    'idempotency-key': 'page:1',
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'Holdfast',
  });
});

test('without a secret the message goes unsigned', async () => {
  const { url, received } = await receiver((response) => response.end('ok'));
  await channel.send({ url, key: 'page:1', body });
  expect(received[0]?.headers).not.toHaveProperty('x-holdfast-signature');
});

test('429 is retried after as long as the receiver asks, as seconds or as a date, an hour at most', async () => {
  const asked = ['7', 'Sat, 21 Nov 2026 02:14:30 GMT', '999999', 'soon'];
  const { url } = await receiver((response) =>
    response.writeHead(429, { 'retry-after': asked.shift() ?? '' }).end('slow down'),
  );
  const delays: unknown[] = [];
  for (let n = 0; n < 4; n++) {
    const failure = await failureOf(channel.send({ url, key: 'k', body }));
    expect(failure).toMatchObject({ type: 'RateLimited', nonRetryable: false });
    expect(failure.message).toContain('HTTP 429: slow down');
    delays.push(failure.nextRetryDelay);
  }
  expect(delays).toEqual([7000, 30_000, 3_600_000, 30_000]);
});

test.each([
  [500, 'WebhookUnavailable', false],
  [503, 'WebhookUnavailable', false],
  [408, 'WebhookUnavailable', false],
  [400, 'WebhookRefused', true],
  [401, 'WebhookRefused', true],
  [404, 'WebhookRefused', true],
  [410, 'WebhookRefused', true],
])('HTTP %i is %s, non-retryable: %s', async (status, type, nonRetryable) => {
  const { url } = await receiver((response) => response.writeHead(status).end('<b>why</b>'));
  const failure = await failureOf(channel.send({ url, key: 'k', body }));
  expect(failure).toMatchObject({ type, nonRetryable });
  expect(failure.message).toContain(`HTTP ${status}: <b>why</b>`);
});

test('a redirect is not followed, and the message says where it leads', async () => {
  const { url, received } = await receiver((response) =>
    response.writeHead(307, { location: 'https://elsewhere.example/take' }).end(),
  );
  const failure = await failureOf(channel.send({ url, key: 'k', body }));
  expect(failure).toMatchObject({ type: 'WebhookRedirected', nonRetryable: true });
  expect(failure.message).toContain('https://elsewhere.example/take');
  expect(received).toHaveLength(1);
});

test('a receiver that is down, or hangs up, can be retried', async () => {
  const { url } = await receiver((response) => response.destroy());
  expect(await failureOf(channel.send({ url, key: 'k', body }))).toMatchObject({
    type: 'WebhookUnavailable',
    nonRetryable: false,
  });
  server?.closeAllConnections();
  await new Promise((done) => server?.close(done));
  const down = await failureOf(channel.send({ url, key: 'k', body }));
  expect(down).toMatchObject({ type: 'WebhookUnavailable', nonRetryable: false });
  expect(down.message).toContain('ECONNREFUSED');
});

test.each(['http://169.254.169.254/latest', 'http://[fe80::1]/', 'http://[::ffff:169.254.1.1]/'])(
  'a link-local address is refused unless it is listed: %s',
  async (url) => {
    const failure = await failureOf(channel.send({ url, key: 'k', body }));
    expect(failure).toMatchObject({ type: 'WebhookForbidden', nonRetryable: true });
    expect(failure.message).toContain('HOLDFAST_EGRESS_ALLOW');
  },
);

test('an endless answer does not hold the message up', async () => {
  const { url } = await receiver((response) => {
    response.writeHead(500);
    const more = setInterval(() => response.write('x'.repeat(1000)), 1);
    response.on('close', () => clearInterval(more));
  });
  const failure = await failureOf(channel.send({ url, key: 'k', body }));
  expect(failure.message.length).toBeLessThan(400);
});

test('a probe tells whether something answers there, and sends no message', async () => {
  const { url, received } = await receiver((response) => response.writeHead(405).end());
  expect(await channel.probe({ url })).toEqual({ response: 'HTTP 405' });
  expect(received[0]?.body).toBe('');
});
