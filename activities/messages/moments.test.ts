import { expect, test } from 'vitest';
import { clockText } from './moments.ts';

const now = Date.parse('2026-11-21T02:20:00Z');
const said = (at: string, timeZone: string) => clockText(new Date(at), { now, timeZone });

test('a moment of today is a time, one of this week has its day, an older one its date', () => {
  expect(said('2026-11-21T02:14:00Z', 'UTC')).toBe('02:14 UTC');
  expect(said('2026-11-20T23:59:00Z', 'UTC')).toBe('Fri 23:59 UTC');
  expect(said('2026-11-24T07:00:00Z', 'UTC')).toBe('Tue 07:00 UTC');
  expect(said('2026-10-22T02:14:00Z', 'UTC')).toBe('22 Oct 02:14 UTC');
});

test('it is told as clocks show it where the reader is, with how far that is from UTC then', () => {
  expect(said('2026-11-21T02:14:00Z', 'Europe/Berlin')).toBe('03:14 UTC+1');
  // there it is still Friday, for both
  expect(said('2026-11-20T23:59:00Z', 'America/New_York')).toBe('18:59 UTC-5');
  expect(said('2026-11-21T02:14:00Z', 'Asia/Kolkata')).toBe('07:44 UTC+5:30');
  expect(said('2026-10-22T02:14:00Z', 'Europe/Berlin')).toBe('22 Oct 04:14 UTC+2');
  expect(said('2026-11-21T02:14:00Z', 'Europe/London')).toBe('02:14 UTC');
});
