import { describe, expect, test } from 'vitest';
import { logEvidence, summarizeEvidence } from './log-evidence.ts';
import type { LogLevel, LogLine } from './log-line.ts';
import { relevantLines, type WeighedLine } from './relevance.ts';
import { comparedWithUsual, type LogSample } from './usual.ts';

const alertAt = Date.UTC(2026, 10, 21, 2, 14);
const context = { alertTimes: [alertAt], services: ['checkout'] };
const line = (message: string, level: LogLevel = 'info', at = alertAt, service = 'checkout'): LogLine => ({
  at,
  service,
  host: null,
  level,
  message,
  labels: {},
});

const window = { from: alertAt - 300_000, to: alertAt + 300_000 };
const around = (lines: LogLine[]): LogSample => ({ lines, total: lines.length, ...window });
const earlier = (lines: LogLine[], total = lines.length): LogSample => ({
  lines,
  total,
  from: window.from - 3_600_000,
  to: window.from,
});

describe('logEvidence', () => {
  const during = [
    ...Array.from({ length: 40 }, (_, i) =>
      line(`GET /orders/${i} took ${i} ms`, 'info', alertAt - i * 1000),
    ),
    line('pool exhausted after 30 waits', 'error', alertAt - 9000),
    line('pool exhausted after 31 waits', 'error', alertAt - 4000),
    line('slow answer from stock', 'warn'),
  ];

  test('counts patterns, errors first, with their first and last moment and a sample', () => {
    const { patterns } = logEvidence(around(during), null, context);
    expect(patterns.map((pattern) => [pattern.template, pattern.count, pattern.level])).toEqual([
      ['pool exhausted after <*> waits', 2, 'error'],
      ['slow answer from stock', 1, 'warn'],
      ['GET <*> took <*>', 40, 'info'],
    ]);
    expect(patterns[0]).toMatchObject({
      firstAt: new Date(alertAt - 9000).toISOString(),
      lastAt: new Date(alertAt - 4000).toISOString(),
      sample: 'pool exhausted after 30 waits',
    });
  });

  test('marks what was not seen before the incident, and nothing where there is nothing to compare with', () => {
    const isNew = (before: LogLine[] | null): boolean[] =>
      logEvidence(around(during), before && earlier(before), context).patterns.map(
        (pattern) => pattern.isNew,
      );
    expect(isNew([line('GET /orders/99 took 1 ms'), line('slow answer from stock', 'warn')])).toEqual([
      true,
      false,
      false,
    ]);
    expect(isNew([])).toEqual([false, false, false]);
    expect(isNew(null)).toEqual([false, false, false]);
  });

  test('counts against the hour before, scaled to the time around the incident', () => {
    const hourly = (count: number, message: string): LogLine[] =>
      Array.from({ length: count }, (_, i) => line(message, 'error', window.from - 1000 - i));
    const { patterns } = logEvidence(
      around([
        ...Array.from({ length: 70 }, () => line('time-out of stock', 'error')),
        ...Array.from({ length: 11 }, () => line('bad card number', 'error')),
        line('never seen', 'error'),
      ]),
      earlier([...hourly(60, 'time-out of stock'), ...hourly(60, 'bad card number')]),
      context,
    );
    // an hour against ten minutes: 60 are 10
    expect(patterns.map((one) => [one.template, one.count, one.before, comparedWithUsual(one)])).toEqual([
      ['never seen', 1, 0, 'new'],
      ['time-out of stock', 70, 10, '7× usual'],
      ['bad card number', 11, 10, null],
    ]);
  });

  test('knows what a source left out: loud lines are all there, of the others the latest', () => {
    const before = [
      line('time-out of stock', 'error', window.from - 3_000_000),
      // the latest ten minutes of a chatter of which the rest was left out
      ...Array.from({ length: 100 }, (_, i) => line('tick', 'info', window.from - 6000 * (i + 1))),
    ];
    const seen = [
      ...Array.from({ length: 100 }, () => line('tick')),
      line('time-out of stock', 'error'),
      line('tock', 'debug'),
    ];
    const usual = (sample: LogSample): Record<string, number | null> =>
      Object.fromEntries(
        logEvidence(around(seen), sample, context).patterns.map((one) => [one.template, one.before]),
      );
    expect(usual(earlier(before, 600))).toEqual({ tick: 100, 'time-out of stock': 0.17, tock: 0 });
    // where only errors fitted in, nothing is known of the rest
    const errors = before.slice(0, 1);
    expect(usual(earlier(errors, 600))).toMatchObject({ tick: null, tock: null });
  });

  test('says of each service how much more it fails than usual, what is new, and whom it blames', () => {
    const { services } = logEvidence(
      around([
        line('cannot reach stock-api.shop.svc:8080', 'error'),
        line('cannot reach stock-api.shop.svc:8080', 'error'),
        line('the stock is low, but db-primary answers', 'info'),
        line('bad card number', 'error', alertAt, 'payment'),
        line('fine', 'info', alertAt, 'mail'),
      ]),
      earlier([
        ...Array.from({ length: 6 }, (_, i) =>
          line('bad card number', 'error', window.from - 1 - i, 'payment'),
        ),
      ]),
      { ...context, knownServices: ['stock-api', 'db-primary'] },
    );
    expect(services).toEqual([
      {
        service: 'checkout',
        errors: 2,
        newPatterns: 1,
        sample: 'cannot reach stock-api.shop.svc:8080',
        mentions: ['stock-api'],
      },
      { service: 'payment', errors: 0, newPatterns: 0, sample: 'bad card number', mentions: [] },
      { service: 'mail', errors: 0, newPatterns: 0, mentions: [] },
    ]);
  });

  test('gives stack traces their place and keeps their frames out of the patterns', () => {
    const trace =
      'java.io.IOException: broken pipe\n\tat com.acme.Pay.send(Pay.java:7)\n\tat com.acme.Pay.run(Pay.java:3)';
    const { patterns, stackTraces } = logEvidence(
      around([line(trace, 'error'), line(trace, 'error')]),
      earlier([line('x')]),
      context,
    );
    expect(stackTraces).toHaveLength(1);
    expect(stackTraces[0]).toMatchObject({
      exception: 'java.io.IOException',
      file: 'Pay.java',
      line: 7,
      count: 2,
      isNew: true,
    });
    expect(patterns.map((pattern) => pattern.template)).toEqual(['java.io.IOException: broken pipe']);
  });

  test('stays within 200 KB whatever comes, and says where it cut', () => {
    const words = (i: number): string =>
      String.fromCharCode(97 + (i % 26), 97 + ((i / 26) % 26), 97 + ((i / 676) % 26));
    const huge = Array.from({ length: 3000 }, (_, i) =>
      line(`${words(i)} ${words(i * 7)} ${'😀 ü'.repeat(9000)}\n\tat com.acme.A.b(A.java:${i})`, 'error'),
    );
    const evidence = logEvidence(around(huge), null, context);
    expect(Buffer.byteLength(JSON.stringify(evidence))).toBeLessThan(200_000);
    expect(evidence.patterns.length).toBeLessThanOrEqual(50);
    expect(evidence.lines.length).toBeLessThanOrEqual(100);
    expect(evidence.lines[0]?.message.endsWith('…')).toBe(true);
  });

  test('has a sentence for the timeline', () => {
    const evidence = logEvidence(around(during), earlier([line('GET /orders/99 took 1 ms')]), context);
    expect(summarizeEvidence(evidence, 43)).toBe(
      '43 log lines, 3 patterns (2 new); most telling: pool exhausted after <*> waits',
    );
    expect(summarizeEvidence({ patterns: [], stackTraces: [], lines: [], services: [] }, 0)).toBe(
      'No log lines around the alert',
    );
  });
});

describe('relevantLines', () => {
  const weighed = (message: string, group: number, change: Partial<WeighedLine> = {}): WeighedLine => ({
    ...line(message),
    group,
    groupCount: 1,
    isNew: false,
    timesUsual: 1,
    ...change,
  });
  const chosen = (lines: WeighedLine[], limit = 10): string[] =>
    relevantLines(lines, context, limit).map((one) => one.message);

  test('puts errors first, then what is rare, new, near and of the service', () => {
    const far = alertAt - 240_000;
    expect(
      chosen([
        weighed('usual', 1, { groupCount: 7 }),
        weighed('rare', 2),
        weighed('far', 3, { at: far }),
        weighed('far and foreign', 4, { at: far, service: 'mail' }),
        weighed('new', 5, { isNew: true }),
        weighed('nine times usual', 8, { groupCount: 7, timesUsual: 9 }),
        weighed('warning', 6, { level: 'warn' }),
        weighed('error', 7, { level: 'error', groupCount: 7, at: far, service: 'mail' }),
      ]),
    ).toEqual(['error', 'warning', 'new', 'nine times usual', 'rare', 'usual', 'far', 'far and foreign']);
  });

  test('shows at most three lines of a pattern, and no more than asked for', () => {
    const many = Array.from({ length: 9 }, (_, i) =>
      weighed(`e${i}`, 1, { level: 'error', at: alertAt + i, groupCount: 9 }),
    );
    expect(chosen([...many, weighed('other', 2)])).toEqual(['e0', 'e1', 'e2', 'other']);
    expect(chosen(many, 2)).toEqual(['e0', 'e1']);
  });
});
