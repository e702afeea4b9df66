import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addBusiness, type BusinessCalendar, pausesAfter } from './business-time.ts';
import { businessCalendar, slaCalendar } from './calendar.ts';

const hour = 3_600_000;
const at = (text: string) => Date.parse(text);
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString().slice(0, 16));

const workdays = { from: '09:00', to: '17:00' };
const berlin = businessCalendar(
  slaCalendar.parse({
    timeZone: 'Europe/Berlin',
    hours: { mon: [workdays], tue: [workdays], wed: [workdays], thu: [workdays], fri: [workdays] },
    holidays: [{ from: '2026-12-24', to: '2026-12-26', name: 'Christmas' }, { from: '2027-01-01' }],
  }),
);

describe('addBusiness', () => {
  it.each([
    // Monday 09:30 in Berlin
    ['within a day', '2026-11-23T08:30Z', 4, '2026-11-23T12:30'],
    ['to the end of the day, which is then', '2026-11-23T15:00Z', 1, '2026-11-23T16:00'],
    ['over the night', '2026-11-23T15:00Z', 2, '2026-11-24T09:00'],
    ['over the weekend', '2026-11-27T15:30Z', 4, '2026-11-30T11:30'],
    ['from a Saturday night', '2026-11-28T02:00Z', 4, '2026-11-30T12:00'],
    ['over holidays that a weekend follows', '2026-12-23T15:00Z', 2, '2026-12-28T09:00'],
    ['over the new year', '2026-12-31T15:00Z', 2, '2027-01-04T09:00'],
    ['by summer time', '2026-07-20T06:00Z', 1, '2026-07-20T08:00'],
    // Friday 16:00 CET to Monday 10:00 CEST: the night of the change lies between
    ['over the spring change', '2026-03-27T15:00Z', 2, '2026-03-30T08:00'],
    ['over the autumn change', '2026-10-23T14:00Z', 2, '2026-10-26T09:00'],
  ])('counts %s', (_, from, hours, expected) => {
    expect(iso(addBusiness(berlin, at(from), hours * hour))).toBe(expected);
  });

  it('counts the hour that the clock repeats, and not the one that it leaves out', () => {
    const nights: BusinessCalendar = {
      timeZone: 'Europe/Berlin',
      hours: Array.from({ length: 7 }, () => [{ from: '22:00', to: '06:00' }]),
      holidays: [],
    };
    const night = (from: string) => pausesAfter(nights, at(from), at(from) + 24 * hour)[0]?.[0];
    // 22:00 to 06:00 take 7 hours in March, 9 in October
    expect(iso(night('2026-03-28T21:00Z') ?? null)).toBe('2026-03-29T04:00');
    expect(iso(night('2026-10-24T20:00Z') ?? null)).toBe('2026-10-25T05:00');
  });

  it('ends the night at the midnight on which a holiday begins, and goes on after it', () => {
    const nights: BusinessCalendar = {
      timeZone: 'UTC',
      hours: Array.from({ length: 7 }, () => [{ from: '22:00', to: '06:00' }]),
      holidays: [{ from: '2026-12-25', to: '2026-12-25' }],
    };
    const pauses = pausesAfter(nights, at('2026-12-24T22:00Z'), at('2026-12-26T07:00Z'));
    expect(pauses.map(([from, to]) => [iso(from), iso(to)])).toEqual([
      ['2026-12-25T00:00', '2026-12-26T00:00'],
      ['2026-12-26T06:00', '2026-12-26T07:00'],
    ]);
  });

  it('joins what touches: round the clock has no pause', () => {
    const always: BusinessCalendar = { timeZone: 'America/New_York', holidays: [] };
    expect(pausesAfter(always, at('2026-03-01T00:00Z'), at('2026-12-01T00:00Z'))).toEqual([]);
  });

  it('says that it is never due where it hardly ever opens', () => {
    const closed = { ...berlin, holidays: [{ from: '2020-01-01', to: '2099-01-01' }] };
    expect(addBusiness(closed, at('2026-11-23T08:30Z'), hour)).toBeNull();
  });
});

it('agrees with its pauses: what is open between is what was added', () => {
  const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kolkata'];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: at('2026-01-01T00:00Z'), max: at('2026-12-31T00:00Z') }),
      fc.integer({ min: 1, max: 60 * hour }),
      (timeZone, from, ms) => {
        const calendar = { ...berlin, timeZone };
        const due = addBusiness(calendar, from, ms) as number;
        const pauses = pausesAfter(calendar, from, due);
        const paused = pauses.reduce((sum, [start, end]) => sum + end - start, 0);
        expect(due - from - paused).toBe(ms);
      },
    ),
    { numRuns: 100 },
  );
});

it.each([
  ['no open hour', { hours: { mon: [] } }, 'hours'],
  ['an end before the start', { holidays: [{ from: '2026-12-26', to: '2026-12-24' }] }, 'holidays.0.to'],
  ['a time that is none', { hours: { mon: [{ from: '9', to: '17:00' }] } }, 'hours.mon.0.from'],
])('refuses %s', (_, change, field) => {
  const parsed = slaCalendar.safeParse({ timeZone: 'UTC', hours: { mon: [workdays] }, ...change });
  expect(parsed.error?.issues[0]?.path.join('.')).toBe(field);
});
