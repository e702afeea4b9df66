import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';
import { printRehearsal, rehearsed } from './rehearse-answer.ts';
import { readSource } from './runbook-validate.ts';

interface Options {
  name?: string;
  at?: string;
  zone?: string;
  severity: string;
  service?: string;
  alert?: string;
  team?: string;
  label: string[];
  lasts?: string;
  answer: string[];
  fails: string[];
  week?: string;
  json?: true;
}

/** What a file can hold, by the word of its command, and how the API calls it. */
const kinds = {
  policy: { field: 'policy', what: 'an escalation policy' },
  schedule: { field: 'schedule', what: 'an on-call schedule' },
  rule: { field: 'rule', what: 'a rule of notification' },
  'sla-policy': { field: 'slaPolicy', what: 'an SLA policy' },
} as const;

/** Of what was read from the API: told in the answer, and not taken in a definition. */
const readBack = new Set(['name', 'updatedAt', 'team', 'health']);

export function addRehearse(program: Command, context: CommandContext): void {
  const rehearse = program
    .command('rehearse')
    .description('show who would be told what and when; nothing is saved, stored or sent');
  for (const [word, { field, what }] of Object.entries(kinds)) {
    withSituation(
      rehearse
        .command(word)
        .description(`try ${what} as a file has it, beside all that stands`)
        .argument('<file>', "JSON or YAML, as the API has it; '-' for standard input")
        .option(
          '--name <name>',
          "whose place it takes; default the file's 'name', or how the file is called",
        ),
    ).action(
      context.ends(async (file: string, options: Options) => {
        const named = await readNamed(file, options, context);
        return await ask({ [field]: named }, options, context);
      }),
    );
  }
  withSituation(rehearse.command('standing').description('try what stands now')).action(
    context.ends((options: Options) => ask({}, options, context)),
  );
}

const collect = (text: string, before: string[]) => [...before, text];

function withSituation(command: Command): Command {
  return command
    .option('--at <moment>', "when an incident opens, such as 'Saturday 03:00 Europe/Berlin'")
    .option(
      '--zone <zone>',
      "of --at where it names none, else this machine's; of --week, else the organization's",
    )
    .option('--severity <severity>', 'critical, high, warning, low or info', 'critical')
    .option('--service <name>', 'the service that it is on')
    .option('--alert <name>', 'the name of its alert')
    .option('--team <slug>', 'that owns it; default as the labels say')
    .option('--label <name=value>', 'of its alert; may be given several times', collect, [])
    .option('--lasts <time>', 'such as 45m; else it goes on firing')
    .option(
      '--answer <who does after>',
      "such as 'ana@example.com acknowledge 20m'; also resolve, snooze; may be given several times",
      collect,
      [],
    )
    .option(
      '--fails <target>',
      'a mail address or channel that refuses all; may be given several times',
      collect,
      [],
    )
    .option('--week <date>', 'instead: the past week of this day, from its Monday')
    .option('--json', "print the API's answer");
}

async function ask(edited: object, options: Options, context: CommandContext): Promise<ExitCode> {
  const { data, text } = await context.api.post(
    '/api/v1/rehearsals',
    { ...edited, ...triedOn(options) },
    rehearsed,
  );
  if (options.json) context.printer.json(text);
  else printRehearsal(context.printer, data);
  return data.reached ? exitCodes.done : exitCodes.negative;
}

function triedOn(options: Options): object {
  const { at, week, zone } = options;
  if ((at === undefined) === (week === undefined)) {
    throw new UsageError(
      "say either --at, such as --at 'Saturday 03:00 Europe/Berlin', or --week 2026-11-09",
    );
  }
  if (week !== undefined) return { week: { from: week, ...(zone === undefined ? {} : { timeZone: zone }) } };
  const { severity, service, alert, team, lasts } = options;
  return {
    situation: {
      at,
      timeZone: zone ?? zoneHere(),
      severity,
      ...Object.fromEntries(
        Object.entries({ service, alert, team, lasts }).filter(([, value]) => value !== undefined),
      ),
      labels: Object.fromEntries(options.label.map(labelOf)),
      answers: options.answer.map(answerOf),
      failures: options.fails.map((target) => ({ target })),
    },
  };
}

function labelOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--label '${text}': write name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function answerOf(text: string): object {
  const [by, what, after = '5m', ...rest] = text.trim().split(/\s+/);
  if (by === undefined || what === undefined || rest.length > 0) {
    throw new UsageError(`--answer '${text}': write who, what and when: 'ana@example.com acknowledge 20m'`);
  }
  return { by, what, after };
}

const definition = z.record(z.string(), z.unknown());

/** Throws UsageError. */
async function readNamed(file: string, { name }: Options, context: CommandContext): Promise<object> {
  const text = file === '-' ? await context.readInput() : await readSource(file, context);
  let read: unknown;
  try {
    read = parse(text);
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const found = definition.safeParse(read);
  if (!found.success) throw new UsageError(`${file}: write a JSON or YAML object, as the API has it`);
  const own = typeof found.data.name === 'string' ? found.data.name : basename(file, extname(file));
  const rest = Object.entries(found.data).filter(([key]) => !readBack.has(key));
  return { name: name ?? own, definition: Object.fromEntries(rest) };
}

function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
