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

/** The keys that there are, to say which one was meant. */
export interface KnownKeys {
  /** Those of the mapping at this place. */
  here(place: Place): readonly string[];
  anywhere: readonly string[];
}

/** Unknown keys for which the one that was meant is looked for: of thousands nobody meant any. */
const mostMeant = 30;

/** What the schema found wrong, in words, with unknown and missing keys named. `raw` is what was validated. */
export function issueProblems(
  error: z.ZodError,
  raw: unknown,
  { before = [], known }: { before?: Place; known?: KnownKeys } = {},
): PlacedProblem[] {
  let unknown = 0;
  return error.issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const place = [...before, ...path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        place: [...place, key],
        message:
          unknown++ < mostMeant
            ? unknownKey(key, known?.here(path) ?? [], known?.anywhere ?? [])
            : `unknown key '${key}'; take it out`,
        atKey: true,
      }));
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

function unknownKey(key: string, here: readonly string[], anywhere: readonly string[]): string {
  if (anywhere.includes(key)) {
    return `'${key}' has no place here; move it to where it belongs, or take it out`;
  }
  const near = closest(key, here) ?? closest(key, anywhere);
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
