import type { z } from 'zod';
import type { ExitCode } from './exit-codes.ts';
import { UsageError } from './exit-codes.ts';
import type { HoldfastApi } from './holdfast-api.ts';
import type { Printer } from './terminal.ts';

/** What every command is given. */
export interface CommandContext {
  api: HoldfastApi;
  printer: Printer;
  /** Absolute path of what was typed, by the folder in which it was typed. */
  pathOf(file: string): string;
  /** Standard input to its end. */
  readInput(): Promise<string>;
  /** Resolves after `ms`. */
  pause(ms: number): Promise<void>;
  now(): number;
  /** Makes what a command does its action: the exit code is what it resolves to. */
  ends<A extends unknown[]>(run: (...args: A) => Promise<ExitCode>): (...args: A) => Promise<void>;
}

/** Throws UsageError, which names `what`, when `value` is not as `schema` has it. */
export function typed<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UsageError(`${what}: ${result.error.issues[0]?.message}`);
}
