import type { Place, PlacedProblem } from './problems.ts';
import type { AnyStepType } from './step-types/step-type.ts';
import { malformedPlaceholders, placeholders } from './template.ts';

/** The texts of a step as it is written, and the variables in them. */

interface PlacedText {
  text: string;
  place: Place;
  /** It is the name of a key, where nothing is filled in. */
  isKey?: boolean;
}

export function variablesOf(shape: AnyStepType, raw: Readonly<Record<string, unknown>>): string[] {
  return shape.templates.flatMap((key) =>
    textsIn(raw[key], [key]).flatMap(({ text, isKey }) =>
      isKey ? [] : placeholders(text).map(({ name }) => name),
    ),
  );
}

/** Variables that are mistyped, or that stand where nothing is filled in. */
export function* textProblems(
  shape: AnyStepType,
  raw: Readonly<Record<string, unknown>>,
): Generator<PlacedProblem> {
  for (const key of Object.keys(shape.keys)) {
    const filled = shape.templates.includes(key);
    for (const { text, place, isKey } of textsIn(raw[key], [key])) {
      if (filled && !isKey) {
        for (const { offset, message } of malformedPlaceholders(text)) {
          yield { place, message, near: text.slice(offset, offset + 4) };
        }
        continue;
      }
      const [found] = placeholders(text);
      if (!found) continue;
      const near = text.slice(found.start, found.end);
      yield { place, near, message: misplaced(key, near, isKey ?? false), ...(isKey ? { atKey: true } : {}) };
    }
  }
}

function misplaced(key: string, variable: string, isKey: boolean): string {
  if (isKey) return `${variable} cannot stand in a key; write the key out`;
  return key === 'script'
    ? `a value inside a script would become code; add args: ["${variable}"] and read it there ("$1" in a shell, sys.argv[1] in Python)`
    : `'${key}' takes no variables; write it out instead of ${variable}`;
}

function textsIn(value: unknown, place: Place): PlacedText[] {
  if (typeof value === 'string') return [{ text: value, place }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, [...place, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    { text: key, place: [...place, key], isKey: true },
    ...textsIn(item, [...place, key]),
  ]);
}
