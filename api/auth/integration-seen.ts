import type { Database } from '../../db/database.ts';
import { noteIntegrationSeen } from '../../db/identity.ts';
import type { Integration } from './ingest-key.ts';

/** Milliseconds between two notes of when an integration last spoke. */
const seenEveryMs = 15_000;

/** Notes that an integration spoke just now, at most every 15 s. Throws DatabaseUnavailableError. */
export function createSeenNote(db: Pick<Database, 'write'>) {
  const seenAt = new Map<string, number>();

  return async ({ orgId, integrationId }: Integration): Promise<void> => {
    const now = Date.now();
    if (now - (seenAt.get(integrationId) ?? 0) < seenEveryMs) return;
    seenAt.set(integrationId, now);
    await db.write({ orgId }, (tx) => noteIntegrationSeen(tx, integrationId));
  };
}
