import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { listOrganizations } from '../db/organizations.ts';
import { hasUnmeasuredSlos } from '../db/slos.ts';
import type { SloMeasuring } from '../workflows/messages-slos.ts';
import { type Rounds, startRounds } from './rounds.ts';

/** An objective is looked at each minute. */
const overdueMs = 3 * 60_000;

export interface SloMeasuringOptions {
  db: Pick<Database, 'read' | 'unscoped'>;
  measuring: Pick<SloMeasuring, 'begin'>;
  logger: Logger;
  pauseMs?: number;
}

/**
 * Begins to measure what should be and is not: objectives that were saved while Temporal was away, or whose schedule is
 * gone from it.
 */
export function startSloMeasuring({ db, measuring, logger, pauseMs = 60_000 }: SloMeasuringOptions): Rounds {
  return startRounds({
    pauseMs,
    pauseFirst: true,
    async round(stopping) {
      const overdue = new Date(Date.now() - overdueMs);
      for (const { orgId } of await listOrganizations(db)) {
        if (stopping.aborted) return undefined;
        await beginWhatIsDue(orgId, overdue).catch((error: unknown) => failed(error, orgId));
      }
      return undefined;
    },
    failed,
  });

  async function beginWhatIsDue(orgId: string, overdue: Date): Promise<void> {
    if (await db.read({ orgId }, (tx) => hasUnmeasuredSlos(tx, overdue))) await measuring.begin(orgId);
  }

  /** Of one organization, which leaves the others their turn; without one, of the round. */
  function failed(error: unknown, orgId?: string): void {
    logger.warn({ err: error, orgId }, 'objectives could not be measured; they are looked at again');
  }
}
