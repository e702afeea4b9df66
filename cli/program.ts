import { Command, CommanderError } from 'commander';
import { addApprove } from './approve.ts';
import { addAutomationResume } from './automation-resume.ts';
import { addAutomationStatus } from './automation-status.ts';
import { addAutomationStop } from './automation-stop.ts';
import type { CommandContext } from './command.ts';
import { addExecutionCancel } from './execution-cancel.ts';
import { addExecutionList } from './execution-list.ts';
import { addExecutionRetry } from './execution-retry.ts';
import { addExecutionShow } from './execution-show.ts';
import { addExecutionUndo } from './execution-undo.ts';
import { CliError, type ExitCode, exitCodes } from './exit-codes.ts';
import { type ApiConfig, ApiRefusal, createHoldfastApi } from './holdfast-api.ts';
import { addOnCallImport } from './on-call-import.ts';
import { addRehearse } from './rehearse.ts';
import { addReject } from './reject.ts';
import { addRunbookDiff } from './runbook-diff.ts';
import { addRunbookDryRun } from './runbook-dry-run.ts';
import { addRunbookList } from './runbook-list.ts';
import { addRunbookRun } from './runbook-run.ts';
import { addRunbookShow } from './runbook-show.ts';
import { addRunbookValidate } from './runbook-validate.ts';
import { createPrinter, type Terminal } from './terminal.ts';

export interface CliDeps {
  config: ApiConfig;
  terminal: Terminal;
  fetch: typeof fetch;
  pathOf(file: string): string;
  readInput(): Promise<string>;
  pause(ms: number): Promise<void>;
  now(): number;
}

/** Runs what was typed; `args` without the program itself. Resolves to the exit code and throws nothing that it knows. */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<ExitCode> {
  const printer = createPrinter(deps.terminal);
  let ended: ExitCode = exitCodes.done;
  const program = createProgram(
    {
      ...deps,
      printer,
      api: createHoldfastApi(deps.config, deps.fetch),
      ends:
        (run) =>
        async (...given) => {
          ended = await run(...given);
        },
    },
    deps.terminal,
  );
  try {
    await program.parseAsync(args, { from: 'user' });
    return ended;
  } catch (error) {
    // it has said what is wrong, or the help that was asked for
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (!(error instanceof CliError)) throw error;
    // a script that reads JSON gets the problem as JSON, too
    if (error instanceof ApiRefusal && args.includes('--json')) printer.json(error.body);
    printer.complain(`holdfast: ${error.message}`);
    return error.exitCode;
  }
}

function createProgram(context: CommandContext, terminal: Terminal): Command {
  const program = new Command('holdfast')
    .description('Runbooks from the command line. HOLDFAST_URL and HOLDFAST_TOKEN say where and who.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHasColors: () => terminal.colour,
      getErrHasColors: () => terminal.colour,
    })
    .showHelpAfterError('(--help shows how)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 1 the answer is no (invalid, different, failed, rolled back, refused);
2 wrong usage; 3 not authorised; 4 Holdfast does not answer.`,
    );
  const runbook = program.command('runbook').description('check, compare, try and run runbooks');
  addRunbookValidate(runbook, context);
  addRunbookDiff(runbook, context);
  addRunbookDryRun(runbook, context);
  addRunbookRun(runbook, context);
  addRunbookList(runbook, context);
  addRunbookShow(runbook, context);
  addRehearse(program, context);
  addApprove(program, context);
  addReject(program, context);
  const execution = program.command('execution').description('look at executions and act on them');
  addExecutionList(execution, context);
  addExecutionShow(execution, context);
  addExecutionCancel(execution, context);
  addExecutionRetry(execution, context);
  addExecutionUndo(execution, context);
  const automation = program.command('automation').description('stop it and let it go on');
  addAutomationStop(automation, context);
  addAutomationResume(automation, context);
  addAutomationStatus(automation, context);
  const onCall = program.command('on-call').description('who is on call');
  addOnCallImport(onCall, context);
  return program;
}
