import type { Database } from '../../db/database.ts';
import { noteIntegrationSeen } from '../../db/identity.ts';
import type { ErrorLog } from '../errors.ts';
import type { Integration } from './ingest-key.ts';

/** Milliseconds between two notes of when an integration last spoke. */
const seenEveryMs = 15_000;

/**
 * Notes that an integration spoke just now, at most every 15 s. What it sent is stored by then, so this throws
 * nothing: an error would have it sent, and stored, again.
 */
export function createSeenNote({ db, log }: { db: Pick<Database, 'write'>; log: ErrorLog }) {
  const seenAt = new Map<string, number>();

  return async ({ orgId, integrationId }: Integration): Promise<void> => {
    const now = Date.now();
    if (now - (seenAt.get(integrationId) ?? 0) < seenEveryMs) return;
    seenAt.set(integrationId, now);
    try {
      await db.write({ orgId }, (tx) => noteIntegrationSeen(tx, integrationId));
    } catch (error) {
      log.error({ err: error, integrationId }, 'that an integration spoke could not be noted');
    }
  };
}
