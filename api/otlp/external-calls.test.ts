import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Tx } from '../../db/database.ts';
import { createExternalCalls } from './external-calls.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('calls to hosts are learned once they are settled, once for all requests in between', async () => {
  const orgs: string[] = [];
  const write = async <T>({ orgId }: { orgId: string }, _work: (tx: Tx) => Promise<T>): Promise<T> => {
    orgs.push(orgId);
    if (orgId === 'b') throw new Error('away');
    return undefined as T;
  };
  const errors: unknown[] = [];
  const later = createExternalCalls({ db: { write }, onError: (error) => errors.push(error) }, 30_000);
  later('a', 0);
  later('a', 20_000);
  later('b', 0);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(orgs).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(orgs).toEqual(['a', 'b']);
  expect(errors).toHaveLength(1);
  later('a', 60_000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(orgs).toEqual(['a', 'b', 'a']);
});
