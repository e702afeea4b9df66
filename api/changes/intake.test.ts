import { expect, test } from 'vitest';
import { createChangeIntake } from './intake.ts';

const refused = (seconds: string) =>
  expect.objectContaining({ status: 503, headers: { 'Retry-After': seconds } });
const outcomeOf = (work: () => void): unknown => {
  try {
    work();
    return 'counted';
  } catch (error) {
    return error;
  }
};

test('a sender may tell of so many changes in a minute, and hears when it may go on', () => {
  const intake = createChangeIntake(2);
  const at = (sender: string, now: number) => outcomeOf(() => intake.count(sender, now));
  expect([at('a', 100_000), at('a', 110_000), at('b', 110_000)]).toEqual(Array(3).fill('counted'));
  expect(at('a', 115_000)).toEqual(refused('45'));
  expect(at('a', 160_000)).toBe('counted');
});

test('two are stored at once, some wait, and beyond those the sender comes again', async () => {
  const intake = createChangeIntake();
  const done = Promise.withResolvers<void>();
  const under = Array.from({ length: 34 }, () => intake.turn('org', () => done.promise));
  await expect(intake.turn('org', () => done.promise)).rejects.toEqual(refused('2'));
  const other = intake.turn('other', () => done.promise);
  done.resolve();
  await Promise.all([...under, other]);
});
