import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenderedRequest } from '../../domain/runbook/rendered.ts';
import { EgressRefusedError, EgressRules, type Trust } from './egress.ts';
import { runHttp } from './http.ts';
import { StepOutput } from './output.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}
let server: Server;
let port: number;
let other: Server;
let otherPort: number;
const seen: Seen[] = [];

const answer = (request: IncomingMessage, response: ServerResponse, body: string) => {
  seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
  const url = new URL(request.url!, 'http://x');
  const to = url.searchParams.get('to');
  if (to) {
    response.writeHead(Number(url.pathname.slice(1)), { location: to }).end();
  } else if (url.pathname === '/slow') {
    response.writeHead(200);
    response.write('begun');
  } else if (url.pathname === '/long') {
    response.writeHead(200).end('x'.repeat(3_000_000));
  } else if (url.pathname === '/health') {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"status":"up","checks":[{"state":"ok"}]}');
  } else {
    response.writeHead(Number(url.pathname.slice(1)) || 200).end('plain');
  }
};
const listen = async (): Promise<Server> => {
  const made = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return made;
};
beforeAll(async () => {
  server = await listen();
  other = await listen();
  port = (server.address() as AddressInfo).port;
  otherPort = (other.address() as AddressInfo).port;
});
afterAll(() => {
  for (const one of [server, other]) {
    one.closeAllConnections();
    one.close();
  }
});

async function run(
  path: string,
  step: Partial<RenderedRequest> = {},
  options: { allow?: string[]; timeoutMs?: number; signal?: AbortSignal } = {},
) {
  const output = new StepOutput({ secrets: [] });
  const result = await runHttp(
    {
      kind: 'http',
      method: 'GET',
      url: new URL(path, `http://127.0.0.1:${port}`),
      hostFromVariable: false,
      headers: {},
      expectedStatus: [],
      expectJson: {},
      ...step,
    },
    {
      timeoutMs: options.timeoutMs ?? 5000,
      signal: options.signal ?? new AbortController().signal,
      output,
      egress: new EgressRules(options.allow ?? []),
      idempotencyKey: 'execution:1:step:0',
    },
  );
  return { result, text: output.text() };
}

describe('an http step', () => {
  it('sends method, headers, body and the idempotency key', async () => {
    const { result } = await run('/200?a=b', { method: 'POST', headers: { 'x-one': '1' }, body: 'hello' });
    expect(result).toEqual({ ok: true });
    expect(seen.at(-1)).toMatchObject({
      method: 'POST',
      url: '/200?a=b',
      body: 'hello',
      headers: { 'x-one': '1', 'idempotency-key': 'execution:1:step:0', host: `127.0.0.1:${port}` },
    });
  });

  it('takes any 2xx, or exactly the statuses that are expected', async () => {
    expect((await run('/204')).result.ok).toBe(true);
    expect((await run('/503')).result).toEqual({ ok: false, error: 'expected status 2xx, got 503' });
    expect((await run('/503', { expectedStatus: [200, 503] })).result.ok).toBe(true);
    expect((await run('/201', { expectedStatus: [200] })).result).toEqual({
      ok: false,
      error: 'expected status 200, got 201',
    });
  });

  it('checks JSON by path and text by content', async () => {
    expect((await run('/health', { expectJson: { status: 'up', 'checks.0.state': 'ok' } })).result.ok).toBe(
      true,
    );
    expect((await run('/health', { expectJson: { '$.checks.0': { state: 'ok' } } })).result.ok).toBe(true);
    expect((await run('/health', { expectJson: { status: 'down' } })).result).toEqual({
      ok: false,
      error: 'expected status = "down", got "up"',
    });
    expect((await run('/health', { expectJson: { constructor: 1 } })).result).toMatchObject({
      error: expect.stringMatching(/got nothing/),
    });
    expect((await run('/200', { expectJson: { a: 1 } })).result).toEqual({
      ok: false,
      error: 'the answer is no JSON',
    });
    expect((await run('/200', { expectBody: 'lai' })).result.ok).toBe(true);
    expect((await run('/200', { expectBody: 'fancy' })).result).toEqual({
      ok: false,
      error: 'the answer does not contain "fancy"',
    });
  });

  it('shows the request, the status and the answer', async () => {
    const { text } = await run('/health');
    expect(text).toMatch(
      /^GET http:\/\/127\.0\.0\.1:\d+\/health\n200 after \d+ ms, \d+ bytes\n\{"status":"up"/,
    );
  });

  it('reads no more of an answer than it needs', async () => {
    const { result, text } = await run('/long');
    expect(result.ok).toBe(true);
    expect(text).toMatch(/200 after \d+ ms, more than 1048576 bytes/);
  });

  it('ends at its time-out, also in the middle of the answer, and when it is cancelled', async () => {
    expect((await run('/slow', {}, { timeoutMs: 200 })).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^no answer within/),
    });
    const controller = new AbortController();
    const running = run('/slow', {}, { signal: controller.signal });
    await expect.poll(() => seen.at(-1)?.url).toBe('/slow');
    controller.abort();
    expect((await running).result).toEqual({ ok: false, error: 'cancelled while it waited for the answer' });
  });

  it('says why nobody answered', async () => {
    const { result } = await run('http://127.0.0.1:1/');
    expect(result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.1:1|bad port/),
    });
  });
});

describe('redirects', () => {
  it('are followed on the same origin, with the headers; 303 fetches, 307 repeats', async () => {
    const step = { method: 'POST' as const, body: 'b', headers: { authorization: 'x' } };
    expect((await run('/307?to=/200', step)).result.ok).toBe(true);
    expect(seen.at(-1)).toMatchObject({ method: 'POST', body: 'b', headers: { authorization: 'x' } });
    expect((await run('/303?to=/health', step)).result.ok).toBe(true);
    expect(seen.at(-1)).toMatchObject({ method: 'GET', body: '', url: '/health' });
  });

  it('are not followed where their status is what is expected', async () => {
    expect((await run('/302?to=/health', { expectedStatus: [302] })).result.ok).toBe(true);
  });

  it('end', async () => {
    const loop = `/302?to=${encodeURIComponent('/302?to=/302')}`;
    expect((await run(loop)).result.ok).toBe(false);
  });

  it('to another origin need its host to be listed, and carry no headers of the step', async () => {
    const path = `/302?to=http://127.0.0.1:${otherPort}/health`;
    const step = { headers: { authorization: 'secret' } };
    expect((await run(path, step)).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/not allowed; add '127\.0\.0\.1'/),
    });
    expect((await run(path, step, { allow: ['127.0.0.1'] })).result.ok).toBe(true);
    expect(seen.at(-1)).toMatchObject({ url: '/health' });
    expect(seen.at(-1)!.headers).not.toHaveProperty('authorization');
  });

  it('do not lead to the metadata service or out of http', async () => {
    expect((await run('/302?to=http://169.254.169.254/latest/meta-data')).result).toMatchObject({
      error: expect.stringMatching(/link-local/),
    });
    expect((await run('/302?to=file:///etc/passwd')).result).toMatchObject({
      error: expect.stringMatching(/file:/),
    });
  });
});

describe('the egress rule', () => {
  const check = (url: string, trusted: boolean, allow: string[] = []) => {
    try {
      new EgressRules(allow).checkUrl(new URL(url), trusted);
      return 'allowed';
    } catch (error) {
      if (error instanceof EgressRefusedError) return 'refused';
      throw error;
    }
  };
  const at = (address: string, host: string, trusted: Trust, allow: string[] = [], to = 80) => {
    try {
      new EgressRules(allow).checkAddress(address, { host, port: to, trusted });
      return 'allowed';
    } catch (error) {
      if (error instanceof EgressRefusedError) return 'refused';
      throw error;
    }
  };

  it.each([
    ['93.184.216.34', [], 'allowed'],
    ['2606:2800:220:1::1', [], 'allowed'],
    ['10.0.0.1', [], 'refused'],
    ['127.0.0.1', [], 'refused'],
    ['100.64.0.1', [], 'refused'],
    ['fd00::1', [], 'refused'],
    ['::ffff:192.168.0.1', [], 'refused'],
    ['64:ff9b::a00:1', [], 'refused'],
    ['169.254.169.254', [], 'refused'],
    ['10.0.0.1', ['10.0.0.0/8'], 'allowed'],
    ['10.0.0.1', ['files.example.com'], 'allowed'],
  ])('where nobody wrote the host, %s with %j listed is %s', (address, allow, outcome) => {
    expect(at(address, 'files.example.com', 'public', allow)).toBe(outcome);
  });

  it.each([
    ['http://10.0.0.1/', true, [], 'allowed'],
    ['http://127.0.0.1/', true, [], 'allowed'],
    ['http://169.254.169.254/', true, [], 'refused'],
    ['http://0xa9fea9fe/', true, [], 'refused'],
    ['http://[::ffff:169.254.169.254]/', true, [], 'refused'],
    ['http://[64:ff9b::a9fe:a9fe]/', true, [], 'refused'],
    ['http://[fe80::1]/', true, [], 'refused'],
    ['http://[fd00:ec2::254]/', true, [], 'refused'],
    ['http://[::169.254.169.254]/', true, [], 'refused'],
    ['http://[::ffff:0:169.254.169.254]/', true, [], 'refused'],
    ['http://[64:ff9b:1::169.254.169.254]/', true, [], 'refused'],
    ['http://[fd20:ce::254]/', true, [], 'refused'],
    ['http://100.100.100.200/', true, [], 'refused'],
    ['http://168.63.129.16/', true, [], 'refused'],
    ['http://168.63.129.16/', true, ['168.63.129.16'], 'allowed'],
    ['http://192.0.0.192/', true, [], 'refused'],
    ['http://metadata.google.internal/', true, [], 'refused'],
    ['http://METADATA.google.internal./', true, ['*.google.internal', 'metadata.google.internal'], 'refused'],
    ['http://metadata.google.internal/', true, ['169.254.169.254'], 'allowed'],
    ['http://[::1]/', true, [], 'allowed'],
    ['http://[::10.0.0.1]/', true, [], 'allowed'],
    ['http://169.254.169.254/', true, ['169.254.169.254'], 'allowed'],
    ['http://169.254.169.254/', false, ['169.254.0.0/16'], 'allowed'],
    ['http://10.0.0.1/', false, [], 'refused'],
    ['http://10.0.0.1/', false, ['10.0.0.0/8'], 'allowed'],
    ['http://10.0.0.1:8080/', false, ['10.0.0.1:9090'], 'refused'],
    ['http://10.0.0.1:9090/', false, ['10.0.0.1:9090'], 'allowed'],
    ['http://[::1]:9090/', false, ['[::1]:9090'], 'allowed'],
    ['http://api.example.com/', false, [], 'refused'],
    ['http://api.example.com/', false, ['api.example.com'], 'allowed'],
    ['http://API.example.com./', false, ['api.EXAMPLE.com'], 'allowed'],
    ['https://api.example.com/', false, ['api.example.com:443'], 'allowed'],
    ['http://api.example.com/', false, ['api.example.com:443'], 'refused'],
    ['http://api.example.com/', false, ['*.example.com'], 'allowed'],
    ['http://example.com/', false, ['*.example.com'], 'refused'],
    ['http://evilexample.com/', false, ['*.example.com'], 'refused'],
    ['http://api.example.com.evil.test/', false, ['*.example.com', 'api.example.com'], 'refused'],
  ] as const)('for %s (literal: %j, listed: %j) says %s', (url, trusted, allow, expected) => {
    expect(check(url, trusted, [...allow])).toBe(expected);
  });

  it('holds for what DNS answers', () => {
    expect(at('127.0.0.1', 'internal', true)).toBe('allowed');
    expect(at('169.254.169.254', 'internal', true)).toBe('refused');
    expect(at('10.1.2.3', 'api', false, ['api'])).toBe('allowed');
    expect(at('127.0.0.1', 'localhost', false, ['localhost'])).toBe('allowed');
    expect(at('127.0.0.1', 'a.example.com', false, ['*.example.com'])).toBe('refused');
    expect(at('0.0.0.0', 'a.example.com', false, ['*.example.com'])).toBe('refused');
    expect(at('10.1.2.3', 'a.example.com', false, ['*.example.com'])).toBe('allowed');
    expect(at('169.254.169.254', 'metadata', false, ['metadata'])).toBe('refused');
    expect(at('10.1.2.3', 'metadata.google.internal', true)).toBe('refused');
    expect(at('169.254.169.254', 'metadata.google.internal', true, ['169.254.169.254'])).toBe('allowed');
    expect(at('10.1.2.3', 'unlisted', false, ['10.0.0.0/8'])).toBe('allowed');
    expect(at('11.1.2.3', 'unlisted', false, ['10.0.0.0/8'])).toBe('refused');
  });

  it('is kept when a name is resolved for the connection', async () => {
    const url = new URL(`http://localhost:${port}/200`);
    expect((await run(url.href)).result.ok).toBe(true);
    expect((await run(url.href, { hostFromVariable: true })).result).toMatchObject({
      error: expect.stringMatching(/localhost comes from a variable/),
    });
    expect((await run(url.href, { hostFromVariable: true }, { allow: ['localhost'] })).result.ok).toBe(true);
    expect((await run(url.href, { hostFromVariable: true }, { allow: ['10.0.0.0/8'] })).result.ok).toBe(
      false,
    );
    expect((await run(url.href, { hostFromVariable: true }, { allow: ['127.0.0.0/8'] })).result.ok).toBe(
      true,
    );
  });

  it('refuses an entry that allows nothing', () => {
    expect(() => new EgressRules(['http://x/'])).toThrow(/'http:\/\/x\/' allows no host; write a name/);
    expect(() => new EgressRules(['*'])).toThrow(RangeError);
  });
});
