import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CallWindow, createExternalCalls } from './external-calls.ts';

/** As [organization, from, to]. */
let learned: [string, number, number][];
const learn = async ({ orgId, from, to }: CallWindow): Promise<void> => {
  learned.push([orgId, from, to]);
};
const at = (from: number, to = from) => ({ from, to });

beforeEach(() => {
  learned = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('calls to hosts are learned once they are settled, once for all requests in between', async () => {
  const learnOfA = async (window: CallWindow): Promise<void> => {
    await learn(window);
    if (window.orgId === 'b') throw new Error('away');
  };
  const errors: unknown[] = [];
  const later = createExternalCalls({ learn: learnOfA, onError: (error) => errors.push(error) }, 30_000);
  later('a', at(0));
  later('a', at(20_000));
  later('b', at(0));
  await vi.advanceTimersByTimeAsync(59_999);
  expect(learned).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(learned).toEqual([
    ['a', 0, 30_000],
    ['b', 0, 30_000],
  ]);
  expect(errors).toHaveLength(1);
  later('a', at(70_000));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(learned.slice(2)).toEqual([['a', 70_000, 100_000]]);
});

test('what comes while calls settle is looked at too: windows join', async () => {
  const later = createExternalCalls({ learn, onError: () => {} }, 30_000);
  later('a', at(0));
  // stored on both sides of the end of the first window
  later('a', at(29_999, 30_001));
  await vi.advanceTimersByTimeAsync(59_000);
  later('a', at(59_000));
  await vi.advanceTimersByTimeAsync(60_000);
  later('a', at(119_000));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(learned).toEqual([
    ['a', 0, 30_000],
    ['a', 30_000, 60_000],
    ['a', 119_000, 149_000],
  ]);
});
