import { expect, test } from 'vitest';
import { noteForPagerDuty, noteOfHoldfast } from './pagerduty.ts';

const note = { incident: 42, seq: 7, writer: 'ana@example.com', text: 'looking\nat it' };

test('a note begins with who wrote it, and is known again by that, however much of it is cut', () => {
  const text = noteForPagerDuty(note);
  expect(text).toBe('ana@example.com (Holdfast #42, event 7): looking\nat it');
  expect(noteOfHoldfast(text)).toEqual({ incident: 42, seq: 7 });
  expect(noteOfHoldfast(text.slice(0, 50))).toEqual({ incident: 42, seq: 7 });
});

test('a writer of many lines and words does not hide which note it is', () => {
  const text = noteForPagerDuty({ ...note, writer: `Ana\n${'a'.repeat(500)}` });
  expect(noteOfHoldfast(text)).toEqual({ incident: 42, seq: 7 });
});

test.each([
  'looking at it',
  'see ana@example.com (Holdfast #42)',
  `${'a'.repeat(201)} (Holdfast #42, event 7): x`,
  'first\nana@example.com (Holdfast #42, event 7): quoted',
])('what a person writes is theirs: %s', (text) => {
  expect(noteOfHoldfast(text)).toBeUndefined();
});
