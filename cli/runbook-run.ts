import type { Command } from 'commander';
import { runStarted } from './answers.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { exitCodeOf, follow } from './follow.ts';
import { segment } from './holdfast-api.ts';
import { askedBy, type InputOptions, withInputOptions } from './inputs.ts';

interface Options extends InputOptions {
  wait?: true;
  json?: true;
}

export function addRunbookRun(parent: Command, context: CommandContext): void {
  withInputOptions(parent.command('run').description('run it').argument('<name>'))
    .option('-w, --wait', 'follow it to its end; exit code 0 only when it has succeeded')
    .option('--json', "print the API's answer; with --wait, the execution once it has ended")
    .action(context.ends((name: string, options: Options) => run(name, options, context)));
}

async function run(name: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const body = await askedBy(options, context);
  const { data, text } = await api.post(`/api/v1/runbooks/${segment(name)}/run`, body, runStarted);
  if (options.wait) {
    const end = await follow(data.id, context, options.json);
    if (options.json) printer.json(end.text);
    return exitCodeOf(end.data);
  }
  if (options.json) printer.json(text);
  else {
    printer.line('execution', { text: data.id, colour: 'bold' }, 'of', name, 'on', data.target);
    printer.say(
      data.started
        ? `It is on its way: holdfast execution show ${data.id} --follow`
        : 'It is written down and starts by itself when Temporal answers again.',
    );
  }
  return exitCodes.done;
}
