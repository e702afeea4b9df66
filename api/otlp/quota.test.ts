import { expect, test } from 'vitest';
import { createQuota } from './quota.ts';

test('each organization may bring so many records a minute, and a new minute begins anew', () => {
  const { grant } = createQuota(100);
  expect([grant('a', 70, 0), grant('a', 70, 59_999), grant('a', 1, 59_999), grant('b', 70, 59_999)]).toEqual([
    70, 30, 0, 70,
  ]);
  expect(grant('a', 70, 60_000)).toBe(70);
});

test('what could not be stored may come again, and a new minute gives no more for it', () => {
  const { grant, giveBack } = createQuota(100);
  grant('a', 100, 0);
  giveBack('a', 40);
  expect(grant('a', 70, 1)).toBe(40);
  grant('b', 1, 60_000);
  giveBack('a', 40);
  expect(grant('a', 200, 60_001)).toBe(100);
});
