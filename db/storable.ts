/**
 * A copy of plain data in which every text can be stored: PostgreSQL takes neither NUL nor half a surrogate pair,
 * in text as in jsonb. A record that a workflow writes must get through whatever somebody typed or a server
 * answered: its local activity would be tried for ever, and all that waits for it would wait for ever too.
 */
export function storable<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed() as T;
  if (Array.isArray(value)) return value.map(storable) as T;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [storable(name), storable(each)]),
  ) as T;
}
