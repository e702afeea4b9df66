import type { Command } from 'commander';
import { accepted } from './answers.ts';
import { uuid } from './approval-of.ts';
import { type CommandContext, typed } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Options {
  reason?: string;
  json?: true;
}

export function addExecutionCancel(parent: Command, context: CommandContext): void {
  parent
    .command('cancel')
    .description('stop it and undo what it has done')
    .argument('<id>')
    .option('--reason <text>', 'for the record')
    .option('--json', "print the API's answer")
    .action(context.ends((id: string, options: Options) => cancel(id, options, context)));
}

async function cancel(given: string, options: Options, { api, printer }: CommandContext): Promise<ExitCode> {
  const id = typed(uuid, given, 'the id of an execution');
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const { text } = await api.post(`/api/v1/executions/${id}/cancel`, body, accepted);
  if (options.json) printer.json(text);
  else printer.say(`It is being stopped and undone: holdfast execution show ${id} --follow`);
  return exitCodes.done;
}
