import { matchesWildcard } from '../glob.ts';
import { baseName } from './interpreters.ts';
import { type ShellCommand, shellCommands } from './shell-commands.ts';

/**
 * Wide, for denial: the pattern is the whole command, or the command from one of its words on (behind `sudo`, `timeout
 * 5`…), or the name of any of its words, wherever that program stands.
 */
export function forbids(pattern: string, { line, words }: Pick<ShellCommand, 'line' | 'words'>): boolean {
  const wanted = pattern.replaceAll(/\s+/g, ' ').replaceAll(/([<>]) /g, '$1');
  return (
    matchesWildcard(wanted, line) ||
    words.some(
      (word, at) =>
        [...namesOf(word)].some((name) => matchesWildcard(wanted, name)) || beginsAt(wanted, words, at),
    )
  );
}

/**
 * Narrow, for permission: the pattern is what is run, or its program exactly as it is written ('/tmp/systemctl' is not
 * 'systemctl'). Assignments and redirections to files can change what any program does, so that the pattern has to name
 * each of them too; `*` alone names everything.
 */
export function permits(pattern: string, command: Omit<ShellCommand, 'words'>): boolean {
  if (command.allowance !== 'asked') return command.allowance === 'none';
  if (pattern === '*') return true;
  if (command.named.length === 0) {
    return [command.line, command.core, command.program].some((text) => matchesWildcard(pattern, text));
  }
  const [wanted, ...more] = shellCommands(pattern);
  if (!wanted || more.length > 0) return false;
  const allNamed = command.named.every((given) => wanted.named.some((name) => matchesWildcard(name, given)));
  if (command.core === '' || wanted.core === '') return allNamed && command.core === wanted.core;
  return allNamed && [command.core, command.program].some((text) => matchesWildcard(wanted.core, text));
}

/** 'PROGRAM=/sbin/reboot' and '>/sbin/reboot' name it as well. */
function namesOf(word: string): Set<string> {
  const bare = word.replace(/^(?:[A-Za-z_]\w*\+?=|\d*[<>&|]+)/, '');
  return new Set([word, bare, baseName(bare)]);
}

function beginsAt(pattern: string, words: readonly string[], at: number): boolean {
  // a star that stands first takes whatever comes before
  if (pattern.startsWith('*') && at > 0) return false;
  const [literal = ''] = pattern.toLowerCase().split(/[*?]/, 1);
  const near = at + 1 + literal.split(' ').length;
  // most do not begin like it, which is seen without joining all of a long line for each of its words
  return [...namesOf(words[at] ?? '')].some(
    (name) =>
      [name, ...words.slice(at + 1, near)].join(' ').toLowerCase().startsWith(literal) &&
      matchesWildcard(pattern, [name, ...words.slice(at + 1)].join(' ')),
  );
}
