import { sql } from 'kysely';
import type { NotificationCause, NotificationStatus, NotificationType } from '../domain/notification.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

export interface NotificationEntry {
  orgId: string;
  key: string;
  type: NotificationType;
  incidentId: string | null;
  executionId: string | null;
  /** The kind of channel, or of target where there is none. */
  channel: string;
  destination: string;
  subject: string;
  /** Why it is sent. */
  cause?: NotificationCause | undefined;
  /** Whom it is to reach, by mail address; null or absent: a channel. */
  person?: string | null;
  /** Id of the first message of those that stand for many together, which it may be itself. */
  partOf?: number;
}

export type Begun =
  /** `delivered` are the addresses that an earlier attempt reached; `createdAt` is the first attempt's. */
  { status: 'begun'; attempt: number; createdAt: Date; delivered: string[] } | { status: 'sent' };

/**
 * Writes the message into the ledger and the log as started, before it is handed to its channel. An attempt that
 * died in between is taken up again; a message that was sent stays sent.
 */
export async function beginNotification(tx: Tx, entry: NotificationEntry): Promise<Begun> {
  const { rows } = await sql<{ attempts: number; detail: { delivered?: string[] } }>`
    insert into side_effects (org_id, key, kind, status, detail)
    values (${entry.orgId}, ${entry.key}, 'notification', 'started',
      ${JSON.stringify({ type: entry.type, channel: entry.channel, destination: entry.destination })}::jsonb)
    on conflict (org_id, key) do update
      set status = 'started', attempts = side_effects.attempts + 1, finished_at = null,
        detail = side_effects.detail || excluded.detail
      where side_effects.status <> 'succeeded'
    returning attempts, detail`.execute(tx);
  const effect = rows[0];
  if (!effect) return { status: 'sent' };
  const { created_at } = await tx
    .insertInto('notifications')
    // the first of those that stand for many is there already, and no part of itself
    .values({ ...row(entry), status: 'started', attempts: effect.attempts, part_of: entry.partOf ?? null })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'key']).doUpdateSet({
        status: 'started',
        attempts: effect.attempts,
        destination: entry.destination,
        subject: entry.subject,
        person: entry.person ?? null,
        // of what was held back, why it is sent now
        cause: JSON.stringify(entry.cause ?? {}),
        error: sql<
          string | null
        >`case when notifications.status = 'skipped' then null else notifications.error end`,
        finished_at: null,
      }),
    )
    .returning('created_at')
    .executeTakeFirstOrThrow();
  return {
    status: 'begun',
    attempt: effect.attempts,
    createdAt: created_at,
    delivered: effect.detail.delivered ?? [],
  };
}

/** How a message of this key stands in the log; undefined if it was never tried. */
export async function findNotification(
  tx: Tx,
  key: string,
): Promise<{ status: NotificationStatus; consolidatedInto: number | null } | undefined> {
  return await tx
    .selectFrom('notifications')
    .select(['status', 'consolidated_into as consolidatedInto'])
    .where('key', '=', key)
    .executeTakeFirst();
}

/** Whether a message of this type about an incident went to a destination since then, or is on its way. */
export async function isToldSince(
  tx: Tx,
  message: { incidentId: string; type: NotificationType; destination: string; butFor: string; since: Date },
): Promise<boolean> {
  const told = await tx
    .selectFrom('notifications')
    .select('id')
    .where('incident_id', '=', message.incidentId)
    .where('type', '=', message.type)
    .where('destination', '=', message.destination)
    .where('status', 'in', ['started', 'sent'])
    .where('key', '<>', message.butFor)
    .where('created_at', '>=', message.since)
    .limit(1)
    .executeTakeFirst();
  return told !== undefined;
}

/** Whether a message of this key was begun, whatever came of it. */
export async function isNotificationKnown(tx: Tx, key: string): Promise<boolean> {
  return (await findNotification(tx, key)) !== undefined;
}

/** One of several addresses of one message has it: a further attempt leaves it out. */
export async function noteDelivered(
  tx: Tx,
  { key, address }: { key: string; address: string },
): Promise<void> {
  await sql`
    update side_effects
    set detail = jsonb_set(detail, '{delivered}', coalesce(detail -> 'delivered', '[]') || to_jsonb(${address}::text))
    where key = ${key}`.execute(tx);
}

/** The outcome of the attempt; `error` says what to do about it where `status` is failed. */
export async function finishNotification(
  tx: Tx,
  outcome: {
    key: string;
    status: 'sent' | 'failed';
    error?: string;
    /** What the sending took. */
    latencyMs: number;
    /** From the moment at which it was due to the end of the sending. */
    sinceDueMs?: number;
    response?: string;
  },
): Promise<void> {
  const { key, status, error = null, sinceDueMs, ...measured } = storable(outcome);
  await tx
    .updateTable('notifications')
    .set({
      status,
      error,
      finished_at: sql<Date>`now()`,
      latency_ms: Math.round(sinceDueMs ?? measured.latencyMs),
    })
    .where('key', '=', key)
    .execute();
  await sql`
    update side_effects
    set status = ${status === 'sent' ? 'succeeded' : 'failed'}, finished_at = now(),
      detail = detail || ${JSON.stringify({ ...measured, error })}::jsonb
    where key = ${key}`.execute(tx);
}

/** Nothing was sent and nothing will be, for this reason. A message that was sent stays sent. */
export async function skipNotification(
  tx: Tx,
  entry: NotificationEntry & { reason: string; consolidatedInto?: number },
): Promise<void> {
  await tx
    .insertInto('notifications')
    .values({
      ...row(entry),
      status: 'skipped',
      attempts: 0,
      error: entry.reason,
      finished_at: sql<Date>`now()`,
      consolidated_into: entry.consolidatedInto ?? null,
      part_of: entry.partOf ?? null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'key'])
        .doUpdateSet({
          status: 'skipped',
          error: entry.reason,
          finished_at: sql<Date>`now()`,
          consolidated_into: entry.consolidatedInto ?? null,
        })
        .where('notifications.status', '<>', 'sent'),
    )
    .execute();
  await sql`
    update side_effects
    set status = 'failed', finished_at = now(), detail = detail || ${JSON.stringify({ error: entry.reason })}::jsonb
    where key = ${entry.key} and status = 'started'`.execute(tx);
}

function row(entry: NotificationEntry) {
  return {
    org_id: entry.orgId,
    key: entry.key,
    type: entry.type,
    incident_id: entry.incidentId,
    execution_id: entry.executionId,
    channel: entry.channel,
    destination: entry.destination,
    subject: entry.subject,
    cause: JSON.stringify(entry.cause ?? {}),
    person: entry.person ?? null,
  };
}
