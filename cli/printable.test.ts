import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableJson, printableLine } from './printable.ts';

const acts =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;

test.for([
  ['a colour', '\u001b[31mred', '\\x1b[31mred'],
  ['a window title', '\u001b]0;pwned\u0007', '\\x1b]0;pwned\\x07'],
  ['an eight-bit control sequence', '\u009b2J', '\\x9b2J'],
  ['a carriage return that hides what stands before it', 'rm -rf /\rls', 'rm -rf /\\x0dls'],
  ['backspaces', 'no\b\byes', 'no\\x08\\x08yes'],
  ['text turned around', 'a\u202eb', 'a\\u202eb'],
  ['a clipboard write', '\u001b]52;c;ZWNobw==\u001b\\', '\\x1b]52;c;ZWNobw==\\x1b\\'],
] as const)('%s is shown, not acted on', ([, given, shown]) => {
  expect(printable(given)).toBe(shown);
});

test('lines and tabs of an output stay, also those of Windows; a single line stays one', () => {
  expect(printable('a\tb\r\nc\n')).toBe('a\tb\nc\n');
  expect(printableLine('a\tb\nc')).toBe('a b\\nc');
});

test('whatever comes, nothing is left that a terminal acts on, and ordinary text is as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(acts.test(printable(text))).toBe(false);
      expect(acts.test(printableLine(text))).toBe(false);
    }),
  );
  expect(printable('Ünïcödé 🚒 日本語')).toBe('Ünïcödé 🚒 日本語');
});

test('JSON stays the same value', () => {
  fc.assert(
    fc.property(fc.record({ name: fc.string({ unit: 'binary' }) }), (value) => {
      const json = printableJson(JSON.stringify(value));
      expect(acts.test(json)).toBe(false);
      expect(JSON.parse(json)).toEqual(value);
    }),
  );
});
