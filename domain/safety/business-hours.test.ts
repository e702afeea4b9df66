import { describe, expect, test } from 'vitest';
import type { BusinessHours } from '../runbook/definition.ts';
import { isTimeZone } from '../wall-clock.ts';
import { hoursText, isOpen, nextOpening } from './business-hours.ts';

const at = (text: string): number => Date.parse(text);
const opening = (hours: BusinessHours, now: string): string | null => {
  const next = nextOpening(hours, at(now));
  return next === null ? null : new Date(next).toISOString();
};
const week: BusinessHours = { days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00', timeZone: 'Europe/Berlin' };

describe('business hours', () => {
  test('begin and end by the clock of their zone', () => {
    // Monday, 1 June 2026: Berlin is two hours ahead of UTC
    expect(isOpen(week, at('2026-06-01T06:59:59.999Z'))).toBe(false);
    expect(isOpen(week, at('2026-06-01T07:00:00Z'))).toBe(true);
    expect(isOpen(week, at('2026-06-01T14:59:59Z'))).toBe(true);
    expect(isOpen(week, at('2026-06-01T15:00:00Z'))).toBe(false);
    expect(isOpen(week, at('2026-05-31T10:00:00Z'))).toBe(false);
  });

  test('name the next opening, over a weekend too', () => {
    expect(opening(week, '2026-06-01T08:00:00Z')).toBe('2026-06-01T08:00:00.000Z');
    expect(opening(week, '2026-06-01T15:00:00Z')).toBe('2026-06-02T07:00:00.000Z');
    expect(opening(week, '2026-06-05T15:00:00Z')).toBe('2026-06-08T07:00:00.000Z');
  });

  test('over midnight belong to the day on which they begin', () => {
    const night = { ...week, days: [5], from: '22:00', to: '06:00', timeZone: 'UTC' };
    expect(isOpen(night, at('2026-06-05T23:00:00Z'))).toBe(true);
    expect(isOpen(night, at('2026-06-06T05:59:00Z'))).toBe(true);
    expect(isOpen(night, at('2026-06-06T06:00:00Z'))).toBe(false);
    expect(isOpen(night, at('2026-06-05T05:00:00Z'))).toBe(false);
  });

  test('from a time to the same time are the whole day', () => {
    const always = { ...week, days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' };
    expect(isOpen(always, at('2026-06-06T21:59:59Z'))).toBe(true);
    expect(isOpen({ ...always, to: '00:00' }, at('2026-06-06T22:00:00Z'))).toBe(true);
  });

  test('are an hour earlier by UTC once summer time begins (29 March 2026)', () => {
    expect(opening({ ...week, days: [6] }, '2026-03-28T00:00:00Z')).toBe('2026-03-28T08:00:00.000Z');
    expect(opening({ ...week, days: [7] }, '2026-03-28T00:00:00Z')).toBe('2026-03-29T07:00:00.000Z');
  });

  test('that begin at a time which the clock leaves out begin with the change', () => {
    // the clock goes from 01:59:59 to 03:00 at 01:00 UTC
    const early = { ...week, days: [7], from: '02:30', to: '10:00' };
    expect(opening(early, '2026-03-28T22:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(isOpen(early, at('2026-03-29T00:59:59Z'))).toBe(false);
    expect(isOpen(early, at('2026-03-29T07:59:59Z'))).toBe(true);
    expect(isOpen(early, at('2026-03-29T08:00:00Z'))).toBe(false);
    // hours that the clock leaves out as a whole are not there that Sunday
    expect(opening({ ...early, to: '02:45' }, '2026-03-28T22:00:00Z')).toBe('2026-04-05T00:30:00.000Z');
  });

  test('stay open through the hour that comes twice, and begin with its first time (25 October 2026)', () => {
    // the clock goes from 02:59:59 summer time to 02:00 at 01:00 UTC
    const early = { ...week, days: [7], from: '02:30', to: '10:00' };
    expect(opening(early, '2026-10-24T22:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(isOpen(early, at('2026-10-25T01:10:00Z'))).toBe(true);
    expect(isOpen(early, at('2026-10-25T08:59:59Z'))).toBe(true);
    expect(isOpen(early, at('2026-10-25T09:00:00Z'))).toBe(false);
    const short = { ...early, from: '00:00', to: '02:30' };
    expect(isOpen(short, at('2026-10-25T00:29:59Z'))).toBe(true);
    expect(isOpen(short, at('2026-10-25T01:10:00Z'))).toBe(false);
  });

  test('go by zones whose clocks change by half an hour, or never', () => {
    const noon = { ...week, days: [7], from: '12:00', to: '13:00' };
    // Lord Howe Island: +11 in summer, +10:30 from 5 April 2026
    expect(opening({ ...noon, timeZone: 'Australia/Lord_Howe' }, '2026-03-28T20:00:00Z')).toBe(
      '2026-03-29T01:00:00.000Z',
    );
    expect(opening({ ...noon, timeZone: 'Australia/Lord_Howe' }, '2026-04-04T20:00:00Z')).toBe(
      '2026-04-05T01:30:00.000Z',
    );
    expect(opening({ ...noon, timeZone: 'Asia/Kolkata' }, '2026-04-04T20:00:00Z')).toBe(
      '2026-04-05T06:30:00.000Z',
    );
  });

  test('are written as people say them', () => {
    expect(hoursText(week)).toBe('Mon–Fri 09:00–17:00 Europe/Berlin');
    expect(hoursText({ ...week, days: [7, 1, 3] })).toBe('Mon, Wed, Sun 09:00–17:00 Europe/Berlin');
  });
});

test('a time zone is an IANA name', () => {
  expect(['Europe/Berlin', 'UTC', 'America/St_Johns'].every(isTimeZone)).toBe(true);
  expect(['+02:00', 'Mars/Base', '', 'Berlin'].some(isTimeZone)).toBe(false);
});
