import { type Code, codeIn, readsInput } from './interpreters.ts';
import { keywords, looseWords, type ShellPart, type ShellSegment, shellSegments } from './shell-segments.ts';
import { behindWrappers, isAssignment } from './wrappers.ts';

/** One command, as deny and allow lists compare it. */
export interface ShellCommand {
  /** All of it as it is written, with its assignments and redirections. */
  line: string;
  /** What is run in the end, as it is written: without assignments, redirections and `sudo`, `env`… */
  core: string;
  /** The first word of that, without quotes. */
  program: string;
  /** Every word without quotes, for deny lists. */
  words: string[];
  /** Assignments and redirections to files, which an allow pattern has to name. */
  named: string[];
  /** What allow lists do: ask for a pattern, let nothing permit it, or leave it to what stands around it. */
  allowance: 'asked' | 'never' | 'none';
}

/** Nobody means well who writes code in code in code deeper. */
const deepest = 8;
/** Between these and their `do` or `in` stand words, not commands. */
const wordLists = new Set(['for', 'case', 'select']);
/** Opening them for writing changes nothing. */
const noFiles = new Set(['/dev/null', '/dev/stdout', '/dev/stderr']);

/**
 * The single commands of a shell line, with `{{vars}}` still in them, and those in code that it gives to an
 * interpreter. A line can hide a command from this (by a variable, by a file that it writes): the lists are a net for
 * people who mean well. What it does not follow is refused by an allow list rather than let through.
 */
export function shellCommands(text: string): ShellCommand[] {
  return commandsOf(text, 0);
}

/** The same of a program and its arguments, which no shell looks at. */
export function argvCommands(argv: readonly string[]): ShellCommand[] {
  const parts = argv.map((word, at) => ({
    // else a program 'a b' would be the program 'a' with an argument
    raw: at === 0 && /\s/.test(word) ? `'${word}'` : word,
    text: word,
  }));
  return [...simpleCommand(parts, 0), ...codeCommands(argv, behindWrappers(argv).programAt, 0)];
}

function commandsOf(text: string, depth: number): ShellCommand[] {
  const segments = shellSegments(text);
  return segments.flatMap((segment) => {
    const first = segment.parts.findIndex(({ raw }) => !keywords.has(raw));
    if (first < 0) return [];
    const parts = segment.parts.slice(first);
    if (segment.kind === 'unreadable')
      return [
        looseCommand(
          parts.map((part) => part.text),
          'never',
        ),
      ];
    const fed = fedCode(segment, segments).flatMap((code) => commandsOfCode(code, depth));
    if (segment.kind === 'pattern' || wordLists.has(parts[0]?.raw ?? '')) {
      return [
        looseCommand(
          parts.map((part) => part.text),
          'none',
        ),
        ...fed,
      ];
    }
    const words = parts.flatMap((part) => (part.operator === undefined ? [part.text] : []));
    const assigned = countAssignments(parts);
    const programAt = assigned + behindWrappers(words.slice(assigned)).programAt;
    return [...simpleCommand(parts, assigned), ...codeCommands(words, programAt, depth), ...fed];
  });
}

function simpleCommand(parts: readonly ShellPart[], assigned: number): ShellCommand[] {
  const plain = parts.filter(({ operator }) => operator === undefined);
  const run = plain.slice(assigned);
  const { programAt, assignments } = behindWrappers(run.map(({ text }) => text));
  const core = run.slice(programAt);
  const named = [
    ...plain.slice(0, assigned).map(({ text }) => text),
    ...assignments,
    ...parts.filter(opensFile).map(({ text }) => text),
  ];
  return [
    {
      line: parts.map(({ raw }) => raw).join(' '),
      core: core.map(({ raw }) => raw).join(' '),
      program: core[0]?.text ?? '',
      words: parts.map(({ text }) => text),
      named,
      allowance: core.length > 0 || named.length > 0 ? 'asked' : 'none',
    },
  ];
}

/** Of `A=1 >file B=2 program`, the two: what stands before the first word that is none. */
function countAssignments(parts: readonly ShellPart[]): number {
  const plain = parts.filter(({ operator }) => operator === undefined);
  const first = plain.findIndex(({ raw }) => !isAssignment(raw));
  return first < 0 ? plain.length : first;
}

/** For writing, and no copy of a descriptor such as `2>&1`. */
function opensFile({ operator, target = '' }: ShellPart): boolean {
  if (operator === undefined || !/>/.test(operator) || noFiles.has(target)) return false;
  return operator !== '>&' || !/^(?:\d+-?|-)$/.test(target);
}

function codeCommands(words: readonly string[], programAt: number, depth: number): ShellCommand[] {
  return codeIn(words, programAt).flatMap((code) => commandsOfCode(code, depth));
}

function commandsOfCode({ text, language, asked }: Code, depth: number): ShellCommand[] {
  if (language === 'other') return [looseCommand(looseWords(text), 'none')];
  if (depth >= deepest) return [looseCommand(looseWords(text), 'never')];
  const commands = commandsOf(text, depth + 1);
  return asked ? commands : commands.map((command) => ({ ...command, allowance: 'none' }));
}

/** Here-documents and here-strings that an interpreter reads: this command, or one of the same line. */
function fedCode(segment: ShellSegment, segments: readonly ShellSegment[]): Code[] {
  const texts = [
    ...segment.hereDocuments,
    ...segment.parts.flatMap(({ operator, target }) => (operator === '<<<' && target ? [target] : [])),
  ];
  if (texts.length === 0) return [];
  // `done <<E` feeds whatever stands in the loop
  const whole = segment.parts.every(({ raw, operator }) => keywords.has(raw) || operator !== undefined);
  const near = whole ? segments : segments.filter(({ row }) => row === segment.row);
  const language = readsInput(near.flatMap(({ parts }) => parts.map(({ text }) => text)));
  return language ? texts.map((text) => ({ text, language, asked: language === 'shell' })) : [];
}

function looseCommand(words: string[], allowance: 'never' | 'none'): ShellCommand {
  return { line: words.join(' '), core: '', program: '', words, named: [], allowance };
}
