import { expect, it } from 'vitest';
import type { SlaCalendar } from '../../domain/sla/calendar.ts';
import {
  calendarPreviewRows,
  calendarRow,
  calendarValues,
  postedCalendar,
  readCalendar,
} from './calendar-form.ts';

const body = {
  name: 'office',
  timeZone: 'Europe/Berlin',
  mon: '9:00-12:00, 13:00 – 17:00',
  tue: '22:00-06:00',
  holidays: '2026-12-24 to 2026-12-26 Christmas\r\n\r\n2027-01-01',
};
const office: SlaCalendar = {
  timeZone: 'Europe/Berlin',
  hours: {
    mon: [
      { from: '09:00', to: '12:00' },
      { from: '13:00', to: '17:00' },
    ],
    tue: [{ from: '22:00', to: '06:00' }],
  },
  holidays: [{ from: '2026-12-24', to: '2026-12-26', name: 'Christmas' }, { from: '2027-01-01' }],
};

it('reads hours and holidays as people write them, and gives back what it read', () => {
  expect(readCalendar(postedCalendar(body))).toEqual({ definition: office });
  expect(readCalendar(calendarValues('office', office))).toEqual({ definition: office });
});

it('says beside its field what it cannot read', () => {
  const wrong = { ...body, timeZone: 'Berlin', mon: 'nine to five', holidays: 'Christmas' };
  expect(readCalendar(postedCalendar(wrong))).toEqual({
    problems: {
      timeZone: expect.stringContaining('IANA'),
      mon: expect.stringContaining('09:00-17:00'),
      holidays: expect.stringContaining('2026-12-25'),
    },
  });
  expect(readCalendar(postedCalendar({ timeZone: 'UTC' }))).toEqual({
    problems: { mon: 'Open at least one hour of the week.' },
  });
});

it('shows two weeks with what closes a day', () => {
  const rows = calendarPreviewRows(office, Date.UTC(2026, 11, 21, 12));
  expect(rows).toHaveLength(14);
  expect(rows[0]).toMatchObject({ day: 'Monday', open: '09:00–12:00, 13:00–17:00' });
  expect(rows[1]).toMatchObject({ day: 'Tuesday', open: '22:00–06:00' });
  expect(rows[4]).toMatchObject({ date: '2026-12-25', open: 'closed', why: 'Christmas' });
});

it('sums a calendar up in a line', () => {
  expect(
    calendarRow({ name: 'office', teamId: null, definition: office, updatedAt: new Date() }, []),
  ).toMatchObject({
    open: 'Mon 09:00-12:00, 13:00-17:00; Tue 22:00-06:00 (Europe/Berlin)',
    policies: 'none',
  });
});
