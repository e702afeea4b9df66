import type { Command } from 'commander';
import { retryStarted } from './answers.ts';
import { uuid } from './approval-of.ts';
import { type CommandContext, typed } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { exitCodeOf, follow } from './follow.ts';

interface Options {
  wait?: true;
  json?: true;
}

export function addExecutionRetry(parent: Command, context: CommandContext): void {
  parent
    .command('retry')
    .description('run again from the step that failed, as a new execution')
    .argument('<id>', 'of the execution that failed')
    .option('-w, --wait', 'follow the new one to its end; exit code 0 only when it has succeeded')
    .option('--json', "print the API's answer; with --wait, the new execution once it has ended")
    .action(context.ends((id: string, options: Options) => retry(id, options, context)));
}

async function retry(given: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const id = typed(uuid, given, 'the id of an execution');
  const { data, text } = await api.post(`/api/v1/executions/${id}/retry`, {}, retryStarted);
  if (options.wait) {
    const end = await follow(data.id, context, options.json);
    if (options.json) printer.json(end.text);
    return exitCodeOf(end.data);
  }
  if (options.json) printer.json(text);
  else printer.say(`execution ${data.id} goes on from there: holdfast execution show ${data.id} --follow`);
  return exitCodes.done;
}
