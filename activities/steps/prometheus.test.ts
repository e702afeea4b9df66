import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenderedPrometheus } from '../../domain/runbook/rendered.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { type Prometheus, startPrometheus } from '../../test/parts/prometheus.ts';
import { createSecretSource } from '../secrets/create-secret-source.ts';
import type { CheckContext } from './adapter.ts';
import { EgressRules } from './egress.ts';
import { StepOutput } from './output.ts';
import { createPrometheusAdapter } from './prometheus.ts';

/** What is scraped: the queue of a service. */
let queue = 5;
let scraped: Server;
let prometheus: TriedPart<Prometheus>;
const listen = async (listener: RequestListener): Promise<Server> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};
const addressOf = (server: Server) => `127.0.0.1:${(server.address() as AddressInfo).port}`;
beforeAll(async () => {
  scraped = await listen((_, response) =>
    response.end(`# TYPE queue gauge\nqueue{service="mail"} ${queue}\n`),
  );
  prometheus = await tryPart(() => startPrometheus({ targets: [addressOf(scraped)], scrapeInterval: '1s' }));
});
afterAll(async () => {
  await prometheus?.part?.close();
  scraped.closeAllConnections();
  scraped.close();
});

interface Options {
  timeoutMs?: number;
  signal?: AbortSignal;
  allow?: string[];
  url?: string | undefined;
}
const stepOf = (change: Partial<RenderedPrometheus>): RenderedPrometheus => ({
  kind: 'prometheus',
  hostFromVariable: false,
  query: 'vector(1)',
  intervalMs: 200,
  forMs: 0,
  ...change,
});
const contextOf = (options: Options): CheckContext => ({
  timeoutMs: options.timeoutMs ?? 15_000,
  signal: options.signal ?? new AbortController().signal,
  egress: new EgressRules(options.allow ?? []),
  secrets: createSecretSource({ environment: {}, ssm: {} }),
  environment: {},
});
const adapterOf = (options: Options) =>
  createPrometheusAdapter({ url: 'url' in options ? options.url : prometheus.part?.url });
async function run(change: Partial<RenderedPrometheus>, options: Options = {}) {
  const output = new StepOutput({ secrets: [] });
  const result = await adapterOf(options).run(stepOf(change), {
    ...contextOf(options),
    output,
    key: 'k:1',
    idempotencyKey: 'k',
    started: async () => {},
  });
  return { result, text: output.text() };
}

// each waits for answers of its own, so they wait together
describe.concurrent('a prometheus step', () => {
  it('waits until what it asks for holds', async (context) => {
    prometheus.orSkip(context);
    queue = 5;
    const running = run({ query: 'queue{service="mail"} < 3 and queue > 0' });
    const other = await run({ query: 'queue == 5' });
    expect(other.result).toEqual({ ok: true });
    queue = 2;
    const { result, text } = await running;
    expect(result).toEqual({ ok: true });
    expect(text).toMatch(/^does not hold: no sample\n/);
    expect(text).toMatch(/\nholds: queue\{instance="127\.0\.0\.1:\d+", job="test", service="mail"\} 2\n$/);
  });

  it('wants it to hold for as long as it says', async (context) => {
    prometheus.orSkip(context);
    const began = performance.now();
    expect((await run({ forMs: 1500 })).result).toEqual({ ok: true });
    expect(performance.now() - began).toBeGreaterThan(1500);
  });

  it.for([
    ['vector(1)', true],
    ['vector(1) == bool 2', false],
    ['vector(0) == bool 0', true],
    ['scalar(vector(0))', false],
    ['2', true],
    ['vector(0) / 0', false],
    ['absent(nothing_there)', true],
    ['nothing_there', false],
  ] as const)('takes %s for %s', async ([query, holds], context) => {
    prometheus.orSkip(context);
    const { result } = await run({ query }, holds ? {} : { timeoutMs: 1000 });
    expect(result.ok).toBe(holds);
  });

  it('says what the last answer was', async (context) => {
    prometheus.orSkip(context);
    expect((await run({ query: 'vector(1) > 2' }, { timeoutMs: 3000 })).result).toEqual({
      ok: false,
      error: 'did not hold within 3 s; the last answer was: does not hold: no sample',
    });
    expect((await run({ query: 'vector(0) == 0' }, { timeoutMs: 3000 })).result).toMatchObject({
      error: expect.stringMatching(
        /\{\} 0; a sample that is 0 does not hold: to compare with 0 write == bool 0$/,
      ),
    });
  });

  it('fails at once where asking again mends nothing', async (context) => {
    prometheus.orSkip(context);
    expect((await run({ query: 'queue{' })).result).toMatchObject({
      error: expect.stringMatching(/^Prometheus refused the query \(bad_data\): .*parse error/),
    });
    expect((await run({ query: 'queue[5m]' })).result).toMatchObject({
      error: expect.stringMatching(/^the query returns a range, which neither holds nor not/),
    });
    expect((await run({}, { url: undefined })).result).toMatchObject({
      error: expect.stringMatching(/set PROMETHEUS_URL, or url in the step$/),
    });
  });

  it('ends when it is cancelled', async (context) => {
    prometheus.orSkip(context);
    const controller = new AbortController();
    const running = run({ query: 'vector(0)', intervalMs: 60_000 }, { signal: controller.signal });
    setImmediate(() => controller.abort());
    expect((await running).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^cancelled; the last answer/),
    });
  });

  it('goes where its host leads only if that is allowed', async (context) => {
    const url = new URL(prometheus.orSkip(context).url);
    expect((await run({ url, hostFromVariable: true })).result).toMatchObject({
      error: expect.stringMatching(/^127\.0\.0\.1 comes from a variable or a redirect and is not allowed/),
    });
    url.hostname = 'localhost';
    expect((await run({ url, hostFromVariable: true }, { allow: ['192.0.2.0/24'] })).result).toMatchObject({
      error: expect.stringMatching(/^localhost comes from a variable/),
    });
    expect((await run({ url, hostFromVariable: true }, { allow: ['localhost'] })).result).toEqual({
      ok: true,
    });
  });

  it('is checked by asking once', async (context) => {
    prometheus.orSkip(context);
    const check = (change: Partial<RenderedPrometheus>) => adapterOf({}).check(stepOf(change), contextOf({}));
    expect(await check({ query: 'vector(7) > 3', forMs: 60_000 })).toEqual([
      { ok: true, what: 'Prometheus query', detail: 'is understood; now it holds: {} 7' },
    ]);
    expect(await check({ query: 'vector(1) > 3' })).toMatchObject([
      { ok: true, detail: 'is understood; now it does not hold: no sample' },
    ]);
    expect(await check({ query: 'sum(' })).toMatchObject([
      { ok: false, detail: expect.stringMatching(/^Prometheus refused the query/) },
    ]);
  });
});

describe.concurrent('a Prometheus that is away or unsure', () => {
  const yes = '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}';

  it('does not hold for as long as is wanted where it holds and does not in turn', async () => {
    let holds = false;
    const server = await listen((_, response) => {
      holds = !holds;
      response.end(holds ? yes : yes.replace('"1"', '"0"'));
    });
    const url = `http://${addressOf(server)}`;
    const { result } = await run({ forMs: 1000 }, { url, timeoutMs: 2000 });
    expect(result).toMatchObject({
      error: expect.stringMatching(/^did not hold for 1 s within 2 s; the last answer/),
    });
    server.close();
  });

  it('is asked again, and what held before counts anew', async () => {
    let asked = 0;
    const server = await listen((request, response) => {
      asked += 1;
      if (asked === 2) return void request.socket.destroy();
      if (asked === 3) return void response.writeHead(503).end('overloaded');
      if (asked === 4) return void response.end(yes.replace('{', '{"warnings":["a store did not answer"],'));
      return void response.end(yes);
    });
    const { result, text } = await run(
      { forMs: 300, intervalMs: 200 },
      { url: `http://${addressOf(server)}` },
    );
    expect(result).toEqual({ ok: true });
    expect(asked).toBeGreaterThan(5);
    expect(text).toMatch(/cannot be reached/);
    expect(text).toMatch(/answered 503 with something that is no Prometheus answer/);
    expect(text).toMatch(/answered with a warning: a store did not answer/);
    server.close();
  });

  it('fails the step at its time-out with what was wrong', async () => {
    const { result } = await run({}, { url: 'http://127.0.0.1:9', timeoutMs: 1500 });
    expect(result).toMatchObject({
      error: expect.stringMatching(
        /^did not hold within .*Prometheus cannot be reached at http:\/\/127\.0\.0\.1:9/,
      ),
    });
  });
});
