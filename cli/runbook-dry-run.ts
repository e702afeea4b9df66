import type { Command } from 'commander';
import { type DryRunReport, dryRunReport } from './answers.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { segment } from './holdfast-api.ts';
import { askedBy, type InputOptions, withInputOptions } from './inputs.ts';
import type { Printer } from './terminal.ts';
import { instantText, plural } from './words.ts';

interface Options extends InputOptions {
  json?: true;
}

export function addRunbookDryRun(parent: Command, context: CommandContext): void {
  withInputOptions(
    parent
      .command('dry-run')
      .description('show exactly what would run, and check all that it needs; nothing is run')
      .argument('<name>'),
  )
    .option('--json', "print the API's answer")
    .action(context.ends((name: string, options: Options) => dryRun(name, options, context)));
}

async function dryRun(name: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const body = await askedBy(options, context);
  const { data, text } = await api.post(`/api/v1/runbooks/${segment(name)}/dry-run`, body, dryRunReport);
  if (options.json) printer.json(text);
  else print(printer, data);
  return data.ready ? exitCodes.done : exitCodes.negative;
}

function print(printer: Printer, report: DryRunReport): void {
  printer.line(
    { text: report.runbook, colour: 'bold' },
    `version ${report.version} on`,
    { text: report.target, colour: 'bold' },
    ...(report.environment === null ? [] : [`in ${report.environment}`]),
  );
  if (report.refusal) {
    const until =
      report.refusal.until === null ? '' : `; possible again at ${instantText(report.refusal.until)}`;
    printer.line(
      { text: `refused by ${report.refusal.rule}:`, colour: 'red' },
      `${report.refusal.reason}${until}`,
    );
  }
  if (report.lock) {
    printer.line(
      { text: 'would wait:', colour: 'yellow' },
      `${report.lock.runbook} works on ${report.target} (execution ${report.lock.heldBy}), ${report.lock.waiting} more in the queue`,
    );
  }
  for (const { when, who, able } of report.approvals) {
    const people = plural(able, 'person', 'people');
    printer.line({ text: 'asks for approval', colour: 'yellow' }, `${when}: ${who} (${people} may give one)`);
  }
  for (const [index, step] of report.steps.entries()) printStep(printer, step, index + 1);
  printer.say('');
  printer.line(
    { text: report.ready ? 'ready:' : 'not ready:', colour: report.ready ? 'green' : 'red' },
    report.sentence,
  );
}

function printStep(printer: Printer, step: DryRunReport['steps'][number], number: number): void {
  const verify = step.part === 'verify' ? 'verify, ' : '';
  printer.say('');
  printer.line({ text: `${number}. ${step.name}`, colour: 'bold' }, `(${verify}${step.type}, ${step.where})`);
  if (step.condition) printer.line('   ', conditionWords[step.condition.state], step.condition.detail);
  printer.say(indented(step.description));
  if (step.rollback) {
    printer.line(
      { text: '    undone by', colour: 'dim' },
      { text: `(${step.rollback.where})`, colour: 'dim' },
    );
    printer.say(indented(step.rollback.description));
  }
  for (const { ok, what, detail } of step.findings) {
    printer.line(
      '   ',
      { text: ok ? 'ok    ' : 'not ok', colour: ok ? 'green' : 'red' },
      `${what}: ${detail}`,
    );
  }
}

const conditionWords: Record<NonNullable<DryRunReport['steps'][number]['condition']>['state'], string> = {
  met: 'condition holds:',
  not_met: 'skipped:',
  open: 'condition:',
};

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');
}
