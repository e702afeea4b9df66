import type { Request } from 'express';
import { describe, expect, test } from 'vitest';
import { groupsOf } from './body.ts';
import { logLineOf } from './log-lines.ts';
import { countRecords, readRecords } from './records.ts';
import { spanOf } from './spans.ts';

const of = (type: string) => ({ get: () => type }) as unknown as Request;
const protobuf = of('application/x-protobuf');
const json = of('application/json');

/** A field of protobuf with bytes in it. */
function field(number: number, content: Buffer): Buffer {
  const length: number[] = [];
  let rest = content.length;
  while (rest > 127) {
    length.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), content]);
}
const repeated = (unit: string | Buffer, times: number) =>
  Buffer.alloc(Buffer.from(unit).length * times, unit);
const empty = (number: number) => field(number, Buffer.alloc(0));
const tenMegabytes = 10 * 1024 * 1024;
/** A log record whose body is 'a'. */
const record = field(2, field(5, field(1, Buffer.from('a'))));
const inScope = (records: Buffer) => field(1, field(2, records));

describe('what a few bytes of gzip may hold is refused before anything is made of it', () => {
  test.each([
    ['resources', protobuf, repeated(empty(1), tenMegabytes / 2), 'more than 20,000 resources'],
    ['scopes', protobuf, field(1, repeated(empty(2), 21_000)), 'more than 20,000 resources'],
    ['records', protobuf, inScope(repeated(record, 1_500_000)), 'more than 50,000 records'],
    [
      'unknown fields',
      protobuf,
      repeated(Buffer.from([0x78, 0]), tenMegabytes / 2),
      'more than 100,000 fields',
    ],
    ['resources as JSON', json, `{"resourceLogs":[${'{},'.repeat(20_000)}{}]}`, 'more than 20,000 resources'],
    [
      'scopes as JSON',
      json,
      `{"resourceLogs":[{"scopeLogs":[${'{},'.repeat(20_000)}{}]}]}`,
      'more than 20,000 resources',
    ],
    [
      'records as JSON',
      json,
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${'{},'.repeat(50_000)}{}]}]}]}`,
      'more than 50,000 records',
    ],
    ['values as JSON', json, `{"resourceLogs":[${'{},'.repeat(3_000_000)}{}]}`, 'too many values'],
  ])('%s', (_, request, body, message) => {
    expect(() => groupsOf(request, Buffer.from(body), 'logs')).toThrow(
      expect.objectContaining({ status: 413, message: expect.stringContaining(message) }),
    );
  });
});

test('as many as may come at once are read', async () => {
  const groups = groupsOf(protobuf, inScope(repeated(record, 50_000)), 'logs');
  expect(countRecords(groups)).toBe(50_000);
  const read = await readRecords(groups, 1200, (each, resource) => logLineOf(each, resource, 7));
  expect(read).toMatchObject({ rejected: 0, message: '' });
  expect(read.items).toHaveLength(1200);
  expect(read.items[0]).toMatchObject({ at: 7, message: 'a' });
});

test('a record of too many values is one that has nothing right in it, the others are taken', async () => {
  const huge = field(2, repeated(empty(6), 10_001));
  const groups = groupsOf(protobuf, inScope(Buffer.concat([record, huge, record])), 'logs');
  const read = await readRecords(groups, 10, (each, resource) => logLineOf(each, resource, 7));
  expect(read).toMatchObject({ rejected: 1 });
  expect(read.items).toHaveLength(2);
});

test('of a span the first 128 events are looked at', async () => {
  const span = {
    traceId: '1'.repeat(32),
    spanId: '1'.repeat(16),
    startTimeUnixNano: '1763000000000000000',
    status: { code: 2 },
    events: [
      ...Array(127).fill({}),
      { name: 'exception', attributes: [{ key: 'exception.type', value: { stringValue: 'Late' } }] },
    ],
  };
  const resource = new Map([['service.name', 'web']]);
  expect(spanOf(span, resource)).toMatchObject({ message: 'Late' });
  expect(spanOf({ ...span, events: [{}, ...span.events] }, resource)).toMatchObject({ message: 'failed' });
});
