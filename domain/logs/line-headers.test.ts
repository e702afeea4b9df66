import { expect, test } from 'vitest';
import { minePatterns } from './patterns.ts';

const events = ['link up', 'link down', 'fan ok', 'fan failed', 'disk 7 full', 'disk 9 full'];
const groups = (lines: string[]): number[] => minePatterns(lines).map((one) => one.group);
const repeated = Array.from({ length: 60 }, (_, i) => events[i % events.length] ?? '');

test('what begins nearly every line is no evidence that events are one', () => {
  const header = (i: number): string =>
    `2026-11-21T02:14:${String(i % 60).padStart(2, '0')}Z web-${i % 4} ${i % 7 === 0 ? 'WARN' : 'INFO'} `;
  const plain = groups(repeated);
  expect(new Set(plain).size).toBe(5);
  expect(groups(repeated.map((line, i) => header(i) + line))).toEqual(plain);
  expect(minePatterns(repeated.map((line, i) => header(i) + line))[4]?.template).toBe(
    '<*> web-<*> <*> disk <*> full',
  );
});

test('also where some lines have no header', () => {
  const mixed = repeated.map((line, i) => (i % 15 === 14 ? 'by itself' : `<6>02:14:07 INFO ${line}`));
  const found = groups(mixed);
  expect(new Set(found).size).toBe(6);
  expect(found[14]).toBe(found[29]);
});

test('a word of the events themselves is none, however often it opens a line', () => {
  expect(minePatterns(Array.from({ length: 40 }, (_, i) => `user ${i} signed in`))[0]?.template).toBe(
    'user <*> signed in',
  );
  const few = ['INFO link up', 'INFO link down'];
  expect(minePatterns(few).map((one) => one.template)).toEqual(few);
});
