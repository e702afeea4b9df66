import type { Command } from 'commander';
import { automationState } from './answers.ts';
import { printState } from './automation-status.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Options {
  team?: string;
  json?: true;
}

export function addAutomationResume(parent: Command, context: CommandContext): void {
  parent
    .command('resume')
    .description('let it act again; what was refused meanwhile stays refused')
    .option('--team <slug>', 'of this team alone')
    .option('--json', "print the API's answer")
    .action(context.ends((options: Options) => resume(options, context)));
}

async function resume({ team, json }: Options, { api, printer }: CommandContext): Promise<ExitCode> {
  const body = team === undefined ? {} : { team };
  const { data, text } = await api.post('/api/v1/automation/resume', body, automationState);
  if (json) printer.json(text);
  else printState(printer, data);
  return exitCodes.done;
}
