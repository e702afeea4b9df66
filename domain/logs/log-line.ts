import { z } from 'zod';

/** How loud a line is, worst first. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A line of a log as everything here handles it, whatever source it came from. */
export interface LogLine {
  /** Epoch milliseconds. */
  at: number;
  service: string | null;
  host: string | null;
  level: LogLevel;
  message: string;
  /** What else is known of its origin: namespace, pod, instance… */
  labels: Record<string, string>;
}

const synonyms: Record<string, LogLevel> = {
  emerg: 'fatal',
  emergency: 'fatal',
  panic: 'fatal',
  critical: 'fatal',
  crit: 'fatal',
  alert: 'fatal',
  err: 'error',
  severe: 'error',
  failure: 'error',
  warning: 'warn',
  notice: 'info',
  information: 'info',
  informational: 'info',
  normal: 'info',
  verbose: 'debug',
  fine: 'debug',
  finer: 'trace',
  finest: 'trace',
};

/** Every word, in small letters, that says the level: for asking a source for the worst lines first. */
export function wordsOfLevel(level: LogLevel): string[] {
  return [level, ...Object.keys(synonyms).filter((word) => synonyms[word] === level)];
}

const levelInText =
  /(?:^|[\s[(<|"'=:])(EMERG|FATAL|PANIC|CRITICAL|CRIT|SEVERE|ERROR|ERR|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE)(?=$|[\s\])>|"',:])/;
const errorInText = /\b(?:[A-Z]\w*)?(?:Exception|Error)\b|\b(?:panic|fatal|traceback)\b/i;

/** The level that `word` means (also pino's numbers, 10 to 60), otherwise read from the message. */
export function logLevel(word: string | number | null | undefined, message: string): LogLevel {
  const text = String(word ?? '')
    .trim()
    .toLowerCase();
  const known = logLevels.find((level) => level === text) ?? synonyms[text];
  if (known) return known;
  if (/^[1-6]0$/.test(text)) return logLevels[6 - Number(text[0])] ?? 'info';
  const start = message.slice(0, 200);
  const named = levelInText.exec(start)?.[1]?.toLowerCase();
  if (named) return logLevels.find((level) => level === named) ?? synonyms[named] ?? 'info';
  return errorInText.test(start) ? 'error' : 'info';
}

export function isError(level: LogLevel): boolean {
  return level === 'fatal' || level === 'error';
}

export function worstLevel(a: LogLevel, b: LogLevel): LogLevel {
  return logLevels.indexOf(a) <= logLevels.indexOf(b) ? a : b;
}

/** At most `length` characters, of which the last is '…' when something was cut off. */
export function cut(text: string, length: number): string {
  return text.length <= length
    ? text
    : `${text
        .slice(0, length - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`;
}

/** Characters of a message that the built-in store keeps. */
export const storedMessageLength = 32_768;

// PostgreSQL's text and jsonb cannot hold NUL, nor half of a surrogate pair
const storable = z.string().transform((text) => text.replaceAll('\u0000', '').toWellFormed());
const timestamp = z
  .union([z.iso.datetime({ offset: true, local: true }), z.number()])
  .transform((value, context) => {
    // without a zone a time means UTC
    const at =
      typeof value === 'number'
        ? value
        : Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`);
    if (at > 0 && at < 253_402_300_800_000) return at;
    context.addIssue({
      code: 'custom',
      message: 'a time between 1970 and 9999, ISO 8601 or epoch milliseconds',
    });
    return z.NEVER;
  });

/** One line of `POST /api/v1/logs`. Unknown keys are ignored; a missing level is read from the message. */
export const logLine = z
  .object({
    timestamp: timestamp.describe('ISO 8601, or milliseconds since 1970'),
    service: storable.pipe(z.string().min(1).max(200)),
    host: storable.pipe(z.string().max(255)).nullish(),
    level: z.union([z.string().max(50), z.number()]).nullish(),
    message: storable.transform((text) => cut(text, storedMessageLength)),
    labels: z
      .record(storable, z.union([storable, z.number(), z.boolean()]).transform(String))
      .refine((labels) => Object.keys(labels).length <= 64, 'at most 64 labels')
      .nullish(),
  })
  .transform(
    ({ timestamp: at, service, host, level, message, labels }): LogLine => ({
      at,
      service,
      host: host || null,
      level: logLevel(level, message),
      message,
      labels: labels ?? {},
    }),
  );

export interface LogLineProblem {
  /** Counts from 1. */
  line: number;
  /** The field at fault, such as 'timestamp' or 'labels.pod'; '' when the line is no JSON object. */
  field: string;
  message: string;
}

export interface ParsedLogLines {
  lines: LogLine[];
  /** At most 100 of them; `rejected` counts all lines that were left out. */
  problems: LogLineProblem[];
  rejected: number;
}

const problemsShown = 100;

/** Reads JSON lines. A bad line is reported and left out, the others are kept; empty lines mean nothing. */
export function parseLogLines(body: string): ParsedLogLines {
  const parsed: ParsedLogLines = { lines: [], problems: [], rejected: 0 };
  for (const [index, text] of body.split('\n').entries()) {
    if (text.trim() === '') continue;
    const result = parseLine(text);
    if ('at' in result) {
      parsed.lines.push(result);
      continue;
    }
    parsed.rejected++;
    if (parsed.problems.length < problemsShown) parsed.problems.push({ line: index + 1, ...result });
  }
  return parsed;
}

function parseLine(text: string): LogLine | { field: string; message: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { field: '', message: `not JSON, write one object per line (${cut(reason, 200)})` };
  }
  const result = logLine.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return { field: issue?.path.join('.') ?? '', message: issue?.message ?? 'not a log line' };
}
