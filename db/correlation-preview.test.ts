import { expect, test } from 'vitest';
import { createRulesPreview } from './correlation-preview.ts';
import type { Database } from './database.ts';

/** Reads that never end, and how many there are. */
function stuck() {
  const reads: string[] = [];
  const ends: (() => void)[] = [];
  const db = {
    read: ({ orgId }: { orgId: string }) => {
      reads.push(orgId);
      return new Promise((_resolve, reject) => ends.push(() => reject(new Error('ended'))));
    },
  } as unknown as Pick<Database, 'read'>;
  return { db, reads, end: () => ends.shift()?.() };
}

const edited = { team: null, rules: {} };

test('one try at a time; few wait, and others are told to come again', async () => {
  const { db, reads, end } = stuck();
  const preview = createRulesPreview(db);
  const { signal } = new AbortController();
  const all = ['a', 'a', 'a', 'b'].map((orgId) => preview({ orgId }, edited, signal));
  await expect(preview({ orgId: 'a' }, edited, signal)).rejects.toMatchObject({
    name: 'NotTriedError',
    why: 'busy',
  });
  expect(reads).toEqual(['a']);
  for (const order of [['a'], ['a', 'a'], ['a', 'a', 'b'], ['a', 'a', 'b', 'a']]) {
    await expect.poll(() => reads).toEqual(order);
    end();
  }
  for (const one of await Promise.allSettled(all)) expect(one).toMatchObject({ status: 'rejected' });
});

test('what was given up while it waited is not tried any more', async () => {
  const { db, reads, end } = stuck();
  const preview = createRulesPreview(db);
  const first = preview({ orgId: 'a' }, edited, new AbortController().signal);
  const left = new AbortController();
  const second = preview({ orgId: 'b' }, edited, left.signal);
  left.abort();
  await expect(second).rejects.toMatchObject({ why: 'busy' });
  end();
  await expect(first).rejects.toThrow('ended');
  expect(reads).toEqual(['a']);
});

test('a try ends with its signal while it is under way', { timeout: 30_000 }, async () => {
  // what takes minutes: everything may belong to everything
  const alerts = Array.from({ length: 10_000 }, (_, i) => ({
    service: `s${i % 400}`,
    name: `Alert${i % 40}`,
    labels: { host: `n${i}` },
    at: 1e12 - i * 100,
  }));
  const dependencies = Array.from({ length: 4000 }, (_, i) => ({
    from: `s${i % 400}`,
    to: `s${(i * 7 + ((i / 400) | 0) * 13) % 400}`,
  }));
  const left = new AbortController();
  let beats = 0;
  const beat = setInterval(() => {
    if (++beats === 20) left.abort();
  }, 10);
  const db = {
    read: async () => ({
      teamId: null,
      inForce: {
        organization: (await import('../domain/correlation/rules.ts')).defaultCorrelationRules,
        teams: [],
      },
      dependencies,
      alerts,
    }),
  } as unknown as Pick<Database, 'read'>;
  const trying = createRulesPreview(db)(
    { orgId: 'a' },
    { team: null, rules: { topologyHops: 5, lookBack: '24h', window: '24h' } },
    left.signal,
  );
  await expect(trying).rejects.toMatchObject({ why: 'too much' });
  clearInterval(beat);
  expect(beats).toBeGreaterThanOrEqual(20);
});
