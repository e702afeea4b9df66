/**
 * Matching that cannot be made slow: all ways through a pattern are followed at once (Thompson's construction), one
 * character of the text after the other, so that a match costs at most pattern × text steps. Globs and the patterns
 * of inputs are read into this; texts come from outside, and no pattern tries one way after another over them.
 */
export type Expression =
  /** This character, by its code point. */
  | number
  /** Any character that this holds for. */
  | CharacterTest
  | { all: readonly Expression[] }
  | { either: readonly Expression[] }
  /** `most` may be Infinity. */
  | { repeated: Expression; least: number; most: number };
export type CharacterTest = (character: number) => boolean;

/** One character is taken by a number or a test, which lead to the next step; a list leads on to its steps at once. */
type Step = number | CharacterTest | number[];
/** Its end is reached behind the last step. */
export type Automaton = readonly Step[];

/** How many steps the automaton will have, or a few more. */
export function sizeOf(expression: Expression): number {
  if (typeof expression !== 'object') return 1;
  if ('all' in expression) return sum(expression.all, sizeOf);
  if ('either' in expression) return 1 + sum(expression.either, (branch) => sizeOf(branch) + 1);
  const { repeated, least, most } = expression;
  // what is empty counts too: it is gone through as often
  const once = Math.max(1, sizeOf(repeated));
  return least * once + (most === Number.POSITIVE_INFINITY ? once + 2 : (most - least) * (once + 1));
}

function sum(parts: readonly Expression[], size: (part: Expression) => number): number {
  return parts.reduce<number>((total, part) => total + size(part), 0);
}

export function automatonOf(expression: Expression): Automaton {
  const steps: Step[] = [];
  add(steps, expression);
  return steps;
}

function add(steps: Step[], expression: Expression): void {
  if (typeof expression !== 'object') {
    steps.push(expression);
  } else if ('all' in expression) {
    for (const part of expression.all) add(steps, part);
  } else if ('either' in expression) {
    addEither(steps, expression.either);
  } else {
    addRepeated(steps, expression);
  }
}

function addEither(steps: Step[], branches: readonly Expression[]): void {
  const begins: number[] = [];
  const ends: number[][] = [];
  steps.push(begins);
  for (const branch of branches) {
    begins.push(steps.length);
    add(steps, branch);
    const end: number[] = [];
    ends.push(end);
    steps.push(end);
  }
  for (const end of ends) end.push(steps.length);
}

function addRepeated(
  steps: Step[],
  { repeated, least, most }: { repeated: Expression; least: number; most: number },
): void {
  for (let round = 0; round < least; round++) add(steps, repeated);
  if (most === Number.POSITIVE_INFINITY) {
    const again = steps.length;
    const ways = [again + 1];
    steps.push(ways);
    add(steps, repeated);
    steps.push([again]);
    ways.push(steps.length);
    return;
  }
  const optional: number[][] = [];
  for (let round = least; round < most; round++) {
    const ways = [steps.length + 1];
    optional.push(ways);
    steps.push(ways);
    add(steps, repeated);
  }
  for (const ways of optional) ways.push(steps.length);
}

/** Whether the automaton takes the text from its first character to its last; each is read as `as` says. */
export function accepts(
  automaton: Automaton,
  text: string,
  as: (character: number) => number = (character) => character,
): boolean {
  /** At which character (counted from 1) a step was reached last: it is followed once for each. */
  const reached = new Uint32Array(automaton.length + 1);
  let ways = follow(automaton, [0], reached, 1);
  let turn = 1;
  for (const written of text) {
    const character = as(written.codePointAt(0) ?? 0);
    const taken: number[] = [];
    for (const at of ways) {
      const step = automaton[at];
      if (typeof step === 'function' ? step(character) : step === character) taken.push(at + 1);
    }
    if (taken.length === 0) return false;
    ways = follow(automaton, taken, reached, ++turn);
  }
  return ways.includes(automaton.length);
}

/** The steps that take a character, and the end, that are reached from `pending` without one. */
function follow(automaton: Automaton, pending: number[], reached: Uint32Array, turn: number): number[] {
  const ways: number[] = [];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (reached[at] === turn) continue;
    reached[at] = turn;
    const step = automaton[at];
    if (typeof step !== 'object') ways.push(at);
    else for (const next of step) pending.push(next);
  }
  return ways;
}
