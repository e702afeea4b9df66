/** Where a page of a list ended, as an opaque text for the reader: base64url of a JSON array. */

/** The cursor was not made by this list: the reader begins again without one. */
export class InvalidCursorError extends Error {
  override name = 'InvalidCursorError';
}

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  nextCursor?: string;
}

/** `instant` is a timestamptz as PostgreSQL writes it, whose microseconds a Date would lose. */
type Kind = 'integer' | 'text' | 'instant' | 'uuid';
type Value<K extends Kind> = K extends 'integer' ? number : string;

export function encodeCursor(...parts: (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Throws InvalidCursorError unless `cursor` holds values of these kinds. */
export function decodeCursor<const S extends readonly Kind[]>(
  cursor: string,
  kinds: S,
): { -readonly [I in keyof S]: Value<S[I]> } {
  const parts = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (
    !Array.isArray(parts) ||
    parts.length !== kinds.length ||
    !kinds.every((kind, index) => isOfKind(kind, parts[index]))
  ) {
    throw new InvalidCursorError('the cursor is not one of this list: leave it out to begin again');
  }
  return parts as { -readonly [I in keyof S]: Value<S[I]> };
}

const instant = /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isOfKind(kind: Kind, value: unknown): boolean {
  if (kind === 'integer') return Number.isSafeInteger(value);
  if (typeof value !== 'string') return false;
  if (kind === 'instant') {
    const iso = value.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
    return instant.test(value) && !Number.isNaN(Date.parse(iso));
  }
  return kind === 'text' || uuid.test(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A page of `limit` from `limit + 1` rows: the row too many says that there is a next page. */
export function toPage<R>(rows: R[], limit: number, cursorOf: (last: R) => string): Page<R> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, nextCursor: cursorOf(last) } : { items };
}
