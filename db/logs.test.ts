import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogLevel, LogLine } from '../domain/logs/log-line.ts';
import type { LogQuery } from '../domain/logs/query.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { insertLogs, logsStatement, queryLogs } from './logs.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.close();
});
beforeEach(async () => {
  await database.owner.query('truncate logs');
});

const at = Date.UTC(2026, 10, 21, 2, 14);
const line = (message: string, change: Partial<LogLine> = {}): LogLine => ({
  at,
  service: 'checkout',
  host: null,
  level: 'info',
  message,
  labels: {},
  ...change,
});
const around: LogQuery = { from: at - 300_000, to: at + 300_000, anyOf: [], within: [], limit: 100 };
const insert = (lines: LogLine[]): Promise<number> =>
  database.db.write({ orgId: database.orgId }, (tx) => insertLogs(tx, { orgId: database.orgId, lines }));
const messages = async (query: Partial<LogQuery>): Promise<string[]> => {
  const found = await database.db.read({ orgId: database.orgId }, (tx) =>
    queryLogs(tx, { ...around, ...query }),
  );
  return found.lines.map((one) => one.message);
};

describe('insertLogs', () => {
  test('stores the lines of a request in one statement, as they are', async () => {
    const odd = line(`quotes ' " \\ and {"json": true} and 😀`, {
      host: 'web-1',
      level: 'error',
      labels: { pod: 'a', "o'dd": '$1' },
    });
    expect(await insert([odd, line('second')])).toBe(2);
    const found = await database.db.read({ orgId: database.orgId }, (tx) =>
      queryLogs(tx, { ...around, anyOf: [{ field: 'host', values: ['web-1'] }] }),
    );
    expect(found).toEqual({ lines: [odd], total: 1 });
    expect(await insert([])).toBe(0);
  });

  test('refuses to write into another organization', async () => {
    const { rows } = await database.owner.query<{ org_id: string }>(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    const other = rows[0]!.org_id;
    await expect(
      database.db.write({ orgId: database.orgId }, (tx) =>
        insertLogs(tx, { orgId: other, lines: [line('x')] }),
      ),
    ).rejects.toThrow(/row-level security/);
  });
});

describe('queryLogs', () => {
  test('takes errors before warnings before the rest, the latest first, and counts what it leaves out', async () => {
    const levels: LogLevel[] = ['info', 'warn', 'error', 'fatal', 'debug'];
    await insert(levels.map((level, i) => line(level, { level, at: at + i })));
    const anyOf: LogQuery['anyOf'] = [{ field: 'service', values: ['checkout'] }];
    expect(await messages({ anyOf, limit: 1 })).toEqual(['fatal']);
    expect(await messages({ anyOf, limit: 3 })).toEqual(['warn', 'error', 'fatal']);
    expect(await messages({ anyOf, limit: 4 })).toEqual(['warn', 'error', 'fatal', 'debug']);
    const found = await database.db.read({ orgId: database.orgId }, (tx) =>
      queryLogs(tx, { ...around, anyOf, limit: 2 }),
    );
    expect(found.total).toBe(5);
  });

  test('returns lines of one instant in the order in which they came', async () => {
    const parts = ['java.io.IOException: no', '\tat a.B.c(B.java:1)', '\tat a.B.d(B.java:2)'];
    await insert(parts.map((part) => line(part)));
    expect(await messages({ anyOf: [{ field: 'service', values: ['checkout'] }] })).toEqual(parts);
  });

  test('finds by service, host, pod, instance or namespace, within the time', async () => {
    await insert([
      line('by service', { service: 'pay' }),
      line('by host', { service: 'x', host: '10.0.0.7' }),
      line('by pod', { service: 'x', labels: { pod: 'pay-7c' } }),
      line('by pod as host', { service: 'x', host: 'pay-7c' }),
      line('by namespace', { service: 'x', labels: { namespace: 'shop' } }),
      line('too early', { service: 'pay', at: around.from - 1 }),
      line('too late', { service: 'pay', at: around.to }),
    ]);
    expect(await messages({ anyOf: [{ field: 'service', values: ['pay', 'nope'] }] })).toEqual([
      'by service',
    ]);
    expect(await messages({ anyOf: [{ field: 'instance', values: ['10.0.0.7:9100'] }] })).toEqual([
      'by host',
    ]);
    expect((await messages({ anyOf: [{ field: 'pod', values: ['pay-7c'] }] })).sort()).toEqual([
      'by pod',
      'by pod as host',
    ]);
    expect(await messages({ anyOf: [{ field: 'namespace', values: ['shop'] }] })).toEqual(['by namespace']);
  });

  test('leaves out what says it is of another namespace, and keeps what says nothing', async () => {
    await insert([
      line('here', { labels: { namespace: 'shop' } }),
      line('elsewhere', { labels: { namespace: 'test' } }),
      line('unsaid'),
    ]);
    const found = await messages({
      anyOf: [{ field: 'service', values: ['checkout'] }],
      within: [{ field: 'namespace', values: ['shop'] }],
    });
    expect(found.sort()).toEqual(['here', 'unsaid']);
  });

  test('returns the errors of everything when nothing is named', async () => {
    await insert([line('fine'), line('broken', { level: 'error', service: 'any' })]);
    expect(await messages({})).toEqual(['broken']);
  });

  test('takes values for values', async () => {
    await insert([line('x')]);
    expect(
      await messages({ anyOf: [{ field: 'service', values: [`checkout') or true --`, '{checkout}'] }] }),
    ).toEqual([]);
  });

  test('shows an organization its own lines only', async () => {
    await database.owner.query(
      `insert into logs (org_id, at, service, level, message)
       select org_id, $1, 'checkout', 'error', 'secret' from organizations where slug = 'other'`,
      [new Date(at)],
    );
    expect(await messages({ anyOf: [{ field: 'service', values: ['checkout'] }] })).toEqual([]);
  });

  test.each([
    ['services', [{ field: 'service' as const, values: ['svc-7'] }]],
    [
      'hosts and services',
      [
        { field: 'host' as const, values: ['h-7'] },
        { field: 'service' as const, values: ['svc-7'] },
      ],
    ],
    ['pods', [{ field: 'pod' as const, values: ['p-7'] }]],
    ['nothing named', []],
  ])('reads an index, not the table, for %s', async (_what, anyOf) => {
    await database.owner.query(
      `insert into logs (org_id, at, service, host, level, message)
       select $1, $2::timestamptz - make_interval(secs => n), 'svc-' || n % 50, 'h-' || n % 200, 'info', 'm'
       from generate_series(1, 60000) n`,
      [database.orgId, new Date(at)],
    );
    await database.owner.query('analyze logs');
    const plan = await database.db.read({ orgId: database.orgId }, async (tx) => {
      const compiled = logsStatement({ ...around, anyOf }).compile(tx);
      const { rows } = await tx.executeQuery<Record<string, string>>({
        ...compiled,
        sql: `explain ${compiled.sql}`,
      });
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).not.toContain('Seq Scan');
    expect(plan).toMatch(/Index Scan/);
  });
});
