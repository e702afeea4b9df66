import { oneLine } from '../markup.ts';

/** Text from outside inside a line of Markdown: shown as it is, whatever it holds; it calls nobody and links nowhere. */
export function plain(text: string, limit = 500): string {
  return oneLine(text, limit)
    .replace(/[\\`*_[\]<>#|~&]/g, '\\$&')
    .replace(live, '$&\u2060')
    .replaceAll('$', () => '<span>$</span>');
}

// what GitHub makes of escaped text too: mentions, addresses, links and references, held apart by a mark without width
const live = /@|:(?=\/\/)|www(?=\.)|#(?=\d)/gi;

/** As code, in a fence longer than any inside it. In a table a pipe would end the cell also within code. */
export function code(text: string, limit = 300): string {
  const shown = oneLine(text, limit).replaceAll('|', '¦');
  if (shown === '') return '';
  const longest = (shown.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = '`'.repeat(longest + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** A link, where the address is one that may be followed; else the words alone. */
export function link(words: string, url: string | null): string {
  if (url === null || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return plain(words);
  return `[${plain(words)}](<${new URL(url).href.replaceAll('>', '%3E').replaceAll('<', '%3C').replaceAll('|', '%7C')}>)`;
}

export function table(columns: string[], rows: string[][]): string[] {
  return [
    `| ${columns.join(' | ')} |`,
    `|${columns.map(() => ' --- ').join('|')}|`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ];
}
