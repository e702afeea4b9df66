import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { groupingAccuracy, loghubDirectory, readLoghub } from '../../bench/loghub.ts';
import { processorMs } from '../../test/harness/processor-time.ts';
import { minePatterns } from './patterns.ts';

const groupsOf = (lines: string[]): number[] => minePatterns(lines).map((mined) => mined.group);
const templatesOf = (lines: string[]): string[] => [
  ...new Set(minePatterns(lines).map((mined) => mined.template)),
];

describe('minePatterns', () => {
  test('gives one entry per line, in order, counting groups from 0', () => {
    const mined = minePatterns(['started in 3 s', 'connection refused', 'started in 12 s']);
    expect(mined).toEqual([
      { group: 0, template: 'started in <*>' },
      { group: 1, template: 'connection refused' },
      { group: 0, template: 'started in <*>' },
    ]);
    expect(minePatterns([])).toEqual([]);
  });

  test.each([
    ['numbers', 'took 12 steps', 'took 7 steps', 'took <*> steps'],
    ['addresses with and without port', 'peer 10.0.0.1:80 left', 'peer 10.0.0.2 left', 'peer <*> left'],
    ['paths', 'cannot open /var/lib/a.db', 'cannot open ./b.db', 'cannot open <*>'],
    [
      'uuids',
      'job 3f2b8c1e-9d4a-4f6b-8a7c-0123456789ab done',
      'job 9d4a8c1e-3f2b-4f6b-8a7c-ba9876543210 done',
      'job <*> done',
    ],
    ['hex', 'at 0xdeadbeef stopped', 'at 7f00a1b2 stopped', 'at <*> stopped'],
    ['timestamps', '2026-11-21T02:14:07Z boot', '21/Nov/2026:02:14:08 +0000 boot', '<*> boot'],
    [
      'URLs',
      'call to http://a.example/x failed',
      'call to https://b.example:8/y failed',
      'call to <*> failed',
    ],
    ['numbered names', 'host web-1 is up', 'host web-22.example.org is up', 'host web-<*> is up'],
    ['lists of any length', 'lost nodes cn1 cn2 cn3', 'lost nodes cn4', 'lost nodes cn<*>'],
    [
      'assigned values, also empty ones',
      'login failed; user= tty=ssh',
      'login failed; user=root tty=pts',
      'login failed; user=<*> tty=<*>',
    ],
    ['units', 'sent 18.4 KB in 3 ms', 'sent 999 B in 2 s', 'sent <*> in <*>'],
  ])('sees %s as values', (_what, first, second, template) => {
    expect(templatesOf([first, second])).toEqual([template]);
  });

  test('keeps states, verbs and leading words apart', () => {
    expect(groupsOf(['task 1 moved from NEW to RUNNING', 'task 2 moved from RUNNING to FAILED'])).toEqual([
      0, 1,
    ]);
    expect(groupsOf(['Link error', 'Link ok', 'Link in reset'])).toEqual([0, 1, 2]);
    expect(groupsOf(['Opening file 7', 'Closing file 7'])).toEqual([0, 1]);
  });

  test('takes many different words at one place of equal lines for a value', () => {
    const names = ['ana', 'ben', 'chloe', 'dario', 'eve', 'farid'];
    expect(templatesOf(names.map((name) => `mailbox of ${name} is full`))).toEqual([
      'mailbox of <*> is full',
    ]);
    expect(templatesOf(names.slice(0, 2).map((name) => `access denied for user ${name} today`))).toEqual([
      'access denied for user <*> today',
    ]);
  });

  test('is unmoved by the order of the lines', () => {
    const lines = ['a1 joined ring 7', 'b2 joined ring 9', 'ring is full', 'a3 left ring 7'];
    const sizes = (all: string[]): number[] =>
      [...Map.groupBy(groupsOf(all), (group) => group).values()].map((group) => group.length).sort();
    expect(sizes(lines)).toEqual(sizes(lines.toReversed()));
  });

  test('mines 10,000 lines in well under a second, and hostile ones in bounded time', () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, i) =>
        `${['GET', 'PUT'][i % 2]} /orders/${i} by user u${i % 97} answered ${200 + (i % 5)} in ${i} ms`,
    );
    expect(processorMs(() => expect(new Set(groupsOf(lines)).size).toBe(2))).toBeLessThan(1000);

    for (const piece of ['a_', 'a.', '1.', '/a', 'a=', '= ', 'ab-', '<*>', 'a: ']) {
      const hostile = Array.from({ length: 500 }, (_, i) => piece.repeat(5000) + i);
      expect(
        processorMs(() => minePatterns(hostile)),
        piece,
      ).toBeLessThan(2000);
    }
  });
});

describe.skipIf(!existsSync(loghubDirectory))(
  `grouping accuracy on loghub (needs ${loghubDirectory}; skipped where it is absent)`,
  () => {
    test('is at least 0.87 in the mean over all sets, with one setting', () => {
      const figures = readLoghub().map(({ name, lines, events }) => ({
        name,
        accuracy: groupingAccuracy(groupsOf(lines), events),
      }));
      const mean = figures.reduce((sum, figure) => sum + figure.accuracy, 0) / figures.length;
      expect(figures.length).toBeGreaterThan(0);
      expect(mean, JSON.stringify(figures)).toBeGreaterThanOrEqual(0.87);
    });
  },
);
