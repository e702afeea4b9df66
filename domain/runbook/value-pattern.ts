import { accepts, automatonOf, type CharacterTest, type Expression, sizeOf } from '../automaton.ts';

export type ValuePattern = { matches(value: string): boolean } | { problem: string };

/** Steps that a pattern may come to, counts written out: times the longest value, some tens of milliseconds. */
const mostSteps = 4_000;

/**
 * The `pattern` of an input: a regular expression as in JavaScript (flag u) that all of a value must match. Values
 * come from the labels of alerts, and JavaScript's own matching can take hours over a short one ('(a+)+'), so that it
 * only says whether the syntax is right and what one character may be. What needs trying one way after another,
 * look-around and references back, is refused with what to write instead.
 */
export function readValuePattern(pattern: string): ValuePattern {
  try {
    new RegExp(pattern, 'u');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `this is no regular expression: ${reason}` };
  }
  const reading: Reading = { pattern, at: 0, tests: new Map() };
  let expression: Expression;
  try {
    expression = readEither(reading, 0);
  } catch (error) {
    if (error instanceof RangeError) return { problem: error.message };
    throw error;
  }
  const size = sizeOf(expression);
  if (size > mostSteps) {
    return {
      problem: `with its counts written out this pattern is over ${mostSteps} characters long; use smaller ones in {}, or + and *`,
    };
  }
  const automaton = automatonOf(expression);
  return { matches: (value) => accepts(automaton, value) };
}

/** How far a pattern has been read; its syntax is known to be right. */
interface Reading {
  pattern: string;
  at: number;
  tests: Map<string, CharacterTest>;
}

function readEither(reading: Reading, depth: number): Expression {
  const either = [readAll(reading, depth)];
  while (take(reading, /\|/uy)) either.push(readAll(reading, depth));
  return either.length === 1 && either[0] !== undefined ? either[0] : { either };
}

function readAll(reading: Reading, depth: number): Expression {
  const all: Expression[] = [];
  // the whole value is matched anyway
  if (depth === 0) take(reading, /\^/uy);
  while (reading.at < reading.pattern.length && !peek(reading, /[|)]/uy)) {
    if (depth === 0 && take(reading, /\$(?=\||$)/uy)) break;
    all.push(readCount(reading, readOne(reading, depth)));
  }
  return { all };
}

function readOne(reading: Reading, depth: number): Expression {
  for (const [written, remedy] of refused) {
    const found = take(reading, written);
    if (found) throw new RangeError(`a pattern cannot hold '${found}': ${remedy}`);
  }
  if (take(reading, /\((?:\?:|\?<[^>]*>)?/uy)) {
    const inside = readEither(reading, depth + 1);
    take(reading, /\)/uy);
    return inside;
  }
  const several = take(reading, oneOfSeveral);
  if (several) return testOf(reading, several);
  const literal = take(reading, /./suy);
  return literal.codePointAt(0) ?? 0;
}

const refused: [RegExp, string][] = [
  [
    /\(\?<?[=!]/uy,
    'it looks ahead or back; write what the value holds from its first character to its last, or use options',
  ],
  [/\(\?[a-z-]+:/uy, 'flags are not read; write both cases, such as [Aa]'],
  [/\\(?:[1-9]\d*|k<[^>]*>)/uy, 'it refers back to a group; write out what may stand there'],
  [/\\[bB]/uy, 'it looks at what is beside it; write the characters that may stand there'],
  [/[$^]/uy, `the whole value is matched anyway; leave it out, or write \\$ or \\^ for the character`],
];

/** A class, any character, or an escape. */
const oneOfSeveral =
  /\[(?:\\.|[^\]\\])*\]|\.|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]|.)/suy;

/** A regular expression of one character has nothing to try twice. Each character is asked about once. */
function testOf({ tests }: Reading, written: string): CharacterTest {
  const known = tests.get(written);
  if (known) return known;
  const one = new RegExp(`^${written}$`, 'u');
  const answers = new Map<number, boolean>();
  const test = (character: number) => {
    const answer = answers.get(character) ?? one.test(String.fromCodePoint(character));
    answers.set(character, answer);
    return answer;
  };
  tests.set(written, test);
  return test;
}

/** Whether as few or as many as possible are taken (`+?`) makes no difference to whether all of a value matches. */
function readCount(reading: Reading, repeated: Expression): Expression {
  const count = take(reading, /(?:[*+?]|\{\d+(?:,\d*)?\})\??/uy);
  if (!count) return repeated;
  const [, least = '0', comma, most = ''] = /^\{(\d+)(,?)(\d*)\}/.exec(count) ?? [];
  const infinity = Number.POSITIVE_INFINITY;
  if (count.startsWith('*')) return { repeated, least: 0, most: infinity };
  if (count.startsWith('+')) return { repeated, least: 1, most: infinity };
  if (count.startsWith('?')) return { repeated, least: 0, most: 1 };
  return {
    repeated,
    least: Number(least),
    most: comma ? (most ? Number(most) : infinity) : Number(least),
  };
}

function peek({ pattern, at }: Reading, what: RegExp): string {
  what.lastIndex = at;
  return what.exec(pattern)?.[0] ?? '';
}

function take(reading: Reading, what: RegExp): string {
  const found = peek(reading, what);
  reading.at += found.length;
  return found;
}
