import { expect, it } from 'vitest';
import { reportPeriods } from './period.ts';

const bounds = (end: string, span: 'week' | 'month', timeZone: string, count: number) =>
  reportPeriods(Date.parse(end), { span, timeZone, count }).map(({ from, to }) =>
    [from, to].map((at) => new Date(at).toISOString().slice(0, 16)).join(' '),
  );

it('goes back by weeks', () => {
  expect(bounds('2026-11-16T07:00Z', 'week', 'Europe/Berlin', 2)).toEqual([
    '2026-11-09T07:00 2026-11-16T07:00',
    '2026-11-02T07:00 2026-11-09T07:00',
  ]);
});

it('goes back by weeks at the same time of day where the clock changes, so that reports of Mondays meet', () => {
  expect(bounds('2026-03-30T06:00Z', 'week', 'Europe/Berlin', 2)).toEqual([
    '2026-03-23T07:00 2026-03-30T06:00',
    '2026-03-16T07:00 2026-03-23T07:00',
  ]);
  expect(bounds('2026-10-26T07:00Z', 'week', 'Europe/Berlin', 1)).toEqual([
    '2026-10-19T06:00 2026-10-26T07:00',
  ]);
});

it('goes back by months, at the same time of day where the clock changes', () => {
  expect(bounds('2026-11-01T07:00Z', 'month', 'Europe/Berlin', 2)).toEqual([
    '2026-10-01T06:00 2026-11-01T07:00',
    '2026-09-01T06:00 2026-10-01T06:00',
  ]);
});

it('takes the last day of a month that is too short, and comes back to its own', () => {
  expect(bounds('2027-03-31T08:00Z', 'month', 'UTC', 2)).toEqual([
    '2027-02-28T08:00 2027-03-31T08:00',
    '2027-01-31T08:00 2027-02-28T08:00',
  ]);
});
