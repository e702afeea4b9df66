import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advanceClock, nextClockChange, runningMs, type SlaTimes, startClocks, stopClock } from './clock.ts';

const hour = 3_600_000;
const opened = Date.UTC(2026, 10, 23, 15);
/** Four hours to resolve; closed from one hour after the opening for sixteen, and again eight later. */
const times: SlaTimes = {
  policy: 'Office',
  acknowledgeMs: hour,
  resolveMs: 4 * hour,
  atRiskShare: 0.75,
  pauses: [
    [opened + hour, opened + 17 * hour],
    [opened + 25 * hour, opened + 41 * hour],
  ],
};
const [acknowledge, resolve] = startClocks(times, opened) as [never, never];

/** The states of the resolve clock, each with the hour since the opening at which it began. */
function course(from = startClocks(times, opened)[1]): string[] {
  let clock = from && advanceClock(from, opened);
  const seen: string[] = [];
  for (let now = opened; clock; ) {
    seen.push(`${(now - opened) / hour} ${clock.state}`);
    const next = nextClockChange(clock, now);
    if (next === null) break;
    expect(next).toBeGreaterThan(now);
    now = next;
    clock = advanceClock(clock, now);
  }
  return seen;
}

test('a clock pauses while its calendar is closed, and is at risk and due by what has run', () => {
  expect(resolve).toMatchObject({ atRiskAt: opened + 19 * hour, dueAt: opened + 20 * hour });
  expect(course()).toEqual(['0 running', '1 paused', '17 running', '19 at_risk', '20 breached']);
});

test('a clock whose time ends with the day is due then, and not when the next one begins', () => {
  expect(acknowledge).toMatchObject({ dueAt: opened + hour });
  expect(acknowledge).not.toHaveProperty('pauses');
});

test('a clock that is at risk pauses and goes on being so', () => {
  const [, clock] = startClocks({ ...times, resolveMs: 10 * hour, atRiskShare: 0.8 }, opened);
  expect(course(clock)).toEqual([
    '0 running',
    '1 paused',
    '17 running',
    '24 at_risk',
    '25 paused',
    '41 at_risk',
    '42 breached',
  ]);
});

test('what is done during a pause is done in time', () => {
  expect(stopClock(resolve, opened + 10 * hour)).toMatchObject({ state: 'met', endedAt: opened + 10 * hour });
  expect(stopClock(resolve, opened + 21 * hour)).toMatchObject({
    state: 'breached',
    endedAt: opened + 20 * hour,
  });
});

test('whatever the pauses, a clock runs for just its time until it is due', () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 40 }), (lengths, hours) => {
      let at = opened;
      const pauses = lengths.map(([open, closed]): [number, number] => {
        const from = at + open * hour;
        at = from + closed * hour;
        return [from, at];
      });
      const [, clock] = startClocks({ ...times, pauses, resolveMs: hours * hour }, opened);
      expect(clock && runningMs(opened, clock.dueAt, clock.pauses)).toBe(hours * hour);
      expect(clock && runningMs(opened, clock.atRiskAt, clock.pauses)).toBe(hours * 0.75 * hour);
      expect(course(clock).at(-1)).toMatch(/breached$/);
    }),
    { numRuns: 200 },
  );
});
