import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseUnavailableError } from '../../db/database.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import {
  attribute,
  fromProtobuf,
  type SpanGiven,
  spanId,
  toProtobuf,
  traceId,
  tracesJson,
} from '../../test/harness/otlp.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.fixture.owner.query('truncate spans, services, service_dependencies, logs');
});

interface Sent {
  path?: string;
  headers?: Record<string, string>;
  base?: string;
}

async function send(
  body: Buffer | string,
  type: string,
  { path = '/v1/traces', headers = {}, base }: Sent = {},
) {
  const response = await fetch((base ?? api.url) + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.ingestKey}`, 'content-type': type, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    headers: response.headers,
    bytes,
  };
}

const json = 'application/json';
const protobuf = 'application/x-protobuf';
const sendSpans = (...spans: SpanGiven[]) => send(JSON.stringify(tracesJson(spans)), json);

async function dependencies(): Promise<string[]> {
  const { rows } = await api.fixture.owner.query(
    `select caller || ' → ' || callee || ' ' || calls || '/' || errors as text from service_dependencies order by 1`,
  );
  return rows.map(({ text }) => text);
}

/** web calls api, which calls the database and fails. */
const story: SpanGiven[] = [
  { service: 'web', traceId: traceId(7), spanId: spanId(1), failed: 'HTTP 500' },
  {
    service: 'web',
    traceId: traceId(7),
    spanId: spanId(2),
    parentSpanId: spanId(1),
    kind: 3,
    failed: 'HTTP 500',
  },
  {
    service: 'api',
    traceId: traceId(7),
    spanId: spanId(3),
    parentSpanId: spanId(2),
    failed: 'no connection',
  },
  {
    service: 'api',
    traceId: traceId(7),
    spanId: spanId(4),
    parentSpanId: spanId(3),
    kind: 3,
    failed: 'connection refused',
    attributes: {
      'db.system.name': 'postgresql',
      'server.address': 'db-primary.shop.svc',
      'server.port': 5432,
    },
  },
];
const learned = ['api → db-primary 1/1', 'web → api 1/1'];

describe('traces', () => {
  test.each([
    ['JSON', () => send(JSON.stringify(tracesJson(story)), json), json],
    ['JSON with a charset', () => send(JSON.stringify(tracesJson(story)), `${json}; charset=utf-8`), json],
    ['protobuf', () => send(toProtobuf('Traces', tracesJson(story)), protobuf), protobuf],
    [
      'protobuf with gzip',
      () =>
        send(gzipSync(toProtobuf('Traces', tracesJson(story))), protobuf, {
          headers: { 'content-encoding': 'gzip' },
        }),
      protobuf,
    ],
  ])('as %s: the answer comes in the same form, and what is learned is the same', async (_, post, type) => {
    const answer = await post();
    expect(answer.status).toBe(200);
    expect(answer.type).toContain(type);
    expect(type === json ? JSON.parse(answer.bytes.toString()) : answer.bytes.length).toEqual(
      type === json ? {} : 0,
    );
    expect(await dependencies()).toEqual(learned);
    const { rows } = await api.fixture.owner.query('select name, kind from services order by name');
    expect(rows).toEqual([
      { name: 'api', kind: 'service' },
      { name: 'db-primary', kind: 'database' },
      { name: 'web', kind: 'service' },
    ]);
  });

  test('the key may come in its own header; without one nobody is let in, in the form of the request', async () => {
    const body = JSON.stringify(tracesJson(story));
    const own = await fetch(`${api.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': json, 'x-holdfast-key': api.ingestKey },
      body,
    });
    expect(own.status).toBe(200);
    const { rows } = await api.fixture.owner.query('select last_seen_at from integrations where id = $1', [
      api.integrationId,
    ]);
    expect(rows).toEqual([{ last_seen_at: expect.any(Date) }]);
    const none = await fetch(`${api.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': protobuf },
      body: new Uint8Array(toProtobuf('Traces', tracesJson(story))),
    });
    expect(none.status).toBe(401);
    expect(fromProtobuf('Status4xx', await none.bytes())).toEqual({
      code: 16,
      message: expect.stringContaining('ingest key'),
    });
  });

  test('spans in any order and in several requests show the same calls, and each counts once', async () => {
    for (const span of story.toReversed()) await sendSpans(span);
    expect(await dependencies()).toEqual(learned);
    await sendSpans(...story);
    expect(await dependencies()).toEqual(learned);
  });

  test('what cannot be taken is counted and named, the rest is kept', async () => {
    const { bytes, status } = await sendSpans(
      ...story,
      { service: '', traceId: traceId(8), spanId: spanId(5) },
      { service: 'web', traceId: 'abc', spanId: spanId(6) },
    );
    expect(status).toBe(200);
    expect(JSON.parse(bytes.toString())).toEqual({
      partialSuccess: {
        rejectedSpans: 2,
        errorMessage:
          "a span whose resource has no 'service.name'; a span: traceId is not 32 hexadecimal digits",
      },
    });
    expect(await dependencies()).toEqual(learned);
    const binary = await send(
      toProtobuf('Traces', tracesJson([{ service: '', traceId: traceId(8), spanId: spanId(5) }])),
      protobuf,
    );
    expect(fromProtobuf('TraceResponse', binary.bytes)).toEqual({
      partialSuccess: { rejectedSpans: 1, errorMessage: expect.stringContaining('service.name') },
    });
  });

  test('an empty request is a request', async () => {
    expect((await send(Buffer.alloc(0), protobuf)).status).toBe(200);
    expect((await send('{}', json)).status).toBe(200);
  });

  test.each([
    ['broken JSON', '{"resourceSpans": [', json, 400],
    ['another shape', '{"resourceSpans": 7}', json, 400],
    ['broken protobuf', Buffer.from([0x0a, 0xff, 0x01]), protobuf, 400],
    ['another type', 'x', 'text/plain', 415],
    ['more than 10 MB', gzipSync(Buffer.alloc(11 * 1024 * 1024, 32)), json, 413],
  ])('%s is refused for good', async (_, body, type, status) => {
    const zipped = typeof body !== 'string' && body[0] === 0x1f;
    const answer = await send(body, type, zipped ? { headers: { 'content-encoding': 'gzip' } } : {});
    expect(answer.status).toBe(status);
    if (type === protobuf) expect(fromProtobuf('Status4xx', answer.bytes)).toMatchObject({ code: 3 });
    else expect(JSON.parse(answer.bytes.toString())).toEqual({ code: 3, message: expect.any(String) });
  });

  test('what is not taken says what is', async () => {
    const path = '/v1/metrics';
    const plain = await send('{}', json, { path });
    expect(plain.status).toBe(404);
    expect(JSON.parse(plain.bytes.toString())).toEqual({
      code: 5,
      message: 'there is no POST /v1/metrics: Holdfast takes POST /v1/traces and /v1/logs',
    });
    const binary = await send(Buffer.alloc(2), protobuf, { path });
    expect(fromProtobuf('Status4xx', binary.bytes)).toMatchObject({ code: 5 });
  });

  test('while the database is away the sender is asked to come again', async () => {
    const away = await createTestApi({
      db: {
        ...api.fixture.db,
        read: api.fixture.db.read.bind(api.fixture.db),
        unscoped: async (work) => api.fixture.db.unscoped(work),
        write: async () => {
          throw new DatabaseUnavailableError('away');
        },
      },
    });
    try {
      const answer = await send(JSON.stringify(tracesJson(story)), json, { base: away.url });
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(JSON.parse(answer.bytes.toString())).toMatchObject({ code: 14 });
    } finally {
      await away.close();
    }
  });

  test('queues are called from both of their ends, hosts are not taken for services at once', async () => {
    await sendSpans(
      {
        service: 'shop',
        traceId: traceId(9),
        spanId: spanId(1),
        kind: 4,
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
      },
      {
        service: 'packer',
        traceId: traceId(9),
        spanId: spanId(2),
        parentSpanId: spanId(1),
        kind: 5,
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
      },
      {
        service: 'shop',
        traceId: traceId(9),
        spanId: spanId(3),
        kind: 3,
        attributes: { 'server.address': 'api.stripe.com', 'http.response.status_code': 503 },
      },
      {
        service: 'shop',
        traceId: traceId(9),
        spanId: spanId(4),
        kind: 3,
        attributes: { 'peer.service': 'stock' },
      },
    );
    expect(await dependencies()).toEqual(['packer → orders 1/0', 'shop → orders 1/0', 'shop → stock 1/0']);
    const { rows } = await api.fixture.owner.query(
      `select failed, message, peer from spans where peer_kind = 'external'`,
    );
    expect(rows).toEqual([{ failed: true, message: 'HTTP 503', peer: 'api.stripe.com' }]);
  });
});

describe('logs', () => {
  const at = Date.UTC(2026, 10, 21, 2, 14);
  const logs = {
    resourceLogs: [
      {
        resource: {
          attributes: [
            attribute('service.name', 'checkout'),
            attribute('host.name', 'web-1'),
            attribute('k8s.namespace.name', 'shop'),
            attribute('k8s.pod.name', 'checkout-7d'),
          ],
        },
        scopeLogs: [
          {
            scope: { name: 'log4j' },
            logRecords: [
              {
                timeUnixNano: `${at}000000`,
                severityNumber: 17,
                severityText: 'ERROR',
                body: { stringValue: 'payment failed' },
                traceId: traceId(7),
                spanId: spanId(3),
                attributes: [
                  attribute(
                    'exception.stacktrace',
                    'java.lang.IllegalStateException: no\n\tat shop.Pay.run(Pay.java:7)',
                  ),
                  attribute('http.route', '/pay'),
                ],
              },
              { observedTimeUnixNano: `${at}000000`, body: { stringValue: 'WARN slow\u0000' } },
              { timeUnixNano: `${at}000000`, body: { kvlistValue: { values: [attribute('code', 7)] } } },
              { timeUnixNano: `${at}000000` },
            ],
          },
        ],
      },
    ],
  };

  test.each([
    ['JSON', () => send(JSON.stringify(logs), json, { path: '/v1/logs' })],
    ['protobuf', () => send(toProtobuf('Logs', logs), protobuf, { path: '/v1/logs' })],
  ])('as %s become lines of the built-in store', async (_, post) => {
    expect((await post()).status).toBe(200);
    const { rows } = await api.fixture.owner.query(
      'select at, service, host, level, message, labels from logs order by id',
    );
    const origin = { namespace: 'shop', pod: 'checkout-7d' };
    expect(rows).toEqual([
      {
        at: new Date(at),
        service: 'checkout',
        host: 'web-1',
        level: 'error',
        message: 'payment failed\njava.lang.IllegalStateException: no\n\tat shop.Pay.run(Pay.java:7)',
        labels: { ...origin, trace_id: traceId(7), span_id: spanId(3), 'http.route': '/pay' },
      },
      expect.objectContaining({ at: new Date(at), level: 'warn', message: 'WARN slow', labels: origin }),
      expect.objectContaining({ message: '{"code":7}', labels: origin }),
    ]);
  });

  test('what has nothing in it is counted', async () => {
    const { bytes } = await send(JSON.stringify(logs), json, { path: '/v1/logs' });
    expect(JSON.parse(bytes.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: 1, errorMessage: 'a log record without a body' },
    });
  });
});
