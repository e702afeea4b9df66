import type { Command } from 'commander';
import { type AutomationState, automationState } from './answers.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Printer } from './terminal.ts';
import { instantText } from './words.ts';

export function addAutomationStatus(parent: Command, context: CommandContext): void {
  parent
    .command('status')
    .description('whether it is stopped, and what is running; exit code 1 while it is stopped')
    .option('--json', "print the API's answer")
    .action(context.ends((options: { json?: true }) => status(options, context)));
}

async function status(options: { json?: true }, { api, printer }: CommandContext): Promise<ExitCode> {
  const { data, text } = await api.get('/api/v1/automation', automationState);
  if (options.json) printer.json(text);
  else printState(printer, data);
  return data.stopped.length > 0 ? exitCodes.negative : exitCodes.done;
}

export function printState(printer: Printer, state: AutomationState): void {
  if (state.stopped.length === 0) printer.say('Automation is not stopped.', 'green');
  for (const stop of state.stopped) {
    const whose = stop.team === null ? 'All automation is' : `The automation of team ${stop.team} is`;
    printer.line(
      { text: `${whose} stopped`, colour: 'red' },
      `since ${instantText(stop.since)} by ${stop.by}: ${stop.reason}`,
    );
  }
  if (state.running.length === 0) {
    printer.say('Nothing is running.');
    return;
  }
  printer.say('\nRunning', 'bold');
  printer.table(
    ['EXECUTION', 'RUNBOOK', 'TARGET', 'AT', 'SINCE'],
    state.running.map((execution) => [
      execution.id,
      execution.runbook,
      execution.target,
      execution.step ?? '-',
      instantText(execution.since),
    ]),
  );
  if (state.running.some(({ stopped, goesOn }) => stopped && !goesOn)) {
    printer.say('These go on unless somebody ends them: holdfast execution cancel ID');
  }
}
