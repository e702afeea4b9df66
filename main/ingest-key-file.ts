import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The database keeps the hash of the ingest key alone, so an embedded Holdfast keeps the key itself in its data
 * directory, for its owner only: the demo sends with it, and a later banner can show it again.
 */
const fileOf = (dataDir: string): string => join(dataDir, 'ingest-key');

export async function keepIngestKey(dataDir: string, key: string): Promise<void> {
  const file = fileOf(dataDir);
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  // the mode above counts for a new file only
  await chmod(file, 0o600);
}

/** Undefined when none is kept there. */
export async function readIngestKey(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(fileOf(dataDir), 'utf8')).trim() || undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
