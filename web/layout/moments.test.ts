import { expect, it } from 'vitest';
import { agoText, clockText, leftText, runningText, untilText } from './moments.ts';

const now = Date.parse('2026-11-21T02:20:00Z');
const minute = 60_000;

it('tells the time of today, the weekday of this week, else the date', () => {
  expect(clockText(now - 6 * minute, now)).toBe('02:14');
  expect(clockText(now - 3 * 60 * minute, now)).toBe('Fri 23:20');
  expect(clockText(now - 30 * 24 * 60 * minute, now)).toBe('22 Oct 02:20');
  expect(clockText(now - 400 * 24 * 60 * minute, now)).toBe('17 Oct 2025 02:20');
});

it('says how long ago in one unit', () => {
  expect(agoText(now - 10_000, now)).toBe('just now');
  expect(agoText(now - 12.5 * minute, now)).toBe('12 min ago');
  expect(agoText(now - 195 * minute, now)).toBe('3 h ago');
  expect(agoText(now - 8 * 24 * 60 * minute, now)).toBe('13 Nov');
});

it('counts down to the second in the last hour', () => {
  expect(untilText(now + 14 * minute + 20_000, now)).toBe('in 14 min 20 s');
  expect(untilText(now + 125 * minute, now)).toBe('in 2 h 5 min');
  expect(untilText(now - 1, now)).toBe('now');
  expect(leftText(now + 14 * minute + 20_000, now)).toBe('14 min');
  expect(leftText(now + 90_000, now)).toBe('1 min');
});

it('counts only the time that a clock runs', () => {
  const due = now + 60 * minute;
  expect(runningText(due, now, [])).toBe('1 h left');
  expect(runningText(due, now, [[now + 5 * minute, now + 35 * minute]])).toBe('30 min left');
  expect(runningText(due, now, [[now - minute, now + 40 * minute]])).toBe('paused, 20 min left');
  expect(runningText(due, due, [])).toBe('over');
});
