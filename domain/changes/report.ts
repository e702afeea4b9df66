import { z } from 'zod';
import type { ChangeFacts } from './change.ts';

/** What one message says of a change. Texts are as long as they are stored; a change is told of several times. */
export interface ChangeReport extends ChangeFacts {
  /** The sender's name of the change: what has the same one is the same change, going on. */
  externalId: string;
  /** Milliseconds, by the sender's clock; null where it doesn't say. */
  at: number | null;
  /** It takes effect from `at` on and not from when it was first heard of: until then it only waited. */
  begins: boolean;
  /** What else a person may want to see, each value a short text. */
  data: Record<string, string>;
}

/**
 * `ignored`: the message tells of no change, and why, for the sender's own list of deliveries. `invalid`: it should,
 * and what it lacks.
 */
export type ReadChange =
  | { change: ChangeReport }
  | { ignored: string }
  | { invalid: { field: string; message: string }[] };

/** A field that is read with care and refused by nobody. */
export const anything = z.unknown().optional();

/** Of a body that zod refused. */
export function invalidBody(error: z.ZodError): ReadChange {
  return {
    invalid: error.issues.slice(0, 20).map((issue) => ({
      field: issue.path.map(String).join('.') || 'body',
      message: issue.message,
    })),
  };
}

/** What a source says beside its messages. */
export interface ChangeMapping {
  /** Service by the sender's name: a repository ('acme/shop' or 'shop'), a job, an application. */
  services: Record<string, string>;
  /** Environment of what doesn't say one; null: none. */
  environment: string | null;
  /** Globs over the names of workflows and jobs that deploy; the others build and test. */
  deploys: string[];
  /** Of kind 'generic': where in the body what stands, as 'app.name' or 'items.0.id'. */
  fields: { [F in MappedField]?: string | undefined };
}

export const mappedFields = [
  'externalId',
  'type',
  'status',
  'service',
  'environment',
  'title',
  'version',
  'previousVersion',
  'author',
  'url',
  'at',
] as const;
export type MappedField = (typeof mappedFields)[number];

/** Its service by what the sender calls it: the first of `names` that has one, else the last name itself. */
export function serviceOf(
  mapping: Pick<ChangeMapping, 'services'>,
  names: readonly (string | null)[],
): string | null {
  const given = names.flatMap((name) => name ?? []);
  for (const name of given) {
    if (Object.hasOwn(mapping.services, name)) return mapping.services[name] ?? null;
  }
  return given.at(-1) ?? null;
}

/** Characters that are kept of each text. */
export const longest = { name: 200, title: 300, url: 2000, version: 200, externalId: 500 };

export const externalIdOf = (...parts: (string | number)[]): string =>
  parts.join(':').slice(0, longest.externalId);

/** A text of a message, on one line and as long as it is kept; null for nothing. */
export function textOf(value: unknown, most: number = longest.name): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return null;
  const line = text
    .slice(0, most * 4)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  if (line === '') return null;
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** A link that a page may lead to: http or https; null for anything else. */
export function linkOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > longest.url) return null;
  const url = URL.parse(value.trim());
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
}

/** Milliseconds of an ISO time, or of a number of seconds or milliseconds since 1970; null for anything else. */
export function instantOf(value: unknown): number | null {
  if (typeof value === 'string' && !/^\d+(\.\d+)?$/.test(value.trim())) {
    const ms = Date.parse(value);
    return Number.isNaN(ms) ? null : ms;
  }
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number <= 0) return null;
  // in seconds this is the year 5138, in milliseconds 1973
  const ms = number < 1e11 ? number * 1000 : number;
  return ms < 8.64e15 ? Math.round(ms) : null;
}

/** The first line of a commit's message. */
export function firstLine(text: unknown): string | null {
  return typeof text === 'string' ? textOf(text.split('\n', 1)[0], longest.title) : null;
}

const tag = /^v?\d+(\.\d+)+([-+.][\w.-]+)?$/;

/** A ref that is a version, or else the commit, shortened as Git does. */
export function versionOf(ref: unknown, commit: unknown): string | null {
  const name = textOf(ref, longest.version)?.replace(/^refs\/(tags|heads)\//, '') ?? null;
  if (name !== null && tag.test(name)) return name;
  const sha = textOf(commit);
  return sha === null ? null : shortSha(sha);
}

export const shortSha = (text: string): string => (/^[0-9a-f]{12,64}$/.test(text) ? text.slice(0, 7) : text);

/** Of several texts without their gaps: {'Branch': 'main', 'Run': null} becomes {'Branch': 'main'}. */
export function dataOf(values: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
