import { wildcard } from './masking.ts';

/** What begins nearly every line, such as time, host and level: it tells no event from another. */
export interface LineHeader {
  /** Tokens of it. */
  length: number;
  /** As templates show it. */
  text: string;
}

/** Lines fewer than this show no habit. */
const fewestLines = 10;
/** Share of the lines that have the same token at a place, for it to be of the header. */
const share = 0.9;
const longestHeader = 12;
const level =
  /^\W*(?:trace|debug|info|information|notice|warn|warning|err|error|severe|crit|critical|fatal|alert|emerg)\W*$/i;

/** `lines`: masked, as tokens, each with how often it is there. Of length 0 where the lines have no header. */
export function commonHeader(lines: readonly { tokens: string[]; count: number }[]): LineHeader {
  const total = lines.reduce((sum, { count }) => sum + count, 0);
  const found: string[] = [];
  let looksLikeOne = false;
  let among = lines;
  while (total >= fewestLines && found.length < longestHeader) {
    const place = found.length;
    const counts = new Map<string, number>();
    for (const { tokens, count } of among) {
      const token = tokens[place];
      // the last word of a line is not of its header
      if (token === undefined || tokens.length <= place + 1) continue;
      const seen = level.test(token) ? levelClass : token;
      counts.set(seen, (counts.get(seen) ?? 0) + count);
    }
    const [common, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
    if (count < share * total) break;
    found.push(common);
    looksLikeOne ||= common === levelClass || (place === 0 && common.includes(wildcard));
    among = among.filter(({ tokens }) => isHeaderToken(tokens[place], common));
  }
  if (!looksLikeOne) return { length: 0, text: '' };
  return {
    length: found.length,
    text: found.map((token) => (token === levelClass ? wildcard : token)).join(' '),
  };
}

const levelClass = '\n';

function isHeaderToken(token: string | undefined, common: string): boolean {
  return token !== undefined && (common === levelClass ? level.test(token) : token === common);
}

/** Whether a line begins with the header. */
export function hasHeader(tokens: readonly string[], header: LineHeader): boolean {
  if (header.length === 0 || tokens.length <= header.length) return false;
  return header.text
    .split(' ')
    .every(
      (common, place) => tokens[place] === common || (common === wildcard && level.test(tokens[place] ?? '')),
    );
}
