import type { z } from 'zod';

/** A path into the YAML: keys and list positions. */
export type Place = readonly (string | number)[];

export interface PlacedProblem {
  place: Place;
  message: string;
  /** Text inside the value at `place` that the problem is about. */
  near?: string;
  /** True when the key is wrong rather than its value. */
  atKey?: boolean;
}

/** What the schema found wrong, in words, with unknown and missing keys named. `raw` is what was validated. */
export function issueProblems(error: z.ZodError, raw: unknown, before: Place = []): PlacedProblem[] {
  return error.issues.flatMap((issue) => {
    const place = [...before, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ place: [...place, key], message: unknownKey(key), atKey: true }));
    }
    const last = issue.path.at(-1);
    if (valueAt(raw, issue.path) === undefined && typeof last === 'string') {
      return [{ place: place.slice(0, -1), message: `'${last}' is missing; add it` }];
    }
    if (issue.code === 'invalid_key') {
      return issue.issues.map(({ message }) => ({ place, message }));
    }
    return [{ place, message: issue.message }];
  });
}

const knownKeys = [
  ...['name', 'description', 'category', 'tags', 'triggers', 'inputs', 'execution', 'steps'],
  ...['alert_pattern', 'severity', 'min_duration_seconds', 'labels', 'required', 'default', 'from_label'],
  ...['allow_leading_dash', 'secret', 'mode', 'approvals', 'approval_timeout', 'max_per_hour', 'cooldown'],
  ...['target', 'allowed_hosts', 'type', 'command', 'timeout', 'retries', 'retry_delay', 'continue_on_fail'],
  ...['requires_sudo', 'idempotent', 'rollback', 'url', 'method', 'headers', 'body', 'expected_status'],
  ...['expect_json', 'expect_body'],
];

function unknownKey(key: string): string {
  if (knownKeys.includes(key))
    return `'${key}' has no place here; move it to where it belongs, or take it out`;
  const near = closest(key, knownKeys);
  return near ? `unknown key '${key}'; did you mean '${near}'?` : `unknown key '${key}'; take it out`;
}

/** The candidate that differs from `word` by the fewest letters, if by no more than a third of them. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, charA] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, charB] of [...b].entries()) {
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (charA === charB ? 0 : 1)),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
