import { describe, expect, test } from 'vitest';
import { eventLabel, peopleFinder } from './calendar-people.ts';

const people = [
  { email: 'ana@example.com', name: 'Ana Example' },
  { email: 'Ben@Example.com', name: 'Ben Example' },
  { email: 'cem@example.com', name: 'Twin Example' },
  { email: 'dia@example.com', name: 'Twin Example' },
];
const find = peopleFinder(people);
const event = { attendees: [], summary: '', organizer: null };

describe('who is on call by an event', () => {
  test.each([
    [
      'those who take part',
      { attendees: ['BEN@example.com', 'x@example.com', 'ana@example.com'] },
      ['ben', 'ana'],
    ],
    [
      'before whom the summary names',
      { attendees: ['ben@example.com'], summary: 'ana@example.com' },
      ['ben'],
    ],
    ['an address in the summary', { summary: 'On call: <ana@example.com>, L1' }, ['ana']],
    ['a summary that is a name', { summary: ' ana  example' }, ['ana']],
    ['no summary that only holds a name', { summary: 'Ana Example on call' }, []],
    ['nobody where two have the name', { summary: 'Twin Example' }, []],
    ['the organizer at last', { summary: 'Primary', organizer: 'ana@example.com' }, ['ana']],
    ['nobody here', { attendees: ['x@example.com'], summary: 'X', organizer: 'y@example.com' }, []],
  ])('%s', (_name, given, expected) => {
    expect(find({ ...event, ...given })).toEqual(expected.map((name) => `${name}@example.com`));
  });
});

test('an event that names nobody here is called by its title, or by whom it names', () => {
  expect(eventLabel({ ...event, summary: ' Holiday ' })).toBe('Holiday');
  expect(eventLabel({ ...event, attendees: ['x@example.com'] })).toBe('x@example.com');
  expect(eventLabel(event)).toBe('an event without a title');
});
