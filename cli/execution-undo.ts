import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { accepted } from './answers.ts';
import { uuid } from './approval-of.ts';
import { type CommandContext, typed } from './command.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';

interface Options {
  reason?: string;
  json?: true;
}

export function addExecutionUndo(parent: Command, context: CommandContext): void {
  parent
    .command('undo')
    .description('decide what becomes of an undo that failed')
    .argument('<id>', 'of the execution')
    .argument('<step>', "the step's number, as 'execution show' has it")
    .addArgument(new Argument('<decision>', 'try it again, or leave it undone').choices(['retry', 'skip']))
    .option('--reason <text>', 'for the record; to leave it undone needs one')
    .option('--json', "print the API's answer")
    .action(
      context.ends((id: string, step: string, decision: string, options: Options) =>
        decide({ id, step, decision }, options, context),
      ),
    );
}

const stepNumber = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, "write the number that 'execution show' gives it, from 1")
  .transform(Number);

async function decide(
  given: { id: string; step: string; decision: string },
  options: Options,
  { api, printer }: CommandContext,
): Promise<ExitCode> {
  const id = typed(uuid, given.id, 'the id of an execution');
  const index = typed(stepNumber, given.step, 'the step') - 1;
  const { decision } = given;
  const { reason = '' } = options;
  if (decision === 'skip' && reason.trim() === '') {
    throw new UsageError('say by --reason why it is left undone');
  }
  const { text } = await api.post(
    `/api/v1/executions/${id}/steps/${index}/undo`,
    { decision, reason },
    accepted,
  );
  if (options.json) printer.json(text);
  else if (decision === 'retry') printer.say('The undo is tried again.');
  else printer.say('The undo is left out; what was done before is undone now.');
  return exitCodes.done;
}
