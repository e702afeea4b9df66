import { z } from 'zod';
import { ImportFormatError } from './imported.ts';

/**
 * A list as an API answers it: the list itself, or in an envelope under `key` ('results', 'data'), with each item
 * perhaps in one of its own (`{"schedule": {…}}`).
 */
export function listOf<T extends z.ZodType>(item: T, envelopes: readonly string[] = []) {
  const unwrapped = z.preprocess((value) => {
    const wrapped = wrappedIn(value, envelopes);
    return wrapped === undefined ? value : wrapped;
  }, item);
  return z.preprocess(
    (value) => wrappedIn(value, ['results', 'data']) ?? value ?? [],
    z.array(unwrapped).max(5_000),
  );
}

function wrappedIn(value: unknown, keys: readonly string[]): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const key = keys.find((one) => one in value);
  return key === undefined ? undefined : (value as Record<string, unknown>)[key];
}

/** Throws ImportFormatError, which names the fields. */
export function readExport<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ImportFormatError(
    result.error.issues
      .slice(0, 20)
      .map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`),
  );
}
