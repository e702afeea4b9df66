import { masked } from './secret.ts';

/** As a shell would need it written, for people to read and copy. */
export function shellWord(value: string): string {
  if (value === masked || /^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${shownValue(value).replaceAll("'", `'\\''`)}'`;
}

/** A value in a text for people: it stays on its line, so that it cannot pass for a line of what holds it. */
export function shownValue(value: string): string {
  return visible(value).replaceAll('\n', '\\x0a');
}

/** `text` with control characters as \xNN and the ones that turn the direction of writing as \uNNNN. */
export function visible(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is made visible
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (char) => `\\x${hex(char, 2)}`)
      .replaceAll(/[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (char) => `\\u${hex(char, 4)}`)
  );
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0');
}
