import type { NewAlert } from '../domain/correlation/snapshot.ts';
import type { Tx } from './database.ts';

/** The latest episodes that began after `since`, newest first, at most `limit`: what edited rules are tried on. */
export async function listPastAlerts(tx: Tx, args: { since: Date; limit: number }): Promise<NewAlert[]> {
  const rows = await tx
    .selectFrom('alerts')
    .select(['service', 'name', 'labels', 'received_at'])
    .where('received_at', '>', args.since)
    .orderBy('received_at', 'desc')
    .limit(args.limit)
    .execute();
  return rows.map(({ received_at: at, ...alert }) => ({ ...alert, at: at.getTime() }));
}
