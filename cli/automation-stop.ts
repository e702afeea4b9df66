import type { Command } from 'commander';
import { automationState } from './answers.ts';
import { printState } from './automation-status.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Options {
  reason: string;
  team?: string;
  json?: true;
}

export function addAutomationStop(parent: Command, context: CommandContext): void {
  parent
    .command('stop')
    .description('the kill switch: nothing new acts, and what runs is listed')
    .requiredOption('--reason <text>', 'why, for whoever finds it stopped')
    .option('--team <slug>', 'of this team alone')
    .option('--json', "print the API's answer")
    .action(context.ends((options: Options) => stop(options, context)));
}

async function stop({ reason, team, json }: Options, { api, printer }: CommandContext): Promise<ExitCode> {
  const body = { reason, ...(team === undefined ? {} : { team }) };
  const { data, text } = await api.post('/api/v1/automation/stop', body, automationState);
  if (json) printer.json(text);
  else printState(printer, data);
  return exitCodes.done;
}
