/*
 * What comes from outside (names, outputs of commands, what servers answered) may hold sequences that move the cursor,
 * change the window's title or answer in the user's name when a terminal reads them. They are shown instead.
 */

/** C0 but tab and line feed, DEL, C1, and what turns the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is made visible
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text of several lines: tabs and line feeds stay. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(dangerous, shown);
}

/** Text that has to stay on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', ' ');
}

/** The same JSON, with what a terminal might act on written as escapes. JSON has C0 characters as escapes already. */
export function printableJson(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${hex(char, 4)}`,
  );
}

function shown(char: string): string {
  return char.charCodeAt(0) < 0x100 ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`;
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0');
}
