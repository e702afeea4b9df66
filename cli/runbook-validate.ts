import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { checkCatalog, type LocatedRunbook } from '../domain/runbook/catalog.ts';
import type { RunbookProblem } from '../domain/runbook/definition.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';
import type { Printer } from './terminal.ts';
import { plural } from './words.ts';

export function addRunbookValidate(parent: Command, context: CommandContext): void {
  parent
    .command('validate')
    .description('check runbook files without asking Holdfast')
    .argument('<file...>', 'files, or folders with *.yaml and *.yml files at any depth')
    .option('--json', 'print {files, problems} as JSON')
    .action(context.ends((names: string[], options: { json?: true }) => validate(names, options, context)));
}

async function validate(
  names: readonly string[],
  options: { json?: true },
  context: CommandContext,
): Promise<ExitCode> {
  const { printer } = context;
  const named = await Promise.all(names.map((name) => filesOf(name, context)));
  const files = new Set(named.flatMap((each) => each.files));
  const problems: RunbookProblem[] = [];
  const found: LocatedRunbook[] = [];
  for (const file of files) {
    const parsed = parseRunbook(await readSource(file, context), file);
    if ('problems' in parsed) problems.push(...parsed.problems);
    else found.push({ file, ...parsed });
  }
  problems.push(...sameNames(found));
  // of files alone the runbooks that they call may be anywhere; a folder is the whole
  if (problems.length === 0 && named.some(({ isFolder }) => isFolder)) problems.push(...checkCatalog(found));
  const count = files.size;
  if (options.json) printer.json(JSON.stringify({ files: count, problems }, null, 2));
  else {
    printProblems(printer, problems);
    const summary =
      problems.length > 0
        ? `${plural(problems.length, 'problem')} in ${plural(new Set(problems.map(({ file }) => file)).size, 'file')} of ${count}`
        : `${plural(count, 'file')}, no problem`;
    printer.say(summary, problems.length > 0 ? 'red' : 'green');
  }
  return problems.length > 0 ? exitCodes.negative : exitCodes.done;
}

/** As compilers write them: editors and CI jump to 'file:line:col'. */
export function printProblems(printer: Printer, problems: readonly RunbookProblem[]): void {
  for (const { file, line, col, message } of problems) {
    printer.line({ text: `${file}:${line}:${col}:`, colour: 'bold' }, message);
  }
}

/** Throws UsageError. */
export async function readSource(file: string, context: CommandContext): Promise<string> {
  try {
    return await readFile(context.pathOf(file), 'utf8');
  } catch (error) {
    throw cannotRead(file, error);
  }
}

async function filesOf(
  name: string,
  context: CommandContext,
): Promise<{ files: string[]; isFolder: boolean }> {
  const path = context.pathOf(name);
  try {
    if (!(await stat(path)).isDirectory()) return { files: [name], isFolder: false };
    const inside = await readdir(path, { recursive: true, withFileTypes: true });
    const files = inside
      .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map((entry) => join(name, entry.parentPath.slice(path.length), entry.name));
    if (files.length === 0) throw new UsageError(`${name}: there is no *.yaml or *.yml file in this folder`);
    return { files: files.sort(), isFolder: true };
  } catch (error) {
    throw error instanceof UsageError ? error : cannotRead(name, error);
  }
}

function* sameNames(found: readonly LocatedRunbook[]): Generator<RunbookProblem> {
  const first = new Map<string, string>();
  for (const { file, definition, locate } of found) {
    const other = first.get(definition.name);
    if (other === undefined) first.set(definition.name, file);
    else {
      yield {
        file,
        ...locate(['name']),
        message: `the name '${definition.name}' is taken by ${other}; give one of them another name`,
      };
    }
  }
}

function cannotRead(name: string, error: unknown): UsageError {
  return new UsageError(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
