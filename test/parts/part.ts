import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real part that this machine does not have: tests skip by this reason, they never pass silently. */
export class PartUnavailableError extends Error {
  readonly part: string;
  readonly reason: string;

  constructor(part: string, reason: string, options?: ErrorOptions) {
    super(`${part} is not available: ${reason}`, options);
    this.name = 'PartUnavailableError';
    this.part = part;
    this.reason = reason;
  }
}

/** Outside node_modules, so that what took minutes to make survives `npm ci`. */
export const cacheDirectory = join(homedir(), '.cache', 'holdfast');

/**
 * Makes a folder once and for all: `build` fills a temporary one that is then renamed into place. Of several
 * preparers at the same time the first to finish wins, and the others take what it made.
 */
export async function buildOnce(target: string, build: (into: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const scratch = await mkdtemp(`${target}.making-`);
  try {
    await build(scratch);
    await rename(scratch, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What every test is given. */
export interface Skipping {
  skip(note?: string): never;
}

/** For the first lines of a test: the part, or the test is skipped and says why. */
export async function partOrSkip<T>(context: Skipping, start: () => Promise<T>): Promise<T> {
  return (await tryPart(start)).orSkip(context);
}

/** What a `beforeAll` tried to start for several tests. */
export interface TriedPart<T> {
  /** Nothing where this machine does not have it. */
  part: T | undefined;
  /** As `partOrSkip`, for each of the tests. */
  orSkip(context: Skipping): T;
}

export async function tryPart<T>(start: () => Promise<T>): Promise<TriedPart<T>> {
  try {
    const part = await start();
    return { part, orSkip: () => part };
  } catch (error) {
    if (!(error instanceof PartUnavailableError)) throw error;
    return { part: undefined, orSkip: (context) => context.skip(error.message) };
  }
}
