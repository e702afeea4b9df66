import { z } from 'zod';
import type { CommandForm } from '../definition.ts';
import type { PlacedProblem } from '../problems.ts';
import { argvProblem, compileShellLine } from '../shell-line.ts';
import { shellWord, visible } from '../shown-text.ts';
import { fillTemplate, placeholders, valueFor } from '../template.ts';
import { flag, scalar, text } from '../written.ts';
import type { Values } from './step-type.ts';

/** How `command` and `ssh` say what to run: a shell line, a program and its arguments, or a script. */

export const commandText = z
  .union(
    [text('command', 20_000), z.array(scalar).min(1, 'a command needs at least the program').max(200)],
    'write command as one shell line, or as a list of a program and its arguments',
  )
  .meta({
    id: 'command',
    description:
      'Text: a line for /bin/sh, {{variables}} quote themselves. List: a program and its arguments, no shell.',
  });

export const formKeys = {
  command: commandText.optional(),
  script: text('script', 50_000)
    .optional()
    .describe('A script as it is, without variables; pass those by args.'),
  interpreter: z
    .union(
      [text('interpreter', 200), z.array(text('interpreter', 200)).min(1).max(10)],
      'write interpreter as a program, or as a list of one and its options',
    )
    .optional()
    .describe('What runs the script. Default: /bin/sh.'),
  args: z
    .array(scalar, 'write args as a list')
    .max(200)
    .optional()
    .describe('Arguments of the script ($1, $2…; sys.argv); may hold {{variables}}.'),
  requires_sudo: flag('requires_sudo').optional().describe('Run it with sudo -n.'),
};
export const formTemplates = ['command', 'args'] as const;
export type WrittenForm = z.output<z.ZodObject<typeof formKeys>>;

export function readForm(written: WrittenForm): CommandForm {
  if (written.script !== undefined) return { argv: scriptArgv(written.script, written) };
  return Array.isArray(written.command)
    ? { argv: written.command.map(String) }
    : { shell: written.command ?? '' };
}

function scriptArgv(script: string, { interpreter, args = [] }: WrittenForm): string[] {
  const program = interpreter === undefined ? ['/bin/sh'] : [interpreter].flat();
  const name = interpreterName(program);
  const option = /^(?:perl|ruby|node|lua)/.test(name) ? '-e' : name.startsWith('php') ? '-r' : '-c';
  // a shell takes the first word after its script for its own name
  const own = name.endsWith('sh') ? [name] : [];
  // these look for options of their own behind the code too
  const ended = args.length > 0 && /^(?:perl|ruby|node|php)/.test(name) ? ['--'] : [];
  return [...program, option, script, ...own, ...ended, ...args.map(String)];
}

function interpreterName(program: readonly string[]): string {
  const word = program.findLast((part) => !part.startsWith('-')) ?? '';
  return word.slice(word.lastIndexOf('/') + 1);
}

export function* formProblems(written: WrittenForm, form: CommandForm): Generator<PlacedProblem> {
  if (written.command === undefined && written.script === undefined) {
    yield { place: [], message: "this step does nothing; give it a 'command' or a 'script'" };
    return;
  }
  if (written.command !== undefined && written.script !== undefined) {
    yield {
      place: ['script'],
      message: 'a step has a command or a script, not both; make it two steps',
      atKey: true,
    };
    return;
  }
  if (written.script === undefined) {
    for (const key of ['interpreter', 'args'] as const) {
      if (written[key] !== undefined) {
        yield {
          place: [key],
          message: `'${key}' belongs to a script; write script: instead of command:, or take it out`,
          atKey: true,
        };
      }
    }
  }
  if ('shell' in form) yield* shellProblems(form.shell);
  else yield* argvProblems(written, form.argv);
}

function* shellProblems(line: string): Generator<PlacedProblem> {
  const place = ['command'];
  if (line.includes('\0')) yield { place, message: 'a command cannot hold NUL; take it out' };
  const compiled = compileShellLine(line);
  if (!('problems' in compiled)) return;
  for (const { offset, message } of compiled.problems) {
    const near =
      line.slice(offset, offset + 2) === '{{' ? line.slice(offset, line.indexOf('}}', offset) + 2) : '';
    yield { place, message, near };
  }
}

function* argvProblems(written: WrittenForm, argv: readonly string[]): Generator<PlacedProblem> {
  const key = written.script === undefined ? 'command' : 'script';
  const fixed = argv.length - (written.args?.length ?? 0);
  const placeOf = (index: number) =>
    key === 'command' ? ['command', index] : index < fixed ? ['script'] : ['args', index - fixed];
  if (argv.some((word) => word.includes('\0'))) {
    yield { place: [key], message: 'a command cannot hold NUL; take it out' };
  }
  // a variable in the script itself was refused before, with a better word
  if (key === 'script' && argv.slice(0, fixed).some((word) => placeholders(word).length > 0)) return;
  const code = argvProblem(argv);
  if (code) yield { place: placeOf(code.index), message: code.message };
}

export function renderForm(form: CommandForm, values: Values): [string, ...string[]] {
  if ('shell' in form) {
    const compiled = compileShellLine(form.shell);
    if ('problems' in compiled) {
      throw new RangeError(compiled.problems.map(({ message }) => message).join('; '));
    }
    return [
      '/bin/sh',
      '-c',
      compiled.line,
      'sh',
      ...compiled.variables.map((name) => valueFor(values, name)),
    ];
  }
  // a version that was taken in under older rules is held to these
  const problem = argvProblem(form.argv);
  if (problem) throw new RangeError(problem.message);
  const [program = '', ...rest] = form.argv.map((word) => fillTemplate(word, values));
  return [program, ...rest];
}

export function describeForm(form: CommandForm, requiresSudo: boolean, values: Values): string {
  const command =
    'shell' in form
      ? fillTemplate(visible(form.shell), values, shellWord)
      : form.argv.map((word) => shellWord(fillTemplate(word, values))).join(' ');
  return `${requiresSudo ? 'sudo -n ' : ''}${command}`;
}
