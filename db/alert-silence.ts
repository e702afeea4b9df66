import { sql } from 'kysely';
import type { Tx } from './database.ts';

/** Marks a firing alert as stale unless it was seen since `lastSeenAt`. False when it was, or is resolved. */
export async function markStale(tx: Tx, alertId: number, lastSeenAt: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('alerts')
    .set((eb) => ({
      status: 'stale',
      version: eb('version', '+', 1),
      dispatched_version: eb('version', '+', 1),
    }))
    .where('id', '=', alertId)
    .where('status', '=', 'firing')
    // the column has microseconds, the workflow's clock milliseconds
    .where('last_seen_at', '<', new Date(lastSeenAt + 1))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * What Alertmanager said when it was asked about an alert that had not been seen since `lastSeenAt`. An alert that
 * came again meanwhile says more than that answer.
 */
export async function recordProbe(
  tx: Tx,
  alertId: number,
  lastSeenAt: number,
  firing: boolean,
): Promise<void> {
  await tx
    .updateTable('alerts')
    .set((eb) =>
      firing
        ? { last_seen_at: sql<Date>`now()` }
        : {
            status: 'resolved',
            resolved_at: sql<Date>`now()`,
            ends_at: sql<Date>`now()`,
            version: eb('version', '+', 1),
            dispatched_version: eb('version', '+', 1),
          },
    )
    .where('id', '=', alertId)
    .where('status', '<>', 'resolved')
    .where('last_seen_at', '<', new Date(lastSeenAt + 1))
    .execute();
}
