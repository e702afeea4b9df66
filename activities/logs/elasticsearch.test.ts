import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogQuery } from '../../domain/logs/query.ts';
import { at, logQuery } from '../../test/harness/log-query.ts';
import { type Elasticsearch, startElasticsearch } from '../../test/parts/elasticsearch.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { createElasticsearchLogs } from './elasticsearch.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';

const iso = (offset: number): string => new Date(at + offset).toISOString();

describe('a real Elasticsearch', () => {
  let server: TriedPart<Elasticsearch>;
  let client: Client;
  beforeAll(async () => {
    server = await tryPart(startElasticsearch);
    if (!server.part) return;
    client = new Client({ node: server.part.url });
    await seed(client);
  }, 400_000);
  beforeEach((context) => void server.orSkip(context));
  afterAll(async () => {
    await client?.close();
    await server?.part?.close();
  });
  const source = (change: Partial<Parameters<typeof createElasticsearchLogs>[0]> = {}) =>
    createElasticsearchLogs({ client, ...change });
  const messages = async (asked: LogQuery): Promise<string[]> =>
    (await source().query('org', asked)).lines.map((line) => line.message).sort();

  test('gives the lines of a service from data streams and plain indexes, ECS or not', async () => {
    const found = await source().query('org', logQuery());
    expect(found).toMatchObject({ total: 6, note: null });
    expect(found.asked).toBe('(service.name: ("checkout") or service: ("checkout") or app: ("checkout"))');
    expect(found.lines.find((line) => line.message.startsWith('pool'))).toEqual({
      at,
      service: 'checkout',
      host: 'web-1',
      level: 'error',
      message: 'pool exhausted\njava.lang.X: no\n\tat a.B.c(B.java:1)',
      labels: { namespace: 'shop', pod: 'checkout-7c' },
    });
    expect(found.lines.map((line) => line.level)).toContain('fatal');
  });

  test('puts errors first, whatever words or numbers say the level', async () => {
    const few = await source().query('org', logQuery({ limit: 3 }));
    expect(few.lines.map((line) => line.level).sort()).toEqual(['error', 'error', 'fatal']);
    expect(few.total).toBe(6);
    const more = await source().query('org', logQuery({ limit: 4 }));
    expect(more.lines.map((line) => line.level)).toContain('warn');
  });

  test('bears a level that is a number here and a word there', async () => {
    const found = await source().query(
      'org',
      logQuery({ anyOf: [{ field: 'service', values: ['mail'] }], limit: 1 }),
    );
    expect(found.lines.map((line) => line.message)).toEqual(['not sent']);
    expect(found.note).toBeNull();
  });

  test('keeps to the time, and to the namespace where a line says one', async () => {
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: ['late'] }] }))).toEqual([]);
    const inside = await messages(logQuery({ within: [{ field: 'namespace', values: ['shop'] }] }));
    expect(inside).toHaveLength(5);
    expect(inside).not.toContain('in another namespace');
  });

  test('finds by host, pod and instance, by name or address', async () => {
    const by = (field: 'host' | 'pod' | 'instance', value: string): Promise<string[]> =>
      messages(logQuery({ anyOf: [{ field, values: [value] }] }));
    expect(await by('pod', 'checkout-7c')).toHaveLength(1);
    expect(await by('host', 'web-1')).toHaveLength(1);
    expect(await by('instance', '10.0.0.7:9100')).toEqual(['by address']);
    expect(await by('instance', 'web-1:80')).toHaveLength(1);
  });

  test('takes a value for a value, also where the field is analysed text', async () => {
    for (const value of ['checkout OR *', '*', 'check*', '"checkout"', '{"match_all":{}}', '\u0001\\"']) {
      expect(await messages(logQuery({ anyOf: [{ field: 'service', values: [value] }] })), value).toEqual([]);
    }
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: ['text-service'] }] }))).toEqual([
      'analysed',
    ]);
  });

  test('reads the errors of everything when nothing is named', async () => {
    const found = await source().query('org', logQuery({ anyOf: [] }));
    expect(found.lines.length).toBeGreaterThan(0);
    expect(found.lines.every((line) => ['error', 'fatal'].includes(line.level))).toBe(true);
    expect(found.lines.map((line) => line.message)).toContain('unhandled exception in a line without level');
  });

  test('says so where no index matches, instead of failing', async () => {
    const found = await source({ index: 'nothing-*' }).query('org', logQuery());
    expect(found).toMatchObject({
      lines: [],
      total: 0,
      note: 'no index with a date field matches nothing-*',
    });
    expect(await source({ index: 'nothing-*' }).probe()).toMatch(/reachable, but nothing/);
    expect(await source().probe()).toMatch(/by @timestamp$/);
  });

  test('answers over 10,000 lines within a second or two', async () => {
    const operations = Array.from({ length: 10_000 }, (_, i) => [
      { create: {} },
      { '@timestamp': iso(i), service: { name: 'busy' }, log: { level: 'info' }, message: `request ${i}` },
    ]);
    await client.bulk({ index: 'logs-busy-default', operations: operations.flat(), refresh: true });
    const times: number[] = [];
    // what else runs on the machine may hold one of them up
    while (times.length < 3) {
      const start = performance.now();
      const found = await source().query(
        'org',
        logQuery({ anyOf: [{ field: 'service', values: ['busy'] }], limit: 3000 }),
      );
      times.push(performance.now() - start);
      expect(found.total).toBe(10_000);
      expect(found.lines).toHaveLength(3000);
    }
    expect(Math.min(...times)).toBeLessThan(5000);
  });
});

describe('Elasticsearch that does not answer as it should', () => {
  let server: Server;
  let respond: { status: number; body: string } | 'hang' = 'hang';
  let client: Client;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      if (respond === 'hang') return;
      response.writeHead(respond.status, {
        'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
        'x-elastic-product': 'Elasticsearch',
      });
      response.end(respond.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new Client({ node: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const ask = (timeoutMs = 10_000) => createElasticsearchLogs({ client, timeoutMs }).query('org', logQuery());

  test('is asked again when it is slow, away or overloaded', async () => {
    respond = 'hang';
    await expect(ask(150)).rejects.toThrow('Elasticsearch did not answer within 150 ms');
    respond = { status: 503, body: '{"error":"no master"}' };
    await expect(ask()).rejects.toBeInstanceOf(LogSourceUnavailableError);
    respond = { status: 429, body: '{}' };
    await expect(ask()).rejects.toBeInstanceOf(LogSourceUnavailableError);
    const away = new Client({ node: 'http://127.0.0.1:1' });
    await expect(createElasticsearchLogs({ client: away }).probe()).rejects.toThrow(/cannot be reached/);
    await away.close();
  });

  test('is not asked again when it refuses, and the remedy is named', async () => {
    respond = { status: 401, body: '{"error":"missing credentials"}' };
    await expect(ask()).rejects.toBeInstanceOf(LogSourceRefusedError);
    await expect(ask()).rejects.toThrow(/check its API key or user in ELASTICSEARCH_URL/);
  });
});

test('links into Kibana where it is configured, quoting for KQL and for its address', () => {
  const client = new Client({ node: 'http://127.0.0.1:1' });
  const asked = logQuery({ anyOf: [{ field: 'service', values: [`pay"'!\\`] }] });
  expect(createElasticsearchLogs({ client }).link(asked)).toBeNull();
  const link =
    createElasticsearchLogs({ client, kibanaUrl: 'http://kibana.example/s/ops/' }).link(asked) ?? '';
  expect(link.startsWith('http://kibana.example/s/ops/app/discover#/?_g=')).toBe(true);
  const app = new URLSearchParams(link.split('?')[1]).get('_a');
  expect(app).toBe(
    `(query:(language:kuery,query:'(service.name: ("pay\\\\"!'!!\\\\\\\\") or service: ("pay\\\\"!'!!\\\\\\\\"))'))`.replaceAll(
      '\\\\',
      '\\',
    ),
  );
});

async function seed(client: Client): Promise<void> {
  const keyword = { type: 'keyword' } as const;
  await client.indices.putIndexTemplate({
    name: 'ecs-logs',
    index_patterns: ['logs-*-*'],
    data_stream: {},
    template: {
      mappings: {
        properties: {
          '@timestamp': { type: 'date' },
          message: { type: 'text' },
          service: { properties: { name: keyword } },
          host: { properties: { name: keyword, ip: { type: 'ip' } } },
          log: { properties: { level: keyword } },
          kubernetes: { properties: { namespace: keyword, pod: { properties: { name: keyword } } } },
          error: { properties: { stack_trace: { type: 'keyword', index: false, doc_values: false } } },
        },
      },
    },
  });
  // the second index is mapped by Elasticsearch itself: text with a keyword beside it, a numbered level
  await client.indices.create({
    index: 'shop-logs',
    mappings: { properties: { service: { type: 'text', fields: { keyword } }, level: { type: 'long' } } },
  });
  // a third calls a word what the second numbers
  await client.indices.create({
    index: 'mail-logs',
    mappings: { properties: { '@timestamp': { type: 'date' }, app: keyword, level: keyword } },
  });
  const create = (index: string, document: Record<string, unknown>) => [
    { create: { _index: index } },
    document,
  ];
  const ecs = (
    offset: number,
    name: string,
    level: string,
    message: string,
    more: Record<string, unknown> = {},
  ) =>
    create('logs-app-default', {
      '@timestamp': iso(offset),
      service: { name },
      log: { level },
      message,
      ...more,
    });
  const answer = await client.bulk({
    refresh: true,
    operations: [
      ...ecs(0, 'checkout', 'ERROR', 'pool exhausted', {
        host: { name: 'web-1' },
        kubernetes: { namespace: 'shop', pod: { name: 'checkout-7c' } },
        error: { stack_trace: 'java.lang.X: no\n\tat a.B.c(B.java:1)' },
      }),
      ...ecs(10, 'checkout', 'Warning', 'slow'),
      ...ecs(20, 'checkout', 'info', 'in another namespace', { kubernetes: { namespace: 'test' } }),
      ...ecs(30, 'checkout', 'critical', 'dying'),
      ...create('mail-logs', { '@timestamp': iso(0), app: 'mail', level: 'INFO', message: 'sent' }),
      ...create('mail-logs', { '@timestamp': iso(-9), app: 'mail', level: 'ERROR', message: 'not sent' }),
      ...ecs(300_000, 'late', 'error', 'after the window'),
      ...ecs(0, 'db', 'info', 'by address', { host: { ip: '10.0.0.7' } }),
      ...create('logs-app-default', {
        '@timestamp': iso(0),
        'service.name': 'other',
        message: 'unhandled exception in a line without level',
      }),
      ...create('shop-logs', {
        timestamp: iso(5),
        '@timestamp': iso(5),
        service: 'checkout',
        level: 50,
        message: 'numbered',
      }),
      ...create('shop-logs', { '@timestamp': iso(6), service: 'checkout', level: 30, message: 'fine' }),
      ...create('shop-logs', {
        '@timestamp': iso(6),
        service: 'text-service',
        level: 30,
        message: 'analysed',
      }),
    ],
  });
  if (answer.errors) throw new Error(JSON.stringify(answer.items));
}
