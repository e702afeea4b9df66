import type { Command } from 'commander';
import { type ExecutionDetail, executionDetail } from './answers.ts';
import { uuid } from './approval-of.ts';
import { type CommandContext, typed } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { exitCodeOf, follow, howToDecide, howToVote, votesOf } from './follow.ts';
import type { Printer } from './terminal.ts';
import { instantText, statusWord } from './words.ts';

interface Options {
  follow?: true;
  json?: true;
}

export function addExecutionShow(parent: Command, context: CommandContext): void {
  parent
    .command('show')
    .description('one execution: its steps, their output and their undos')
    .argument('<id>')
    .option('-f, --follow', 'go on until it has ended; exit code 0 only when it has succeeded')
    .option('--json', "print the API's answer; with --follow, the one at the end")
    .action(context.ends((id: string, options: Options) => show(id, options, context)));
}

async function show(given: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const id = typed(uuid, given, 'the id of an execution');
  if (options.follow) {
    const end = await follow(id, context, options.json);
    if (options.json) printer.json(end.text);
    return exitCodeOf(end.data);
  }
  const { data, text } = await api.get(`/api/v1/executions/${id}`, executionDetail);
  if (options.json) printer.json(text);
  else print(printer, data);
  return exitCodes.done;
}

function print(printer: Printer, execution: ExecutionDetail): void {
  printer.line(
    { text: execution.runbook, colour: 'bold' },
    `version ${execution.runbookVersion} on`,
    { text: execution.target, colour: 'bold' },
    '-',
    statusWord(execution.status),
  );
  if (execution.statusReason) printer.say(execution.statusReason);
  const incident = execution.incidentNumber === null ? '' : ` for #${execution.incidentNumber}`;
  printer.say(`asked for by ${execution.requestedBy}${incident} at ${instantText(execution.createdAt)}`);
  for (const approval of execution.approvals) {
    printer.line(
      'approval',
      approval.id,
      statusWord(approval.status),
      votesOf(approval.votes),
      ...(approval.status === 'pending'
        ? [`until ${instantText(approval.expiresAt)}: ${howToVote(approval.id)}`]
        : []),
    );
  }
  for (const [index, step] of execution.steps.entries()) {
    printer.say('');
    printer.line({ text: `${index + 1}. ${step.name}`, colour: 'bold' }, '-', statusWord(step.status));
    printPart(printer, step);
    if (!step.rollback?.status) continue;
    printer.line('  undo:', statusWord(step.rollback.status));
    printPart(printer, step.rollback);
    if (step.rollback.status === 'waiting') printer.say(howToDecide(execution.id, index));
  }
}

function printPart(
  printer: Printer,
  part: { description: string; output: string; error: string | null },
): void {
  printer.say(part.description.trimEnd().replaceAll(/^/gm, '  $ '), 'dim');
  if (part.output.trim() !== '') printer.say(part.output.trimEnd().replaceAll(/^/gm, '  | '));
  if (part.error) printer.say(`  ${part.error}`, 'red');
}
