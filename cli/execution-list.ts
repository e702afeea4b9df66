import type { Command } from 'commander';
import { z } from 'zod';
import { executionList } from './answers.ts';
import { type CommandContext, typed } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { instantText, statusWord } from './words.ts';

interface Options {
  runbook?: string;
  status?: string;
  waiting?: true;
  limit: string;
  json?: true;
}

export function addExecutionList(parent: Command, context: CommandContext): void {
  parent
    .command('list')
    .description('executions, newest first')
    .option('--runbook <name>')
    .option('--status <words>', 'one or several, separated by commas: waiting,running')
    .option('--waiting', 'only those that wait for a person: an approval, or an undo that failed')
    .option('--limit <number>', 'at most so many', '20')
    .option('--json', "print the API's answer")
    .action(context.ends((options: Options) => list(options, context)));
}

const limit = z.string().regex(/^([1-9]\d?|1\d\d|200)$/, 'write a number between 1 and 200');

async function list(options: Options, { api, printer }: CommandContext): Promise<ExitCode> {
  const query = new URLSearchParams({ limit: typed(limit, options.limit, '--limit') });
  if (options.runbook !== undefined) query.set('runbook', options.runbook);
  if (options.status !== undefined) query.set('status', options.status);
  if (options.waiting) query.set('waitsForPerson', 'true');
  const { data, text } = await api.get(`/api/v1/executions?${query}`, executionList);
  if (options.json) {
    printer.json(text);
    return exitCodes.done;
  }
  printer.table(
    ['EXECUTION', 'STATUS', 'RUNBOOK', 'TARGET', 'INCIDENT', 'ASKED FOR BY', 'WHEN'],
    data.items.map((execution) => [
      execution.id,
      statusWord(execution.status),
      execution.runbook,
      execution.target,
      execution.incidentNumber === null ? '-' : `#${execution.incidentNumber}`,
      execution.requestedBy,
      instantText(execution.createdAt),
    ]),
  );
  return exitCodes.done;
}
