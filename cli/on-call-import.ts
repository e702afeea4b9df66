import { type Command, Option } from 'commander';
import { z } from 'zod';
import { importSources } from '../domain/oncall-import/plan.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';
import { readSource } from './runbook-validate.ts';
import type { Colour, Printer } from './terminal.ts';
import { plural } from './words.ts';

interface Options {
  from: (typeof importSources)[number];
  apply?: true;
  createPeople?: true;
  json?: true;
}

const planned = z.object({ name: z.string(), title: z.string(), change: z.string() });
const importPlan = z.object({
  hash: z.string(),
  schedules: z.array(planned),
  policies: z.array(planned),
  people: z.array(z.object({ email: z.string(), name: z.string(), change: z.string() })),
  problems: z.array(z.object({ where: z.string(), message: z.string() })),
});
type ImportPlan = z.output<typeof importPlan>;

export function addOnCallImport(parent: Command, context: CommandContext): void {
  parent
    .command('import')
    .description('show what importing an export would do, and do it with --apply')
    .argument('<file>', "JSON: the answers of the other tool's API in one object; - for standard input")
    .addOption(
      new Option('--from <tool>', 'which tool it is of').choices([...importSources]).makeOptionMandatory(),
    )
    .option('--apply', 'do what the plan says')
    .option('--create-people', 'with --apply: add whoever is no user yet, as an Operator; needs an Owner')
    .option('--json', "print the API's answer")
    .action(context.ends((file: string, options: Options) => importExport(file, options, context)));
}

async function importExport(file: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { api, printer } = context;
  const text = file === '-' ? await context.readInput() : await readSource(file, context);
  const given = { source: options.from, export: parsed(text, file) };
  const path = '/api/v1/on-call/imports';
  const plan = await api.post(`${path}/plan`, given, importPlan);
  if (!options.apply) {
    if (options.json) printer.json(plan.text);
    else printPlan(printer, plan.data, 'Nothing was changed: --apply does what stands here.');
    return exitCodes.done;
  }
  const createPeople = options.createPeople === true;
  // the plan that is shown is the one that is done, or none
  const done = await api.post(path, { ...given, hash: plan.data.hash, createPeople }, importPlan);
  if (options.json) printer.json(done.text);
  else printPlan(printer, done.data, 'Done.');
  return exitCodes.done;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const colours: Record<string, Colour> = { create: 'green', replace: 'yellow', same: 'dim' };

function printPlan(printer: Printer, plan: ImportPlan, end: string): void {
  const rows = [
    ...plan.people.map(({ email, change }) => ({ kind: 'person', name: email, change })),
    ...plan.schedules.map(({ name, change }) => ({ kind: 'schedule', name, change })),
    ...plan.policies.map(({ name, change }) => ({ kind: 'escalation policy', name, change })),
  ];
  printer.table(
    ['', 'what', 'name'],
    rows.map(({ kind, name, change }) => [{ text: change, colour: colours[change] ?? 'bold' }, kind, name]),
  );
  if (plan.problems.length > 0) {
    printer.say(`\n${plural(plan.problems.length, 'thing')} not carried over as it was:`, 'yellow');
    for (const { where, message } of plan.problems) {
      printer.line({ text: `${where}:`, colour: 'bold' }, message);
    }
  }
  printer.say(`\n${end}`);
}
