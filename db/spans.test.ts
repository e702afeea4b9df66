import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Span } from '../domain/topology/span.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { spanId, traceId } from '../test/harness/otlp.ts';
import { failingTraces, learnExternalCalls, recordSpans } from './spans.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('truncate spans, services, service_dependencies');
});

const at = Date.UTC(2026, 10, 21, 2, 14);
const span = (trace: number, id: number, service: string, change: Partial<Span> = {}): Span => ({
  traceId: traceId(trace),
  spanId: spanId(id),
  parentSpanId: null,
  service,
  peer: null,
  peerKind: null,
  name: 'GET /',
  startedAt: at,
  endedAt: at + 20,
  failed: false,
  message: null,
  ...change,
});
const record = (...spans: Span[]) =>
  database.db.write({ orgId: database.orgId }, (tx) => recordSpans(tx, { orgId: database.orgId, spans }));
const dependencies = async () => {
  const { rows } = await database.owner.query(
    `select caller, callee, calls, errors from service_dependencies order by caller, callee`,
  );
  return rows.map(({ caller, callee, calls, errors }) => `${caller} → ${callee} ${calls}/${errors}`);
};

describe('recordSpans', () => {
  test('answers how many are new, and takes two organizations apart', async () => {
    expect(await record(span(1, 1, 'web'), span(1, 1, 'web'), span(1, 2, 'web'))).toBe(2);
    expect(await record(span(1, 1, 'web'), span(1, 3, 'web'))).toBe(1);
    const { rows } = await database.owner.query<{ org_id: string }>(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    const orgId = rows[0]!.org_id;
    const child = span(1, 4, 'api', { parentSpanId: spanId(1) });
    await database.db.write({ orgId }, (tx) => recordSpans(tx, { orgId, spans: [child] }));
    expect(await dependencies()).toEqual([]);
  });

  test('requests that come at the same time on the same services all count', async () => {
    const trace = (n: number) => [
      span(n, 1, 'web'),
      span(n, 2, 'api', { parentSpanId: spanId(1) }),
      span(n, 3, 'db', { parentSpanId: spanId(2), failed: n % 2 === 0 }),
    ];
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => record(...(n % 3 ? trace(n) : trace(n).toReversed()))),
    );
    expect(await dependencies()).toEqual(['api → db 20/10', 'web → api 20/0']);
  });
});

describe('learnExternalCalls', () => {
  test('a host is called when no other service answers under the span', async () => {
    const calls = { peer: 'api.stripe.com', peerKind: 'external' } as const;
    await record(
      span(1, 1, 'shop', { ...calls, failed: true }),
      span(1, 2, 'shop', { peer: 'stock', peerKind: 'external' }),
      span(1, 3, 'stock-service', { parentSpanId: spanId(2) }),
    );
    const learn = (from: number, to: number) =>
      database.db.write({ orgId: database.orgId }, (tx) =>
        learnExternalCalls(tx, { orgId: database.orgId, from, to }),
      );
    await learn(Date.now() - 3_600_000, Date.now() - 1_800_000);
    expect(await dependencies()).toEqual(['shop → stock-service 1/0']);
    await learn(Date.now() - 60_000, Date.now() + 60_000);
    expect(await dependencies()).toEqual(['shop → api.stripe.com 1/1', 'shop → stock-service 1/0']);
    const { rows } = await database.owner.query(`select kind from services where name = 'api.stripe.com'`);
    expect(rows).toEqual([{ kind: 'external' }]);
  });
});

describe('failingTraces', () => {
  const failing = (asked: Partial<Parameters<typeof failingTraces>[1]>) =>
    database.db.read({ orgId: database.orgId }, (tx) =>
      failingTraces(tx, { services: ['api'], from: at - 60_000, to: at + 60_000, limit: 10, ...asked }),
    );

  test('brings whole traces in which a service failed, the latest first', async () => {
    const root = span(1, 1, 'web');
    const failed = span(1, 2, 'api', {
      parentSpanId: spanId(1),
      startedAt: at + 1.5,
      failed: true,
      message: 'no connection',
    });
    const later = span(2, 1, 'api', { startedAt: at + 1000, endedAt: at + 1500, failed: true });
    await record(failed, root, later, span(3, 1, 'api'), span(4, 1, 'db', { failed: true }));
    expect(await failing({})).toEqual([
      { traceId: traceId(2), spans: [later] },
      { traceId: traceId(1), spans: [root, failed] },
    ]);
    expect((await failing({ limit: 1 })).map((trace) => trace.traceId)).toEqual([traceId(2)]);
    expect(await failing({ to: at })).toEqual([]);
    expect(await failing({ services: [] })).toEqual([]);
  });
});
