import { type Automaton, accepts, automatonOf, type Expression } from './automaton.ts';

/** The bound only keeps a long life from growing the caches. */
const cacheLimit = 1_000;
/** Labels may be far longer; names are not. */
const textLimit = 1_024;

const globs = new Map<string, Automaton>();
const wildcards = new Map<string, Automaton>();

/**
 * Whether `text` matches the glob `pattern` as a whole: `*` any characters or none, `?` one, `[abc]` and `[a-z]` one of
 * these, `[!abc]` one of no such, `{a,b}` either, `\*` the character itself. Everything else stands for itself: a
 * slash and a dot too (names are not paths), and what is not closed. Case does not count. Only the first 1,024
 * characters of the text do.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  return matches(globs, readGlob, pattern, text.slice(0, textLimit));
}

/**
 * Whether all of `text` matches `pattern`: `*` any characters, `?` one; case does not count. Unlike `matchesGlob` it
 * looks at the whole text however long it is (a deny list must not be dodged by padding) and takes every other
 * character as itself (commands are full of braces, brackets and backslashes).
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  return matches(wildcards, readWildcard, pattern, text);
}

function matches(
  known: Map<string, Automaton>,
  read: (pattern: string) => Expression,
  pattern: string,
  text: string,
): boolean {
  let automaton = known.get(pattern);
  if (!automaton) {
    if (known.size >= cacheLimit) known.clear();
    automaton = automatonOf(read(pattern));
    known.set(pattern, automaton);
  }
  return accepts(automaton, text, lowerCase);
}

function lowerCase(character: number): number {
  if (character < 128) return character >= 65 && character <= 90 ? character + 32 : character;
  return oneOf(String.fromCodePoint(character).toLowerCase(), character);
}

function upperCase(character: number): number {
  return oneOf(String.fromCodePoint(character).toUpperCase(), character);
}

/** The few that become two characters in the other case are left as they are, so that `?` takes them. */
function oneOf(changed: string, character: number): number {
  const only = changed.codePointAt(0);
  return only === undefined || changed !== String.fromCodePoint(only) ? character : only;
}

const anyOne = () => true;
const anyRun: Expression = { repeated: anyOne, least: 0, most: Number.POSITIVE_INFINITY };

function readWildcard(pattern: string): Expression {
  return { all: (pattern.match(/\*+|./gsu) ?? []).map(readStar) };
}

function readStar(written: string): Expression {
  if (written.startsWith('*')) return anyRun;
  return written === '?' ? anyOne : literal(written);
}

function literal(written: string): number {
  return lowerCase(written.codePointAt(0) ?? 0);
}

/** A run of stars, a class (a `]` that stands first is one of its characters), an escaped character, or one. */
const globToken = /\*+|\[[!^]?(?:\\.|[^\\])(?:\\.|[^\]\\])*\]|\\.|./gsu;

function readGlob(pattern: string): Expression {
  const tokens = pattern.match(globToken) ?? [];
  return readTokens(tokens, 0, tokens.length, alternatives(tokens));
}

/** Where braces hold alternatives: by the index of the opening one, those of its commas and of the closing one. */
function alternatives(tokens: readonly string[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  const open: { at: number; ends: number[] }[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token === '{') open.push({ at: index, ends: [] });
    else if (token === ',') open.at(-1)?.ends.push(index);
    else if (token === '}') {
      const closed = open.pop();
      if (closed && closed.ends.length > 0) found.set(closed.at, [...closed.ends, index]);
    }
  }
  return found;
}

function readTokens(
  tokens: readonly string[],
  from: number,
  to: number,
  braces: ReadonlyMap<number, number[]>,
): Expression {
  const all: Expression[] = [];
  for (let at = from; at < to; at++) {
    const ends = braces.get(at);
    if (!ends) {
      all.push(readToken(tokens[at] ?? ''));
      continue;
    }
    const either: Expression[] = [];
    for (const end of ends) {
      either.push(readTokens(tokens, at + 1, end, braces));
      at = end;
    }
    all.push({ either });
  }
  return { all };
}

function readToken(token: string): Expression {
  if (token.length === 1 || token.startsWith('*')) return readStar(token);
  if (token.startsWith('[')) return readClass(token.slice(1, -1));
  return token.startsWith('\\') ? literal(token.slice(1)) : literal(token);
}

/** Of `a-z0_` or `!a-z0_`, the inside of a class. Ranges are as they are written, so a character is tried in both cases. */
function readClass(inside: string): Expression {
  const refused = inside.length > 1 && /^[!^]/.test(inside);
  const written = refused ? inside.slice(1) : inside;
  const ranges = Array.from(
    written.matchAll(/(\\.|.)(?:-(\\.|.))?/gsu),
    ([, first = '', last = first]) => [unescaped(first), unescaped(last)] as const,
  );
  const holds = (character: number) =>
    ranges.some(([first, last]) => first <= character && character <= last);
  return (character) => (holds(character) || holds(upperCase(character))) !== refused;
}

function unescaped(written: string): number {
  return written.codePointAt(written.length > 1 && written.startsWith('\\') ? 1 : 0) ?? 0;
}
