import { describe, expect, test } from 'vitest';
import { CalendarError, readEvents } from './events.ts';

const at = (text: string): number => Date.parse(text);

function calendar(...events: string[][]): string {
  const lines = events.flatMap((event) => [
    'BEGIN:VEVENT',
    `UID:${event[0]}`,
    ...event.slice(1),
    'END:VEVENT',
  ]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//x//x//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

function read(text: string, from: string, to: string, timeZone = 'Europe/Berlin') {
  return readEvents({ text, timeZone, from: at(from), to: at(to) });
}
const spans = (...args: Parameters<typeof read>) =>
  read(...args).map(({ summary, from, to }) =>
    `${summary} ${new Date(from).toISOString()}/${new Date(to).toISOString()}`.replaceAll(':00.000Z', 'Z'),
  );

const weekly = [
  '1',
  'SUMMARY:ana',
  'DTSTART;TZID=Europe/Berlin:20260316T090000',
  'DTEND;TZID=Europe/Berlin:20260323T090000',
  'RRULE:FREQ=WEEKLY;INTERVAL=2',
];

describe('recurring events', () => {
  test('keep their time of day over the change of the clock, at both ends', () => {
    expect(spans(calendar(weekly), '2026-03-20T00:00Z', '2026-04-20T00:00Z')).toEqual([
      'ana 2026-03-16T08:00Z/2026-03-23T08:00Z',
      'ana 2026-03-30T07:00Z/2026-04-06T07:00Z',
      'ana 2026-04-13T07:00Z/2026-04-20T07:00Z',
    ]);
    const long = calendar([...weekly.slice(0, 3), 'DTEND;TZID=Europe/Berlin:20260330T090000', weekly[4]!]);
    // the first is an hour shorter than the others
    expect(spans(long, '2026-03-16T00:00Z', '2026-04-10T00:00Z')).toEqual([
      'ana 2026-03-16T08:00Z/2026-03-30T07:00Z',
      'ana 2026-03-30T07:00Z/2026-04-13T07:00Z',
    ]);
  });

  test('leave out what EXDATE names, move what an exception moves, and drop what it cancels', () => {
    const text = calendar(
      [...weekly, 'EXDATE;TZID=Europe/Berlin:20260330T090000'],
      [
        '1',
        'RECURRENCE-ID;TZID=Europe/Berlin:20260413T090000',
        'SUMMARY:ben',
        'DTSTART;TZID=Europe/Berlin:20260414T120000',
        'DTEND;TZID=Europe/Berlin:20260415T120000',
      ],
      [
        '1',
        'RECURRENCE-ID;TZID=Europe/Berlin:20260427T090000',
        'STATUS:CANCELLED',
        'SUMMARY:ana',
        'DTSTART;TZID=Europe/Berlin:20260427T090000',
        'DTEND;TZID=Europe/Berlin:20260504T090000',
      ],
    );
    expect(spans(text, '2026-03-25T00:00Z', '2026-05-12T00:00Z')).toEqual([
      'ben 2026-04-14T10:00Z/2026-04-15T10:00Z',
      'ana 2026-05-11T07:00Z/2026-05-18T07:00Z',
    ]);
  });

  test('that come every second are given up', () => {
    const secondly = ['1', 'DTSTART:19700101T000000Z', 'DTEND:19700101T000001Z', 'RRULE:FREQ=SECONDLY'];
    const question = {
      text: calendar(secondly),
      timeZone: 'UTC',
      from: at('2026-01-01T00:00Z'),
      to: at('2027-01-01T00:00Z'),
    };
    expect(() => readEvents(question, 500)).toThrow(CalendarError);
  });
});

describe('times', () => {
  test('of a whole day, and without a zone, are in the zone of the calendar, else of the rotation', () => {
    const events = [
      ['1', 'SUMMARY:day', 'DTSTART;VALUE=DATE:20260701', 'DTEND;VALUE=DATE:20260702'],
      ['2', 'SUMMARY:open', 'DTSTART:20260701T090000', 'DURATION:PT8H'],
    ];
    const from = '2026-06-30T00:00Z';
    const to = '2026-07-03T00:00Z';
    expect(spans(calendar(...events), from, to)).toEqual([
      'day 2026-06-30T22:00Z/2026-07-01T22:00Z',
      'open 2026-07-01T07:00Z/2026-07-01T15:00Z',
    ]);
    const tokyo = calendar(...events).replace('VERSION:2.0', 'VERSION:2.0\r\nX-WR-TIMEZONE:Asia/Tokyo');
    expect(spans(tokyo, from, to)).toEqual([
      'day 2026-06-30T15:00Z/2026-07-01T15:00Z',
      'open 2026-07-01T00:00Z/2026-07-01T08:00Z',
    ]);
  });

  test('in UTC and in a zone that the calendar defines itself are what it says', () => {
    const zone = [
      'BEGIN:VTIMEZONE',
      'TZID:Own Time',
      'BEGIN:STANDARD',
      'DTSTART:16010101T000000',
      'TZOFFSETFROM:+0300',
      'TZOFFSETTO:+0300',
      'END:STANDARD',
      'END:VTIMEZONE',
    ].join('\r\n');
    const text = calendar(
      ['1', 'SUMMARY:own', 'DTSTART;TZID=Own Time:20260701T090000', 'DTEND;TZID=Own Time:20260701T170000'],
      ['2', 'SUMMARY:utc', 'DTSTART:20260701T090000Z', 'DTEND:20260701T170000Z'],
    ).replace('BEGIN:VEVENT', `${zone}\r\nBEGIN:VEVENT`);
    expect(spans(text, '2026-07-01T00:00Z', '2026-07-02T00:00Z')).toEqual([
      'own 2026-07-01T06:00Z/2026-07-01T14:00Z',
      'utc 2026-07-01T09:00Z/2026-07-01T17:00Z',
    ]);
  });
});

test('of a zone with summer time that the calendar defines itself, shifts keep their time of day', () => {
  // as Outlook writes them
  const change = (name: string, from: string, to: string, month: number) => [
    `BEGIN:${name}`,
    'DTSTART:16010101T020000',
    `TZOFFSETFROM:${from}`,
    `TZOFFSETTO:${to}`,
    `RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=${month}`,
    `END:${name}`,
  ];
  const zone = [
    'BEGIN:VTIMEZONE',
    'TZID:W. Europe Standard Time',
    ...change('STANDARD', '+0200', '+0100', 10),
    ...change('DAYLIGHT', '+0100', '+0200', 3),
    'END:VTIMEZONE',
  ].join('\r\n');
  const tzid = 'TZID=W. Europe Standard Time';
  const text = calendar([
    '1',
    'SUMMARY:ana',
    `DTSTART;${tzid}:20260316T090000`,
    `DTEND;${tzid}:20260323T090000`,
    'RRULE:FREQ=WEEKLY',
  ]).replace('BEGIN:VEVENT', `${zone}\r\nBEGIN:VEVENT`);
  expect(spans(text, '2026-03-23T12:00Z', '2026-04-02T00:00Z')).toEqual([
    'ana 2026-03-23T08:00Z/2026-03-30T07:00Z',
    'ana 2026-03-30T07:00Z/2026-04-06T07:00Z',
  ]);
});

test('who takes part is named by address; rooms and who declined are left out', () => {
  const text = calendar([
    '1',
    'SUMMARY:Primary',
    'DTSTART:20260701T090000Z',
    'DTEND:20260701T170000Z',
    'ORGANIZER;CN=Team:mailto:team@example.com',
    'ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:ana@example.com',
    'ATTENDEE;PARTSTAT=DECLINED:mailto:ben@example.com',
    'ATTENDEE;CUTYPE=ROOM:mailto:room@example.com',
    'ATTENDEE;EMAIL=cem@example.com:urn:uuid:1',
  ]);
  expect(read(text, '2026-07-01T00:00Z', '2026-07-02T00:00Z')).toMatchObject([
    { summary: 'Primary', organizer: 'team@example.com', attendees: ['ana@example.com', 'cem@example.com'] },
  ]);
});

test.each([
  ['', /no iCalendar/],
  ['<html></html>', /no iCalendar/],
  ['BEGIN:VCARD\r\nEND:VCARD', /no iCalendar/],
])('%j is refused with a reason', (text, reason) => {
  expect(() => read(text, '2026-07-01T00:00Z', '2026-07-02T00:00Z')).toThrow(reason);
});
