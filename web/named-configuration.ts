import type { Response } from 'express';
import type { Database, Scope, Tx } from '../db/database.ts';
import { InUseError, UnknownReferenceError } from '../db/policies.ts';
import type { Problems } from './layout/fields.ts';
import { setFlash } from './layout/flash.ts';

/** How the pages of named configuration save and delete it, as api/configuration.ts does for programs. */

/**
 * Answers by field what keeps it from being saved; undefined: it is saved. With `existing` it may replace what `find`
 * finds. `fieldOf`: which field of the form an unknown name stands in, by its path in the definition.
 */
export async function saveNamed<T>(
  { db, scope }: { db: Pick<Database, 'write'>; scope: Scope },
  given: {
    /** What the form says. */
    read: { definition: T } | { problems: Problems };
    /** What is wrong with its name, where `read` does not say it. */
    unnamed?: Problems;
    existing: boolean;
    find: (tx: Tx) => Promise<unknown>;
    put: (tx: Tx, definition: T) => Promise<unknown>;
    fieldOf: (path: string) => string;
  },
): Promise<Problems | undefined> {
  const { read, unnamed = {} } = given;
  if ('problems' in read) return { ...read.problems, ...unnamed };
  if (Object.keys(unnamed).length > 0) return unnamed;
  try {
    return await db.write(scope, async (tx): Promise<Problems | undefined> => {
      if (!given.existing && (await given.find(tx))) return { name: 'There is one of this name.' };
      await given.put(tx, read.definition);
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof UnknownReferenceError)) throw error;
    return { [given.fieldOf(error.field)]: error.message };
  }
}

/** Says on the next page that it is gone (`done`), or what still names it; answers whether it is gone. */
export async function deleteNamed(
  response: Response,
  { remove, done }: { remove: () => Promise<unknown>; done: string },
): Promise<boolean> {
  try {
    await remove();
    setFlash(response, 'good', done);
    return true;
  } catch (error) {
    if (!(error instanceof InUseError)) throw error;
    setFlash(response, 'bad', `Not deleted: ${error.message}`);
    return false;
  }
}
