import type { Interpreter } from './command-programs.ts';
import type { CommandWord, WordProblem } from './command-word.ts';

export type InterpreterReading =
  | { problem: WordProblem }
  /** `script`: which word is a shell's code. `fromInput`: no word is, so the input will be. */
  | { script?: number; fromInput: boolean };

/** Which word the next one is, by what the options before it said. */
type Awaited = 'any' | 'code' | 'own' | 'open' | 'perhaps own';

const inputFiles = /^(?:-|\/dev\/stdin|\/dev\/fd\/0|\/proc\/self\/fd\/0)$/;

/**
 * Reads the words of an interpreter up to its code: a literal word, or the name of a file. Any variable before that
 * could be it. Behind an option that takes code, and may be one of a cluster or stand apart from it, nothing but a
 * literal word ends the search.
 */
export function readInterpreter(
  words: readonly CommandWord[],
  start: number,
  name: string,
  interpreter: Interpreter,
): InterpreterReading {
  let awaited: Awaited = 'any';
  let codeOption = false;
  let found = false;
  let ended = false;
  let fromInput = false;
  for (let index = start + 1; index < words.length; index += 1) {
    const word = words[index];
    if (!word) break;
    const { text } = word;
    const option = !ended && /^[-+]./.test(text) && !inputFiles.test(text);
    if (word.variableAt !== undefined) {
      const asValue = awaited === 'open' || (awaited === 'own' && setsVariable(name, text));
      const asOpen = interpreter.longOpen?.some((long) => text.startsWith(`--${long}=`)) && !ended;
      if ((asValue || asOpen) && !word.splits) awaited = 'any';
      else if (!found || option || (awaited !== 'any' && !ended) || (word.splits && !ended)) {
        return { problem: { index, message: reason(name, interpreter) } };
      }
    } else if (!ended && (text === '--' || (text === '-' && interpreter.shell))) {
      ended = true;
    } else if (option) {
      const read = readOption(text, interpreter);
      codeOption ||= read === 'code';
      // what was glued to a code option is code, and then it may not be
      if (!(awaited === 'code' && read !== 'code'))
        awaited = interpreter.shell && read === 'code' ? awaited : read;
      if (interpreter.shell && /^-[a-z]*s/i.test(text) && !text.startsWith('--')) fromInput = true;
    } else if (word.splits) {
      // an expansion that may be no word, or an option
    } else if (awaited === 'own' || awaited === 'open' || awaited === 'perhaps own') {
      awaited = 'any';
    } else if (interpreter.shell && (codeOption || !fromInput)) {
      return codeOption ? { script: index, fromInput: false } : { fromInput: inputFiles.test(text) };
    } else if (awaited === 'code' || interpreter.first === 'code') {
      // the first word that is no option ends those of most
      const ends = awaited !== 'code' && !interpreter.anywhere && !interpreter.shell;
      if (ends) return { fromInput: !found && inputFiles.test(text) };
      found ||= !interpreter.shell;
      awaited = 'any';
      if (found && inputFiles.test(text)) fromInput = true;
      if (!interpreter.continues && found) return { fromInput };
    }
  }
  return { fromInput: !found || fromInput };
}

/** `awk -v name={{x}}` */
function setsVariable(name: string, text: string): boolean {
  return name.endsWith('awk') && /^[A-Za-z_]\w*=\0/.test(text);
}

function readOption(
  text: string,
  { code, longCode, flags, takes, open = '', longOpen = [], longFlags = [] }: Interpreter,
): Awaited {
  if (text.startsWith('--') || /^-[a-z]{5,}/i.test(text)) {
    const [name = '', value] = text.replace(/^--?/, '').split('=', 2);
    const written = name.toLowerCase();
    if (longOpen.includes(name)) return value === undefined ? 'open' : 'any';
    if (longCode.some((long) => long.startsWith(written) || written.startsWith(long))) return 'code';
    if (text.startsWith('--')) return value !== undefined || longFlags.includes(name) ? 'any' : 'perhaps own';
  }
  const letters = [...text.slice(1)];
  if (text.startsWith('-') && letters.some((letter) => code.includes(letter))) return 'code';
  for (const [at, letter] of letters.entries()) {
    if (takes.includes(letter)) {
      if (at < letters.length - 1) return 'any';
      return open.includes(letter) ? 'open' : 'own';
    }
    // perl -i.bak, sed -i.bak
    if (letter === 'i' && at < letters.length - 1 && flags.includes('n')) return 'any';
    if (!flags.includes(letter) && !code.includes(letter)) return 'perhaps own';
  }
  return 'any';
}

function reason(name: string, { shell, first, continues }: Interpreter): string {
  if (name.endsWith('awk') || name.endsWith('sed')) {
    return `a variable cannot be, or come before, the program that '${name}' runs; write the program itself, and the variable behind it`;
  }
  if (shell || (first === 'code' && !continues)) {
    return `'${name}' runs this argument as code, so a value could become code; pass it as an argument after the code, e.g. [sh, -c, 'echo "$1"', sh, "{{name}}"]`;
  }
  return `'${name}' runs this argument as code, or could; write the code, or the file that holds it, out, and the variable behind it, e.g. [perl, script.pl, "{{name}}"], [psql, -f, file.sql, "{{name}}"]`;
}
