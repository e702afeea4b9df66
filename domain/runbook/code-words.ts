/** A word of a command: its text without quotes, and where in it the first variable stands, if any does. */
export interface CommandWord {
  text: string;
  variableAt?: number;
}

const interpreters =
  /^(?:(?:ba|da|a|k|z|c|tc|fi|mk)?sh|busybox|python[\d.]*|perl|ruby|node|php|lua|su|runuser|psql|mysql|sed|[gm]?awk)$/;
const codeOption = /^(?:-[A-Za-z]*[ceEr]|--(?:command|eval|execute))(?:=|$)/;
const gluedCode = /^-(?:c|e|-command=|-eval=|-execute=)/;
/** Their arguments are read as commands, here or on another machine. */
const commandReaders = new Set(['eval', 'source', '.', 'trap', 'ssh', 'watch', 'alias']);
/** In bash these evaluate what they are given, or they move the variables' own `$1`. */
const shellStateCommands = new Set([
  'set',
  'shift',
  'let',
  'declare',
  'typeset',
  'local',
  'unset',
  'readonly',
]);
/** Their first word that is no option is a program of their own. */
const textPrograms = /^(?:sed|[gm]?awk)$/;
const wrappers = new Set([
  'sudo',
  'doas',
  'env',
  'nohup',
  'nice',
  'timeout',
  'exec',
  'command',
  'time',
  'xargs',
]);
const assignment = /^[A-Za-z_][A-Za-z0-9_]*=/;

/**
 * Why a variable in this command would be read as code, or undefined. A value stays one argument, which is
 * no help where the program takes that argument for a program: `sh -c {{x}}`, `ssh host {{x}}`, `{{x}} --now`.
 */
export function codeWordProblem(
  words: readonly CommandWord[],
): { word: CommandWord; message: string } | undefined {
  const isAssignment = (word: CommandWord) => assignment.test(word.text);
  const command = words.slice(words.findIndex((word) => !isAssignment(word)));
  const variable = words.find((word) => word.variableAt !== undefined);
  const program = command[0];
  if (!variable || !program || words.every(isAssignment)) return undefined;
  if (program.variableAt !== undefined) {
    return { word: program, message: 'a variable cannot name the program to run; write the program itself' };
  }
  const candidates = wrappers.has(baseName(program.text)) ? command : [program];
  for (const [index, word] of candidates.entries()) {
    const name = baseName(word.text);
    if (!readsItsArguments(name)) continue;
    const later = command.slice(index + 1).find((other) => other.variableAt !== undefined);
    if (!later) continue;
    if (commandReaders.has(name)) {
      return {
        word: later,
        message: `'${name}' reads its arguments as commands, so a value could become one; call the program that does the work as a list, or pass the value to a script`,
      };
    }
    if (textPrograms.test(name) && !command.slice(1, command.indexOf(later)).some(isLiteral)) {
      return {
        word: later,
        message: `a variable cannot be the program that '${name}' runs; write the program itself`,
      };
    }
    if (shellStateCommands.has(name)) {
      return { word: later, message: `'${name}' cannot take variables; pass the value to a script instead` };
    }
  }
  let interpreter: string | undefined;
  for (const [index, word] of command.entries()) {
    const name = baseName(word.text);
    const within = interpreter;
    if (interpreters.test(name)) interpreter = name;
    if (word.variableAt === undefined || within === undefined) continue;
    const previous = command[index - 1];
    if ((previous && codeOption.test(previous.text)) || gluedCode.test(word.text)) {
      return {
        word,
        message: `'${within}' runs this argument as code, so a value could become code; pass it as an argument after the code, e.g. [sh, -c, 'echo "$1"', sh, "{{name}}"]`,
      };
    }
  }
  return undefined;
}

function readsItsArguments(name: string): boolean {
  return commandReaders.has(name) || shellStateCommands.has(name) || textPrograms.test(name);
}

function isLiteral(word: CommandWord): boolean {
  return !word.text.startsWith('-') && word.variableAt === undefined;
}

function baseName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}
