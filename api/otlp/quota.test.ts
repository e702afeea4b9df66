import { expect, test } from 'vitest';
import { createQuota } from './quota.ts';

test('each organization may bring so many records a minute, and a new minute begins anew', () => {
  const grant = createQuota(100);
  expect([grant('a', 70, 0), grant('a', 70, 59_999), grant('a', 1, 59_999), grant('b', 70, 59_999)]).toEqual([
    70, 30, 0, 70,
  ]);
  expect(grant('a', 70, 60_000)).toBe(70);
});
