import { basename } from 'node:path';
import type { Command } from 'commander';
import { createTwoFilesPatch } from 'diff';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { runbookDetail } from './answers.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { ApiRefusal, segment } from './holdfast-api.ts';
import { printProblems, readSource } from './runbook-validate.ts';
import type { Colour, Printer } from './terminal.ts';

interface Options {
  environment?: string;
  json?: true;
}

export function addRunbookDiff(parent: Command, context: CommandContext): void {
  parent
    .command('diff')
    .description('compare a file with the version that is in force; exit code 1 when they differ')
    .argument('<file>')
    .option('--environment <name>', 'of the Git source that it belongs to')
    .option('--json', 'print {runbook, version, differs, diff} as JSON')
    .action(context.ends((file: string, options: Options) => diff(file, options, context)));
}

async function diff(file: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { printer } = context;
  const source = await readSource(file, context);
  const parsed = parseRunbook(source, file);
  if ('problems' in parsed) {
    if (options.json) printer.json(JSON.stringify({ problems: parsed.problems }, null, 2));
    else printProblems(printer, parsed.problems);
    return exitCodes.negative;
  }
  const own = parsed.definition.name;
  const name = options.environment === undefined ? own : `${options.environment}:${own}`;
  const inForce = await findInForce(name, context);
  const differs = inForce?.source !== source;
  const patch = differs ? patchOf(name, inForce, { file, source }) : '';
  if (options.json) {
    const version = inForce?.version ?? null;
    printer.json(JSON.stringify({ runbook: name, version, differs, diff: patch }, null, 2));
  } else if (differs) printPatch(printer, patch);
  else printer.say(`${name}: as version ${inForce.version}, which is in force`);
  return differs ? exitCodes.negative : exitCodes.done;
}

interface InForce {
  version: number;
  source: string;
}

async function findInForce(name: string, context: CommandContext): Promise<InForce | undefined> {
  try {
    const { data } = await context.api.get(`/api/v1/runbooks/${segment(name)}`, runbookDetail);
    return data.removedAt === null ? data : undefined;
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

function patchOf(
  name: string,
  inForce: InForce | undefined,
  local: { file: string; source: string },
): string {
  const before = inForce ? `${name} (version ${inForce.version}, in force)` : '/dev/null';
  const patch = createTwoFilesPatch(before, basename(local.file), inForce?.source ?? '', local.source);
  // the line of '=' is for mails
  return patch.replace(/^=+\n/, '');
}

const colours: Record<string, Colour> = { '+': 'green', '-': 'red', '@': 'cyan' };

function printPatch(printer: Printer, patch: string): void {
  for (const line of patch.trimEnd().split('\n')) printer.say(line, colours[line.charAt(0)]);
}
