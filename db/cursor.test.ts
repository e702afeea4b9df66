import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor, InvalidCursorError, toPage } from './cursor.ts';

const id = '00000000-0000-4000-8000-000000000001';

test('a cursor brings back what it was made of, microseconds and all', () => {
  const at = '2026-11-21 03:00:00.123456+00';
  expect(decodeCursor(encodeCursor(at, id), ['instant', 'uuid'])).toEqual([at, id]);
  expect(decodeCursor(encodeCursor(42), ['integer'])).toEqual([42]);
});

test.for([
  ['nonsense', ['integer']],
  [encodeCursor('42'), ['integer']],
  [encodeCursor(4.2), ['integer']],
  [encodeCursor(42, 42), ['integer']],
  [encodeCursor("'; drop table incidents"), ['instant']],
  [encodeCursor('2026-13-41 03:00:00+00'), ['instant']],
  [encodeCursor('0001'), ['uuid']],
  ['', ['integer']],
] as const)('a cursor that is not of the list is refused: %s', ([cursor, kinds]) => {
  expect(() => decodeCursor(cursor, kinds)).toThrow(InvalidCursorError);
});

test('the row too many says that there is a next page', () => {
  const cursorOf = (last: number) => encodeCursor(last);
  expect(toPage([1, 2, 3], 2, cursorOf)).toEqual({ items: [1, 2], nextCursor: encodeCursor(2) });
  expect(toPage([1, 2], 2, cursorOf)).toEqual({ items: [1, 2] });
  expect(toPage([], 2, cursorOf)).toEqual({ items: [] });
});
