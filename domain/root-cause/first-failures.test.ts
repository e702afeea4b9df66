import { expect, test } from 'vitest';
import { firstFailures, type TraceSpan } from './first-failures.ts';

/** 'trace span parent service outcome' in the order of their starts. */
function spans(...lines: string[]): TraceSpan[] {
  return lines.map((line, startedAt) => {
    const [traceId = '', spanId = '', parent, service = '', outcome] = line.split(' ');
    return {
      traceId,
      spanId,
      parentSpanId: parent === '-' ? null : (parent ?? null),
      service,
      failed: outcome === 'failed',
      startedAt,
    };
  });
}

test('the deepest failed span is the first failure, not those that fail because of it', () => {
  const trace = spans('t a - web failed', 't b a api failed', 't c b db failed', 't d b cache ok');
  expect(firstFailures(trace)).toEqual([{ service: 'db', firstFailures: 1, of: 1 }]);
});

test('of several the earliest counts', () => {
  const trace = spans('t a - web failed', 't b a api failed', 't c a mail failed');
  expect(firstFailures(trace)).toEqual([{ service: 'api', firstFailures: 1, of: 1 }]);
});

test('services are counted over traces, and traces without a failure are not', () => {
  const traces = spans(
    '1 a - web failed',
    '1 b a db failed',
    '2 a - web failed',
    '2 b a db failed',
    '3 a - web failed',
    '4 a - web ok',
  );
  expect(firstFailures(traces)).toEqual([
    { service: 'db', firstFailures: 2, of: 3 },
    { service: 'web', firstFailures: 1, of: 3 },
  ]);
});

test('a failure whose parent was never received still counts, and so does one amid a cycle', () => {
  expect(firstFailures(spans('t b lost api failed'))).toMatchObject([{ service: 'api' }]);
  expect(firstFailures(spans('t a b web failed', 't b a api failed'))).toMatchObject([{ service: 'web' }]);
});

test('no spans, no failures', () => {
  expect(firstFailures([])).toEqual([]);
});
