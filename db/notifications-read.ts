import type { NotificationStatus } from '../domain/notification.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestById } from './newest-page.ts';

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
  const sent = tx
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
  return await newestById(sent, 'id', args);
}

/** Those of `keys` under which a message was begun, whatever came of it. */
export async function findKnownKeys(tx: Tx, keys: readonly string[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  const rows = await tx.selectFrom('notifications').select('key').where('key', 'in', keys).execute();
  return new Set(rows.map(({ key }) => key));
}
