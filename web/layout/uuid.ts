import { z } from 'zod';
import { NotFoundError } from './pages.ts';

/** The id in an address; one that is no uuid names nothing. */
export function uuidOf(text: unknown, what: string): string {
  const parsed = z.uuid().safeParse(text);
  if (!parsed.success) throw new NotFoundError(`There is no such ${what}: the address is not complete.`);
  return parsed.data;
}
