import type { Wrapper } from './command-programs.ts';
import type { CommandWord, WordProblem } from './command-word.ts';

/** A word that is still to be read: how many words come before the program, and whether options are over. */
interface Place {
  index: number;
  before: number;
  ended: boolean;
}

const assignment = /^[A-Za-z_][A-Za-z0-9_]*=/;

/**
 * Where behind a wrapper (`sudo -u app`, `timeout 5`) the program may stand: of an option that is not known the next
 * word may be its own or not, so there can be several such places. A place is no reason to refuse; a variable in it is.
 */
export function wrappedPrograms(
  words: readonly CommandWord[],
  start: number,
  name: string,
  wrapper: Wrapper,
): { programs: number[] } | { problem: WordProblem } {
  const programs = new Set<number>();
  const seen = new Set<string>();
  const open: Place[] = [{ index: start, before: wrapper.before ?? 0, ended: false }];
  for (let place = open.pop(); place; place = open.pop()) {
    const key = `${place.index} ${place.before} ${place.ended}`;
    const word = words[place.index];
    if (seen.has(key) || !word) continue;
    seen.add(key);
    const { index, before, ended } = place;
    const { text } = word;
    const variable = word.variableAt !== undefined;
    const next = (count: number, left = before) => open.push({ index: index + count, before: left, ended });
    if (variable && word.splits) return { problem: unclear(index, name) };
    if (!ended && text === '--') open.push({ index: index + 1, before, ended: true });
    else if (!ended && text === '-') next(1);
    else if (!ended && text.startsWith('-')) {
      if (variable && !takesItself(text, wrapper)) return { problem: unclear(index, name) };
      const counts = wordsOf(text, wrapper);
      const own = words[index + 1];
      // of an option that is not known it is not known either whether its word is a command
      const ownVariable = own?.variableAt !== undefined && (own.splits || counts.length > 1);
      if (ownVariable && counts.includes(2)) return { problem: unclear(index + 1, name) };
      for (const count of counts) next(count);
    } else if (wrapper.assignments && assignment.test(text)) next(1);
    else if (before > 0) {
      next(1, before - 1);
      if (word.splits) next(1);
    } else {
      programs.add(index);
      if (word.splits) next(1);
    }
  }
  return { programs: [...programs].sort((one, other) => one - other) };
}

/** How many words the option may be: itself, with the next one, or either. */
function wordsOf(text: string, { flags = '', takes = '', long = [], longFlags = [] }: Wrapper): number[] {
  if (text.startsWith('--')) {
    const [name = '', value] = text.slice(2).split('=', 2);
    if (value !== undefined || longFlags.includes(name)) return [1];
    return long.includes(name) ? [2] : [1, 2];
  }
  for (const [at, letter] of [...text.slice(1)].entries()) {
    if (takes.includes(letter)) return at === text.length - 2 ? [2] : [1];
    if (!flags.includes(letter) && !/\d/.test(letter)) return [1, 2];
  }
  return [1];
}

/** `-u{{x}}`, `--user={{x}}` where the option is known to take a word. */
function takesItself(text: string, { flags = '', takes = '', long = [] }: Wrapper): boolean {
  const written = text.slice(0, text.indexOf('\0'));
  if (written.startsWith('--')) return written.endsWith('=') && long.includes(written.slice(2, -1));
  const letters = [...written.slice(1)];
  const own = letters.findIndex((letter) => takes.includes(letter));
  return own !== -1 && letters.slice(0, own).every((letter) => flags.includes(letter));
}

function unclear(index: number, name: string): WordProblem {
  return {
    index,
    message: `with a variable here it is not sure what '${name}' runs, and a value could become that; put the program, written out, before the variable`,
  };
}
