import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Log samples with their true templates (github.com/logpai/loghub), beside the checkout where they are had. */
export const loghubDirectory = fileURLToPath(new URL('../../shared/data/loghub/', import.meta.url));

export interface LoghubSet {
  name: string;
  lines: string[];
  /** The id of each line's true template. */
  events: string[];
}

export function readLoghub(): LoghubSet[] {
  return readdirSync(loghubDirectory)
    .filter((file) => file.endsWith('_structured.csv'))
    .map((file) => {
      const [header = [], ...rows] = parseCsv(readFileSync(loghubDirectory + file, 'utf8'));
      const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? '');
      return { name: file.split('_')[0] ?? file, lines: column('Content'), events: column('EventId') };
    });
}

/** The share of lines whose group holds exactly the lines of its true template. */
export function groupingAccuracy(groups: number[], events: string[]): number {
  const lines = [...groups.keys()];
  const byEvent = Map.groupBy(lines, (line) => events[line]);
  const right = [...Map.groupBy(lines, (line) => groups[line]).values()].filter((members) => {
    const event = events[members[0] ?? 0];
    return members.every((line) => events[line] === event) && byEvent.get(event)?.length === members.length;
  });
  return right.reduce((sum, members) => sum + members.length, 0) / lines.length;
}

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1) rows.push(row);
    row = [];
  }
  return rows;
}
