import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { busy, withPatience } from './patience.ts';

const attempts = Array.from({ length: 200 }, (_, index) => index + 1);
const hours = (delays: number[]) => delays.reduce((sum, each) => sum + each, 0) / 3_600_000;
const delayOf = (failure: ApplicationFailure) => Number(failure.nextRetryDelay);

describe('the attempts of a message last for hours', () => {
  test('where a destination has no turn', () => {
    const waits = attempts.map((attempt) =>
      delayOf(busy('at its pace', 0, { attempt, severity: 'critical', chance: 0.5 })),
    );
    expect(hours(waits)).toBeGreaterThan(5);
  });

  test('where the other side asks to be asked again at once, which is done for a while', () => {
    const refused = ApplicationFailure.create({
      type: 'RateLimited',
      message: 'HTTP 429',
      nextRetryDelay: 0,
    });
    const waits = attempts.map((attempt) => delayOf(withPatience(refused, attempt)));
    expect(waits.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 0));
    expect(hours(waits)).toBeGreaterThan(5);
    expect(withPatience(refused, 60)).toMatchObject({ type: 'RateLimited', message: 'HTTP 429' });
  });
});

test('a longer time that is asked for stays, and what no attempt mends stays so', () => {
  const long = ApplicationFailure.create({ type: 'RateLimited', message: 'x', nextRetryDelay: 3_600_000 });
  expect(withPatience(long, 200)).toBe(long);
  const final = ApplicationFailure.nonRetryable('x', 'MailRefused');
  expect(withPatience(final, 200)).toBe(final);
  const plain = ApplicationFailure.create({ type: 'MailUnavailable', message: 'x' });
  expect(withPatience(plain, 200)).toBe(plain);
});

test('what is critical asks for its turn more often than the rest of a storm', () => {
  const wait = (severity: 'critical' | 'low') =>
    delayOf(busy('at its pace', 1000, { attempt: 20, severity, chance: 1 }));
  expect(wait('critical')).toBe(11_000);
  expect(wait('low')).toBe(61_000);
});
