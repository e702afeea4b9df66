import type { Command } from 'commander';
import { runbookList } from './answers.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { printProblems } from './runbook-validate.ts';
import { statusText } from './words.ts';

export function addRunbookList(parent: Command, context: CommandContext): void {
  parent
    .command('list')
    .description('the runbooks, and what is wrong with files that cannot be read')
    .option('--json', "print the API's answer")
    .action(context.ends((options: { json?: true }) => list(options, context)));
}

async function list(options: { json?: true }, { api, printer }: CommandContext): Promise<ExitCode> {
  const { data, text } = await api.get('/api/v1/runbooks', runbookList);
  if (options.json) {
    printer.json(text);
    return exitCodes.done;
  }
  printer.table(
    ['NAME', 'MODE', 'VERSION', 'LAST RUN', 'DESCRIPTION'],
    data.items.map((runbook) => [
      runbook.name,
      statusText(runbook.mode),
      String(runbook.version),
      runbook.lastRun ? statusText(runbook.lastRun.status) : '-',
      runbook.description,
    ]),
  );
  if (data.problems.length > 0)
    printer.say('\nFiles that cannot be read; their last good version stays:', 'red');
  printProblems(printer, data.problems);
  return exitCodes.done;
}
