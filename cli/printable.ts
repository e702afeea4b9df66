import { visible } from '../domain/runbook/shown-text.ts';

/*
 * What comes from outside (names, outputs of commands, what servers answered) may hold sequences that move the cursor,
 * change the window's title or answer in the user's name when a terminal reads them. They are shown instead.
 */

/** Text of several lines: tabs and line feeds stay. */
export function printable(text: string): string {
  return visible(text.replaceAll('\r\n', '\n'));
}

/** Text that has to stay on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', ' ');
}

/** The same JSON, with what a terminal might act on written as escapes. JSON has C0 characters as escapes already. */
export function printableJson(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
