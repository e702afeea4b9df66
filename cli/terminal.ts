import { styleText } from 'node:util';
import { printable, printableJson, printableLine } from './printable.ts';

/** Where a command writes. What is given as `text` goes through as it is: only the functions below are to call these. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal that shows colours. */
  colour: boolean;
}

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** What a command has to say. Everything from outside is made harmless here, so that no command can forget it. */
export interface Printer {
  /** Text of one or several lines, and a line feed. */
  say(text: string, colour?: Colour): void;
  /** Words beside each other, each in its colour, and a line feed. */
  line(...words: readonly Word[]): void;
  /** Output of a command as it comes, which may end within a line. */
  output(text: string): void;
  /** Rows under their headings, columns aligned. */
  table(headings: readonly string[], rows: readonly (readonly Word[])[]): void;
  /** What the API answered. */
  json(text: string): void;
  /** To standard error. */
  complain(text: string): void;
}

export type Word = string | { text: string; colour: Colour };

export function createPrinter(terminal: Terminal): Printer {
  const paint = (text: string, colour: Colour | undefined) =>
    colour && terminal.colour && text !== '' ? styleText(colour, text, { validateStream: false }) : text;
  const shown = (word: Word, width = 0) =>
    typeof word === 'string'
      ? printableLine(word).padEnd(width)
      : paint(printableLine(word.text).padEnd(width), word.colour);
  const lengthOf = (word: Word) => printableLine(typeof word === 'string' ? word : word.text).length;

  return {
    say: (text, colour) => terminal.out(`${paint(printable(text), colour)}\n`),
    line: (...words) => terminal.out(`${words.map((word) => shown(word)).join(' ')}\n`),
    output: (text) => terminal.out(printable(text)),
    table(headings, rows) {
      const all: (readonly Word[])[] = [headings.map((text) => ({ text, colour: 'bold' as const })), ...rows];
      const widths = headings.map((_, column) => Math.max(...all.map((row) => lengthOf(row[column] ?? ''))));
      for (const row of all) {
        const cells = row.map((word, column) =>
          column === row.length - 1 ? shown(word) : shown(word, widths[column]),
        );
        terminal.out(`${cells.join('  ').trimEnd()}\n`);
      }
    },
    json: (text) => terminal.out(`${printableJson(text).trimEnd()}\n`),
    complain: (text) => terminal.err(`${printable(text)}\n`),
  };
}
