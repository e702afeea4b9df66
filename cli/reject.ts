import type { Command } from 'commander';
import { accepted } from './answers.ts';
import { approvalOf } from './approval-of.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Options {
  reason: string;
  json?: true;
}

export function addReject(parent: Command, context: CommandContext): void {
  parent
    .command('reject')
    .description('refuse what waits for approval; what it has done so far is undone')
    .argument('<id>', 'of the approval, or of the execution that waits for it')
    .requiredOption('--reason <text>', 'why, for whoever asked for it')
    .option('--json', "print the API's answer")
    .action(context.ends((id: string, options: Options) => reject(id, options, context)));
}

async function reject(id: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const meant = await approvalOf(id, context);
  const { text } = await api.post(
    `/api/v1/approvals/${meant.id}/reject`,
    { reason: options.reason },
    accepted,
  );
  if (options.json) printer.json(text);
  else printer.say(`Rejected: execution ${meant.executionId} does not go on.`);
  return exitCodes.done;
}
