import { createServer } from 'node:http';
import { createServer as createSecureServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../../db/database.ts';
import { type LogSourceDefinition, logSourceDefinition } from '../../domain/logs/log-source.ts';
import { at, logQuery } from '../../test/harness/log-query.ts';
import { type Certificate, selfSigned } from '../../test/parts/certificate.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { type SecretSource, SecretUnavailableError } from '../secrets/secret-source.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { openLogSource } from './open-log-source.ts';

type Done = (error: Error | null, addresses?: { address: string; family: number }[]) => void;
const lookup = vi.hoisted(() => vi.fn<(name: string, options: object, done: Done) => void>());
vi.mock('node:dns', async (original) => ({ ...(await original<typeof import('node:dns')>()), lookup }));

const db = {} as Database;
const query = logQuery({ limit: 10 });

function secretsOf(values: Record<string, string>): SecretSource {
  return {
    read: async (reference) => {
      const value = values[reference];
      if (value === undefined) throw new SecretUnavailableError(`${reference} is not there`);
      return value;
    },
  };
}

describe('behind TLS with an authority of its own', () => {
  let tried: TriedPart<Certificate>;
  let certificate: Certificate;
  let server: Server;
  const seen: string[] = [];
  beforeAll(async () => {
    tried = await tryPart(selfSigned);
    if (!tried.part) return;
    // as strict as Elasticsearch with security switched on: no answer without the right key
    server = createSecureServer(
      { cert: tried.part.certificate, key: tried.part.key },
      (request, response) => {
        seen.push(String(request.headers.authorization));
        const say = (status: number, body: unknown): void => {
          response.writeHead(status, {
            'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
            'x-elastic-product': 'Elasticsearch',
          });
          response.end(JSON.stringify(body));
        };
        const allowed = ['ApiKey a2V5OnNlY3JldA==', `Basic ${btoa('ana:p@ss')}`, 'Bearer t0ken'];
        if (!allowed.includes(String(request.headers.authorization))) {
          return say(401, {
            error: { type: 'security_exception', reason: 'missing authentication credentials' },
          });
        }
        if (request.url?.includes('_field_caps')) {
          const found = (type: string) => ({ [type]: { type, searchable: true, aggregatable: true } });
          return say(200, {
            fields: { '@timestamp': found('date'), 'svc.name': found('keyword'), message: found('text') },
          });
        }
        if (request.url?.includes('_search')) {
          const hit = {
            _source: {
              '@timestamp': new Date(at).toISOString(),
              'svc.name': 'checkout',
              message: 'no route',
            },
          };
          return say(200, {
            hits: { total: { value: 1 }, hits: [hit] },
            timed_out: false,
            _shards: { failed: 0, total: 1 },
          });
        }
        if (request.url?.startsWith('/loki/api/v1/labels')) return say(200, { data: ['service_name'] });
        if (request.url?.startsWith('/services/server/info')) {
          return say(200, { entry: [{ content: { version: '10.0.1' } }] });
        }
        return say(404, { error: 'unknown' });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach((context) => {
    certificate = tried.orSkip(context);
  });
  afterAll(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  });

  const definition = (change: object): LogSourceDefinition =>
    logSourceDefinition.parse({
      kind: 'elasticsearch',
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      timeoutSeconds: 5,
      ...change,
    });
  const open = (change: object) =>
    openLogSource(
      {
        db,
        egressAllow: [],
        ownsEnvironment: async () => true,
        secrets: secretsOf({
          'env:ES_KEY': 'a2V5OnNlY3JldA==',
          'env:PASSWORD': 'p@ss',
          'env:TOKEN': 't0ken',
          'env:WRONG': 'wrong',
          'file:ca.pem': certificate.certificate,
        }),
      },
      { orgId: 'org', name: 'shop' },
      definition(change),
    );

  test('Elasticsearch is asked with its API key, by the mapping of its fields', async () => {
    const source = await open({
      credential: 'env:ES_KEY',
      ca: 'file:ca.pem',
      fields: { service: ['svc.name'] },
    });
    expect(source.name).toBe('shop');
    const found = await source.query('org', query);
    expect(found.lines).toMatchObject([{ at, service: 'checkout', message: 'no route' }]);
    expect(found.asked).toBe('(svc.name: ("checkout"))');
    expect(await source.probe()).toMatch(/by @timestamp$/);
    await source.close?.();
  });

  test('a user and password, or a token, open the others too', async () => {
    const basic = await open({ user: 'ana', credential: 'env:PASSWORD', ca: 'file:ca.pem' });
    expect((await basic.query('org', query)).total).toBe(1);
    await basic.close?.();
    const loki = await open({ kind: 'loki', credential: 'env:TOKEN', ca: 'file:ca.pem' });
    expect(await loki.probe()).toBe('1 stream labels in the last hours');
    const splunk = await open({ kind: 'splunk', user: 'ana', credential: 'env:PASSWORD', ca: 'file:ca.pem' });
    expect(await splunk.probe()).toBe('Splunk 10.0.1 searches main');
  });

  test('without the right authority nothing is sent, without the right key nothing is read', async () => {
    const asked = seen.length;
    for (const kind of ['elasticsearch', 'loki', 'splunk']) {
      const unknown = await open({ kind, credential: 'env:ES_KEY' });
      await expect(unknown.probe(), kind).rejects.toBeInstanceOf(LogSourceUnavailableError);
      await expect(unknown.probe(), kind).rejects.toThrow(/certificate/);
      await unknown.close?.();
    }
    expect(seen).toHaveLength(asked);
    const wrong = await open({ credential: 'env:WRONG', ca: 'file:ca.pem' });
    await expect(wrong.query('org', query)).rejects.toThrow(/401.*credential of the log source/);
    await wrong.close?.();
  });

  test('a secret that is not there is named, never its value', async () => {
    await expect(open({ credential: 'env:NOT_THERE' })).rejects.toThrow('env:NOT_THERE is not there');
    await expect(open({ ca: 'file:other.pem' })).rejects.toBeInstanceOf(LogSourceRefusedError);
  });
});

const openFor = (isFirst: boolean, change: object, egressAllow: string[] = []) =>
  openLogSource(
    {
      db,
      egressAllow,
      ownsEnvironment: async () => isFirst,
      secrets: secretsOf({ 'env:KEY': 'key', 'file:ca.pem': 'pem' }),
    },
    { orgId: 'org', name: 'shop' },
    logSourceDefinition.parse(change),
  );

test('no source is asked at the address of cloud metadata', async () => {
  const open = (kind: string, url = 'http://169.254.169.254/') => openFor(true, { kind, url });
  await expect(open('elasticsearch')).rejects.toThrow(/Elasticsearch is not asked: .*link-local/);
  await expect((await open('loki')).probe()).rejects.toThrow(/Loki is not asked: .*link-local/);
});

describe('where the name of a source leads is looked at when it is asked', () => {
  afterEach(() => lookup.mockReset());
  /** What DNS says, one answer after the other, and the last one for ever. */
  const answering = (...answers: (string | Error)[]): void => {
    lookup.mockImplementation((_name, _options, done) => {
      const next = answers.length > 1 ? answers.shift() : answers[0];
      if (typeof next === 'string') done(null, [{ address: next, family: 4 }]);
      else done(next ?? new Error('nothing to answer'));
    });
  };
  const open = (kind: string) => openFor(true, { kind, url: 'http://logs.example.test:9200/' });

  test.each(['elasticsearch', 'loki'])('%s, when the connection is made', async (kind) => {
    answering('169.254.169.254');
    const source = await open(kind);
    await expect(source.probe()).rejects.toThrow(/link-local/);
    expect(lookup).toHaveBeenCalledTimes(1);
    await source.close?.();
  });

  test('elasticsearch, while DNS fails and afterwards', async () => {
    answering(new Error('getaddrinfo EAI_AGAIN'), '169.254.169.254');
    const source = await open('elasticsearch');
    await expect(source.probe()).rejects.toBeInstanceOf(LogSourceUnavailableError);
    await expect(source.probe()).rejects.toThrow(/link-local/);
    await source.close?.();
  });
});

describe('a source of another organization than the first', () => {
  test.each([
    [
      { kind: 'elasticsearch', url: 'http://127.0.0.1:1/', credential: 'env:KEY' },
      /leave out credential and ca/,
    ],
    [{ kind: 'loki', url: 'http://127.0.0.1:1/', ca: 'file:ca.pem' }, /leave out credential and ca/],
    [{ kind: 'splunk', url: 'http://127.0.0.1:1/', credential: 'ssm:/logs/key' }, /leave out credential/],
    [{ kind: 'cloudwatch', region: 'eu-central-1', logGroups: ['/shop'] }, /AWS role/],
  ])('has no secrets and no role of the installation: %j', async (definition, why) => {
    const opened = openFor(false, definition);
    await expect(opened).rejects.toBeInstanceOf(LogSourceRefusedError);
    await expect(opened).rejects.toThrow(why);
  });

  test('is opened without them', async () => {
    expect((await openFor(false, { kind: 'builtin' })).kind).toBe('builtin');
    expect((await openFor(false, { kind: 'loki', url: 'http://127.0.0.1:1/' })).kind).toBe('loki');
  });
});

test('an answer of Elasticsearch that is too large is not read to its end', async () => {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  let sent = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
    const send = (): void => {
      if (response.destroyed || sent >= 200) response.end();
      else if (response.write(chunk, () => sent++)) setImmediate(send);
      else response.once('drain', send);
    };
    send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const source = await openFor(true, { kind: 'elasticsearch', url: `http://127.0.0.1:${port}/` });
    await expect(source.probe()).rejects.toThrow('Elasticsearch answered more than 64 MB');
    expect(sent).toBeLessThan(200);
    await source.close?.();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
