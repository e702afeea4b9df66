import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { processIdentity } from './process.ts';

/** The folder that holds everything of one embedded Holdfast, locked against a second one. */
export interface DataDirectory {
  /** Absolute. */
  path: string;
  release(): Promise<void>;
}

/** Another Holdfast runs on this directory. */
export class DataDirectoryInUseError extends Error {
  override name = 'DataDirectoryInUseError';
}

const holderSchema = z.object({ pid: z.number(), identity: z.string(), since: z.string() });

/**
 * Creates the directory where it is missing and locks it until `release()` or the end of this process,
 * whichever way it ends: a lock whose holder is no longer there is taken over.
 * @throws DataDirectoryInUseError while another process holds it
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = resolve(path);
  // as root, PostgreSQL runs as another user, who has to pass through but not to look around
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  await mkdir(directory, { recursive: true, mode }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot create the data directory ${directory} (${error.code}); set HOLDFAST_DATA_DIR to one that can be written`,
    );
  });
  const lock = join(directory, 'lock');
  const mine = `${lock}.${process.pid}`;
  const identity = (await processIdentity(process.pid)) ?? '';
  const content = JSON.stringify({ pid: process.pid, identity, since: new Date().toISOString() });
  await writeFile(mine, content, { mode: 0o600 });
  try {
    while (!(await linked(mine, lock))) await removeIfAbandoned(lock, directory);
  } finally {
    await rm(mine, { force: true });
  }
  return {
    path: directory,
    async release() {
      if ((await readFile(lock, 'utf8').catch(() => undefined)) === content) await rm(lock, { force: true });
    },
  };
}

/** `link` creates the lock whole or not at all, so nobody ever reads a half-written one. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfAbandoned(lock: string, directory: string): Promise<void> {
  const held = await readFile(lock, 'utf8').catch(() => undefined);
  if (held === undefined) return;
  await refuseIfHeld(held, directory);
  // another start may have taken over between reading and removing: what is moved aside is looked at again
  const aside = `${lock}.abandoned.${process.pid}`;
  await rename(lock, aside).catch(() => {});
  const moved = await readFile(aside, 'utf8').catch(() => undefined);
  try {
    if (moved !== undefined && moved !== held) {
      await linked(aside, lock);
      await refuseIfHeld(moved, directory);
    }
  } finally {
    await rm(aside, { force: true });
  }
}

async function refuseIfHeld(content: string, directory: string): Promise<void> {
  const holder = holderSchema.safeParse(parseJson(content));
  if (!holder.success) return;
  const { pid, identity, since } = holder.data;
  if ((await processIdentity(pid)) !== identity) return;
  throw new DataDirectoryInUseError(
    `Holdfast already runs on ${directory} (process ${pid}, since ${since}). ` +
      'Stop it first, or set HOLDFAST_DATA_DIR to another directory.',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
