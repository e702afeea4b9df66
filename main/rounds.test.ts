import { expect, test } from 'vitest';
import { startRounds } from './rounds.ts';

test('goes on at once while there is more, and after a round that failed', async () => {
  const answers = ['more', new Error('away'), undefined] as const;
  const failures: unknown[] = [];
  const all = Promise.withResolvers<void>();
  let count = 0;
  const rounds = startRounds({
    round: async () => {
      const answer = answers[count++];
      if (count === answers.length) all.resolve();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    pauseMs: 1,
    failed: (error) => failures.push(error),
  });
  await all.promise;
  await rounds.stop();
  expect(failures).toEqual([answers[1]]);
});

test('lets the round under way end before it has stopped, and cuts a pause short', async () => {
  const begun = Promise.withResolvers<void>();
  let ended = false;
  const rounds = startRounds({
    round: async (stopping) => {
      begun.resolve();
      await new Promise((resolve) => stopping.addEventListener('abort', resolve));
      ended = true;
      return undefined;
    },
    pauseMs: 3_600_000,
    failed: () => {},
  });
  await begun.promise;
  await rounds.stop();
  expect(ended).toBe(true);
});
