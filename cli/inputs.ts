import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { type CommandContext, typed } from './command.ts';
import { UsageError } from './exit-codes.ts';

export interface InputOptions {
  input: string[];
  inputs?: string;
  incident?: string;
  environment?: string;
}

/** The options by which a runbook is given its values. */
export function withInputOptions(command: Command): Command {
  return command
    .option(
      '-i, --input <name=value>',
      'a value for an input; may be given several times',
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .option(
      '--inputs <file>',
      "a JSON object of values, '-' for standard input: for what must not stand in the list of processes",
    )
    .option('--incident <number>', 'the incident that it is for: its alert gives values to inputs')
    .option('--environment <name>', "in place of the alert's own");
}

const file = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));
const incidentNumber = z
  .string()
  .regex(/^#?[1-9]\d{0,8}$/, 'write the number of an incident, such as 42')
  .transform((text) => Number(text.replace('#', '')));

/** The body that both running and the dry run take. Throws UsageError. */
export async function askedBy(options: InputOptions, context: CommandContext) {
  const fromFile = options.inputs === undefined ? {} : await readValues(options.inputs, context);
  const values = Object.fromEntries(options.input.map(pairOf));
  return {
    inputs: { ...fromFile, ...values },
    ...(options.incident === undefined
      ? {}
      : { incident: typed(incidentNumber, options.incident, '--incident') }),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  };
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--input '${text}': write name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

async function readValues(name: string, context: CommandContext): Promise<Record<string, string>> {
  let text: string;
  try {
    text = name === '-' ? await context.readInput() : await readFile(context.pathOf(name), 'utf8');
  } catch (error) {
    throw new UsageError(
      `--inputs ${name} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UsageError(
      `--inputs ${name}: this is no JSON; write an object such as {"service": "checkout"}`,
    );
  }
  return typed(file, json, `--inputs ${name}`);
}
