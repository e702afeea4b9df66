import { expect, test } from 'vitest';
import { parseMoment } from './moment.ts';

/** A Wednesday, 11:00 in Berlin. */
const now = Date.parse('2026-11-25T10:00:00Z');
const read = (text: string, at = now) => {
  const found = parseMoment(text, at, 'America/New_York');
  return 'problem' in found ? found.problem : `${new Date(found.at).toISOString()} ${found.timeZone}`;
};

test.each([
  ['Saturday 03:00 Europe/Berlin', '2026-11-28T02:00:00.000Z Europe/Berlin'],
  ['sat 03:00 Europe/Berlin', '2026-11-28T02:00:00.000Z Europe/Berlin'],
  // later today, and what is over today is a week ahead
  ['Wednesday 12:00 Europe/Berlin', '2026-11-25T11:00:00.000Z Europe/Berlin'],
  ['Wednesday 11:00 Europe/Berlin', '2026-12-02T10:00:00.000Z Europe/Berlin'],
  ['2026-11-28 03:00', '2026-11-28T08:00:00.000Z America/New_York'],
  ['2026-11-28T03:00 Europe/Berlin', '2026-11-28T02:00:00.000Z Europe/Berlin'],
  ['2026-11-28T02:00:00Z', '2026-11-28T02:00:00.000Z America/New_York'],
  ['2026-11-28T02:00:00+01:00', '2026-11-28T01:00:00.000Z America/New_York'],
  // a time that the clock leaves out, and one that it shows twice
  ['2026-03-29 02:30 Europe/Berlin', '2026-03-29T01:30:00.000Z Europe/Berlin'],
  ['2026-10-25 02:30 Europe/Berlin', '2026-10-25T00:30:00.000Z Europe/Berlin'],
])('reads %s', (text, found) => {
  expect(read(text)).toBe(found);
});

test.each(['', 'soon', 'Saturday', 'Saturday 25:00', '2026-02-30 03:00', 's 03:00', '2026-13-01T00:00:00Z'])(
  'says how to write it instead of %j',
  (text) => {
    expect(read(text)).toContain("'Saturday 03:00 Europe/Berlin'");
  },
);

test('names a zone that is none', () => {
  expect(read('Saturday 03:00 Berlin')).toContain("'Berlin' is no IANA time zone");
});
