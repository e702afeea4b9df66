import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

test('so many are under way at once, so many wait in order, and the rest is asked to come again', async () => {
  const turn = createTurns({ atOnce: 2, waiting: 1 });
  const began: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const run = (name: string) => {
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    return turn(async () => {
      began.push(name);
      await end.promise;
    });
  };
  const runs = [run('a'), run('b'), run('c')];
  await expect(run('d')).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '2' } });
  expect(began).toEqual(['a', 'b']);

  ends.get('a')?.reject(new Error('failed'));
  await expect(runs[0]).rejects.toThrow('failed');
  await expect.poll(() => began).toEqual(['a', 'b', 'c']);
  runs.push(run('e'));
  ends.get('c')?.resolve();
  await expect.poll(() => began).toEqual(['a', 'b', 'c', 'e']);
  ends.get('b')?.resolve();
  ends.get('e')?.resolve();
  await Promise.all(runs.slice(1));
  const later = run('f');
  ends.get('f')?.resolve();
  await later;
  expect(began).toEqual(['a', 'b', 'c', 'e', 'f']);
});
