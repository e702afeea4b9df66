import { z } from 'zod';
import type { JsonValue } from './definition.ts';
import { secretReferencePattern } from './secret-reference.ts';

/** The kinds of value that people write in a runbook's YAML. Each rule's message says what to write instead. */

export const seconds = (least: number, what: string) =>
  z
    .number(`write ${what} as a number of seconds`)
    .min(least, `${what} must be at least ${least} seconds`)
    .max(86_400, `${what} must be at most 86400 seconds (a day)`);

export const text = (what: string, longest: number) =>
  z
    .string(`write ${what} as text`)
    .min(1, `${what} must not be empty`)
    .max(longest, `${what} must be at most ${longest} characters`);

export const flag = (what: string) => z.boolean(`write ${what} as true or false`);

export const wholeNumber = (what: string, least: number, most: number) =>
  z
    .int(`write ${what} as a whole number`)
    .min(least, least === 0 ? `${what} must not be negative` : `${what} must be at least ${least}`)
    .max(most, `${what} must be at most ${most}`);

/** YAML reads `8080` and `true` as a number and a boolean; as a value of a variable they are text. */
export const scalar = z.union(
  [z.string(), z.number(), z.boolean()],
  'write a text, a number, or true or false (no list, no mapping)',
);

export const jsonValue: z.ZodType<JsonValue> = z.json().meta({ id: 'json' }) as z.ZodType<JsonValue>;

/** 'env:NAME', 'file:NAME' or 'ssm:/path': where the worker or runner finds the secret when the step begins. */
export const secretReference = (what: string) =>
  z
    .string(`write ${what} as a reference to a secret, not as the secret itself`)
    .regex(
      secretReferencePattern,
      `write ${what} as 'env:NAME' (the variable HOLDFAST_SECRET_NAME), 'file:NAME' (a file in the secrets folder) or 'ssm:/path'; the secret itself does not belong in a runbook`,
    );

/** A name, '*.name', an address (IPv6 in brackets where a port follows), each with ':port' or not, or a network. */
export const hostPattern = z
  .string('write a host as text')
  .max(300, 'a host must be at most 300 characters')
  .regex(
    /^(?:(?:\*\.)?[A-Za-z0-9_][A-Za-z0-9_.-]*(?::\d{1,5})?|\[?[0-9A-Fa-f:.]+\]?(?::\d{1,5}|\/\d{1,3})?)$/,
    "write a host as a name, '*.example.com', an address, a network such as 10.0.0.0/8, with ':port' where only one is meant",
  );

export const runnerName = z
  .string('write runner as text')
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'runner is the name that the runner was started with: lower-case letters, digits and - (at most 63)',
  );

export const toMs = (writtenSeconds: number): number => Math.round(writtenSeconds * 1000);
