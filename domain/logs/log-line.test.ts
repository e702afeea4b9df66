import { describe, expect, test } from 'vitest';
import { cut, logLevel, parseLogLines, storedMessageLength } from './log-line.ts';

const good = { timestamp: '2026-11-21T02:14:07Z', service: 'checkout', level: 'ERROR', message: 'no route' };
const line = (change: Record<string, unknown>): string => JSON.stringify({ ...good, ...change });

describe('parseLogLines', () => {
  test('reads a line with and without what is optional', () => {
    expect(
      parseLogLines(`${line({})}\n\n${line({ host: 'web-1', labels: { pod: 'a', shard: 3 } })}\r\n`),
    ).toEqual({
      lines: [
        {
          at: Date.parse('2026-11-21T02:14:07Z'),
          service: 'checkout',
          host: null,
          level: 'error',
          message: 'no route',
          labels: {},
        },
        {
          at: Date.parse('2026-11-21T02:14:07Z'),
          service: 'checkout',
          host: 'web-1',
          level: 'error',
          message: 'no route',
          labels: { pod: 'a', shard: '3' },
        },
      ],
      problems: [],
      rejected: 0,
    });
  });

  test('takes times as ISO 8601 with an offset, without a zone as UTC, and as epoch milliseconds', () => {
    const at = (timestamp: unknown): number | undefined => parseLogLines(line({ timestamp })).lines[0]?.at;
    expect(at('2026-11-21T03:14:07+01:00')).toBe(Date.UTC(2026, 10, 21, 2, 14, 7));
    expect(at('2026-11-21T02:14:07.5')).toBe(Date.UTC(2026, 10, 21, 2, 14, 7, 500));
    expect(at(1_795_227_247_000)).toBe(1_795_227_247_000);
  });

  test('reports a bad line by number and field and keeps the others', () => {
    const body = [
      line({}),
      '{"timestamp": ',
      line({ timestamp: 'yesterday' }),
      line({ service: undefined }),
      line({ labels: { pod: {} } }),
      '[]',
      line({ timestamp: -5 }),
      line({ message: 'still here' }),
    ].join('\n');
    const { lines, problems, rejected } = parseLogLines(body);
    expect(lines.map((one) => one.message)).toEqual(['no route', 'still here']);
    expect(problems.map(({ line: number, field }) => [number, field])).toEqual([
      [2, ''],
      [3, 'timestamp'],
      [4, 'service'],
      [5, 'labels.pod'],
      [6, ''],
      [7, 'timestamp'],
    ]);
    expect(problems[0]?.message).toContain('one object per line');
    expect(rejected).toBe(6);
  });

  test('lists a hundred problems and counts the rest', () => {
    const { problems, rejected } = parseLogLines('nonsense\n'.repeat(250));
    expect(problems).toHaveLength(100);
    expect(rejected).toBe(250);
  });

  test('removes what PostgreSQL cannot store and cuts endless messages visibly', () => {
    const { lines } = parseLogLines(
      [line({ message: 'a\u0000b\ud800c', service: 'x\u0000y' }), line({ message: 'x'.repeat(50_000) })].join(
        '\n',
      ),
    );
    expect(lines[0]).toMatchObject({ message: 'ab\ufffdc', service: 'xy' });
    expect(lines[1]?.message).toHaveLength(storedMessageLength);
    expect(lines[1]?.message.endsWith('…')).toBe(true);
  });
});

describe('logLevel', () => {
  test.each([
    ['ERROR', '', 'error'],
    ['Critical', '', 'fatal'],
    ['warning', '', 'warn'],
    ['50', '', 'error'],
    [30, '', 'info'],
    [undefined, '2026-11-21 02:14:07,978 ERROR [main] it broke', 'error'],
    [undefined, '[WARN] slow', 'warn'],
    ['-', 'java.lang.IllegalStateException: no', 'error'],
    [null, 'panic: runtime error: index out of range', 'error'],
    [undefined, 'error rate is fine, says the page about errors', 'error'],
    [undefined, 'all good', 'info'],
  ] as const)('of %s with message "%s" is %s', (word, message, level) => {
    expect(logLevel(word, message)).toBe(level);
  });
});

test('cut never leaves half a character', () => {
  expect(cut('abc', 3)).toBe('abc');
  expect(cut('abcd', 3)).toBe('ab…');
  expect(cut('a😀b', 3)).toBe('a…');
});
