import { expect, test } from 'vitest';
import { isFlapping } from './flapping.ts';

const minute = 60_000;
const rules = { changes: 6, withinMs: 30 * minute, quietMs: 10 * minute };
/** Fires every `every` minutes for half of that. */
const episodes = (count: number, every: number) =>
  Array.from({ length: count }, (_, i) => ({
    startedAt: i * every * minute,
    endedAt: (i + 0.5) * every * minute,
  }));

test('an alert flaps that begins and ends often in a short time', () => {
  expect(isFlapping(episodes(3, 2), rules, 6 * minute)).toBe(true);
  expect(isFlapping(episodes(2, 2), rules, 6 * minute)).toBe(false);
  expect(isFlapping(episodes(3, 20), rules, 51 * minute)).toBe(false);
});

test('it goes on flapping until it was quiet, and is quiet also while it fires without end', () => {
  const three = episodes(3, 2);
  expect(isFlapping(three, rules, 14 * minute)).toBe(true);
  expect(isFlapping(three, rules, 15 * minute)).toBe(false);
  const steady = [...three, { startedAt: 6 * minute, endedAt: null }];
  expect(isFlapping(steady, rules, 7 * minute)).toBe(true);
  expect(isFlapping(steady, rules, 60 * minute)).toBe(false);
});

test('what has not happened yet does not count', () => {
  expect(isFlapping(episodes(3, 2), rules, 1 * minute)).toBe(false);
  expect(isFlapping([], rules, 0)).toBe(false);
});
