import type { Command } from 'commander';
import { runbookDetail } from './answers.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { segment } from './holdfast-api.ts';
import { instantText, statusText, statusWord } from './words.ts';

export function addRunbookShow(parent: Command, context: CommandContext): void {
  parent
    .command('show')
    .description('one runbook: its inputs, steps and last runs')
    .argument('<name>')
    .option('--source', 'print the source of the version in force, and nothing else')
    .option('--json', "print the API's answer")
    .action(context.ends((name: string, options: Options) => show(name, options, context)));
}

interface Options {
  source?: true;
  json?: true;
}

async function show(name: string, options: Options, { api, printer }: CommandContext): Promise<ExitCode> {
  const { data, text } = await api.get(`/api/v1/runbooks/${segment(name)}`, runbookDetail);
  if (options.json) {
    printer.json(text);
    return exitCodes.done;
  }
  if (options.source) {
    printer.output(data.source);
    return exitCodes.done;
  }
  printer.line(
    { text: data.name, colour: 'bold' },
    `version ${data.version}, ${statusText(data.mode)}, ${data.file}`,
  );
  if (data.description !== '') printer.say(data.description);
  if (data.removedAt !== null) printer.say('Its file is gone: it cannot be run.', 'yellow');
  if (data.inputs.length > 0) {
    printer.say('\nInputs', 'bold');
    printer.table(
      ['NAME', 'NEEDED', 'DEFAULT', 'DESCRIPTION'],
      data.inputs.map((input) => [
        input.name,
        input.required ? 'yes' : 'no',
        input.secret ? '(secret)' : (input.default ?? '-'),
        input.description ?? '',
      ]),
    );
  }
  printer.say('\nSteps', 'bold');
  printer.table(
    ['', 'NAME', 'TYPE', 'UNDO'],
    data.steps.map((step, index) => [
      String(index + 1),
      step.name,
      step.type,
      step.hasRollback ? 'yes' : 'no',
    ]),
  );
  if (data.triggers.length > 0) {
    printer.say(`\nCalled by ${data.triggers.map(({ alertPattern }) => alertPattern).join(', ')}`);
  }
  if (data.lastRuns.length > 0) {
    printer.say('\nLast runs', 'bold');
    printer.table(
      ['EXECUTION', 'STATUS', 'TARGET', 'ASKED FOR BY', 'WHEN'],
      data.lastRuns.map((run) => [
        run.id,
        statusWord(run.status),
        run.target,
        run.requestedBy,
        instantText(run.createdAt),
      ]),
    );
  }
  return exitCodes.done;
}
