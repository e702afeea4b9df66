import type { NotificationStatus } from '../domain/notification.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';

export interface NotificationRecord {
  id: number;
  type: string;
  channel: string;
  destination: string;
  /** Whom it was to reach, by mail address; null: a channel. */
  person: string | null;
  subject: string;
  status: NotificationStatus;
  attempts: number;
  error: string | null;
  createdAt: Date;
  finishedAt: Date | null;
}

/** What was sent for an incident, newest first. Throws InvalidCursorError. */
export async function listIncidentNotifications(
  tx: Tx,
  args: { incidentId: string; cursor?: string; limit: number },
): Promise<Page<NotificationRecord>> {
  let query = tx
    .selectFrom('notifications')
    .select([
      'id',
      'type',
      'channel',
      'destination',
      'person',
      'subject',
      'status',
      'attempts',
      'error',
      'created_at as createdAt',
      'finished_at as finishedAt',
    ])
    .where('incident_id', '=', args.incidentId);
  if (args.cursor !== undefined) {
    const [id] = decodeCursor(args.cursor, ['integer']);
    query = query.where('id', '<', id);
  }
  const rows = await query
    .orderBy('id', 'desc')
    .limit(args.limit + 1)
    .execute();
  return toPage(rows, args.limit, (last) => encodeCursor(last.id));
}

/** Those of `keys` under which a message was begun, whatever came of it. */
export async function findKnownKeys(tx: Tx, keys: readonly string[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  const rows = await tx.selectFrom('notifications').select('key').where('key', 'in', keys).execute();
  return new Set(rows.map(({ key }) => key));
}
