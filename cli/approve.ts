import type { Command } from 'commander';
import { accepted, executionDetail } from './answers.ts';
import { approvalOf } from './approval-of.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Options {
  reason?: string;
  json?: true;
}

export function addApprove(parent: Command, context: CommandContext): void {
  parent
    .command('approve')
    .description('vote for what waits for approval')
    .argument('<id>', 'of the approval, or of the execution that waits for it')
    .option('--reason <text>', 'for the record')
    .option('--json', "print the API's answer")
    .action(context.ends((id: string, options: Options) => approve(id, options, context)));
}

async function approve(id: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const meant = await approvalOf(id, context);
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const { text } = await api.post(`/api/v1/approvals/${meant.id}/approve`, body, accepted);
  if (options.json) {
    printer.json(text);
    return exitCodes.done;
  }
  const { data } = await api.get(`/api/v1/executions/${meant.executionId}`, executionDetail);
  const now = data.approvals.find((each) => each.id === meant.id);
  const votes = now?.votes.filter(({ decision }) => decision === 'approve').length ?? 1;
  printer.say(
    now?.status === 'pending'
      ? `Your vote counts: ${votes} of ${now.required} so far.`
      : `Approved: execution ${meant.executionId} goes on.`,
  );
  return exitCodes.done;
}
