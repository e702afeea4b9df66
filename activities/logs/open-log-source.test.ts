import { createServer as createSecureServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { type LogSourceDefinition, logSourceDefinition } from '../../domain/logs/log-source.ts';
import type { LogQuery } from '../../domain/logs/query.ts';
import { type Certificate, selfSigned } from '../../test/parts/certificate.ts';
import { PartUnavailableError } from '../../test/parts/part.ts';
import { type SecretSource, SecretUnavailableError } from '../secrets/secret-source.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { openLogSource } from './open-log-source.ts';

const db = {} as Database;
const at = Date.UTC(2026, 10, 21, 2, 14);
const query: LogQuery = {
  from: at - 300_000,
  to: at + 300_000,
  anyOf: [{ field: 'service', values: ['checkout'] }],
  within: [],
  limit: 10,
};

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
  let certificate: Certificate;
  let server: Server;
  let missing = '';
  const seen: string[] = [];
  beforeAll(async () => {
    try {
      certificate = await selfSigned();
    } catch (error) {
      if (!(error instanceof PartUnavailableError)) throw error;
      missing = error.message;
      return;
    }
    // as strict as Elasticsearch with security switched on: no answer without the right key
    server = createSecureServer(
      { cert: certificate.certificate, key: certificate.key },
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
  beforeEach(({ skip }) => skip(missing !== '', missing));
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
        secrets: secretsOf({
          'env:ES_KEY': 'a2V5OnNlY3JldA==',
          'env:PASSWORD': 'p@ss',
          'env:TOKEN': 't0ken',
          'env:WRONG': 'wrong',
          'file:ca.pem': certificate.certificate,
        }),
      },
      'shop',
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

test('no source is asked at the address of cloud metadata', async () => {
  const open = (kind: string) =>
    openLogSource(
      { db, egressAllow: [], secrets: secretsOf({}) },
      'shop',
      logSourceDefinition.parse({ kind, url: 'http://169.254.169.254/' }),
    );
  await expect(open('elasticsearch')).rejects.toThrow(/Elasticsearch is not asked: .*link-local/);
  await expect((await open('loki')).probe()).rejects.toThrow(/Loki is not asked: .*link-local/);
});
