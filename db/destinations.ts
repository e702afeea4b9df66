import { sql } from 'kysely';
import type { Tx } from './database.ts';

/** Whether the next message may go to a destination, or for how long not, and why. */
export type Turn =
  | { status: 'yours'; inMs: number }
  | { status: 'wait'; forMs: number; reason: string | null };

/** A turn is taken at most so long before it comes; whoever comes later asks again. */
const longestWaitMs = 1000;

/**
 * Takes the destination's next free moment, one every `everyMs`, in one statement, so that workers that ask at once get
 * one after the other. A destination that asked for patience has none until that is over.
 */
export async function takeTurn(
  tx: Tx,
  { orgId, destination, everyMs }: { orgId: string; destination: string; everyMs: number },
): Promise<Turn> {
  const every = sql`make_interval(secs => ${everyMs / 1000}::double precision)`;
  const { rows } = await sql<{ in_ms: number }>`
    insert into destinations as d (org_id, destination, free_at)
    values (${orgId}, ${destination}, clock_timestamp() + ${every})
    on conflict (org_id, destination) do update
      set free_at = greatest(d.free_at, d.blocked_until, clock_timestamp()) + ${every}, blocked_until = null, reason = null
      where greatest(d.free_at, coalesce(d.blocked_until, d.free_at))
        <= clock_timestamp() + make_interval(secs => ${longestWaitMs / 1000}::double precision)
    returning greatest(0, extract(epoch from d.free_at - ${every} - clock_timestamp()) * 1000)::double precision as in_ms`.execute(
    tx,
  );
  const turn = rows[0];
  if (turn) return { status: 'yours', inMs: Math.ceil(turn.in_ms) };
  const busy = await tx
    .selectFrom('destinations')
    .select([
      sql<number>`greatest(0, extract(epoch from greatest(free_at, blocked_until) - clock_timestamp()) * 1000)::double precision`.as(
        'forMs',
      ),
      'reason',
    ])
    .where('destination', '=', destination)
    .executeTakeFirst();
  return { status: 'wait', forMs: Math.ceil(busy?.forMs ?? 0), reason: busy?.reason ?? null };
}

/** It asked for patience: nothing goes there for `forMs`. */
export async function blockDestination(
  tx: Tx,
  block: { orgId: string; destination: string; forMs: number; reason: string },
): Promise<void> {
  const until = sql<Date>`clock_timestamp() + make_interval(secs => ${block.forMs / 1000}::double precision)`;
  await sql`
    insert into destinations as d (org_id, destination, blocked_until, reason)
    values (${block.orgId}, ${block.destination}, ${until}, ${block.reason})
    on conflict (org_id, destination) do update
      set blocked_until = greatest(d.blocked_until, excluded.blocked_until), reason = excluded.reason`.execute(
    tx,
  );
}

// ---- where a destination has the message about something ----

export async function findChannelMessage(
  tx: Tx,
  { destination, subject }: { destination: string; subject: string },
): Promise<object | undefined> {
  const found = await tx
    .selectFrom('channel_messages')
    .select('reference')
    .where('destination', '=', destination)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return found?.reference;
}

export async function keepChannelMessage(
  tx: Tx,
  message: { orgId: string; destination: string; subject: string; reference: object },
): Promise<void> {
  const { orgId, destination, subject } = message;
  const reference = JSON.stringify(message.reference);
  await sql`
    insert into channel_messages (org_id, destination, subject, reference)
    values (${orgId}, ${destination}, ${subject}, ${reference}::jsonb)
    on conflict (org_id, destination, subject) do update set reference = excluded.reference, updated_at = now()`.execute(
    tx,
  );
}

export interface ChannelMessage {
  destination: string;
  channel: string;
  /** Of the channel. */
  kind: string;
  /** To whom it went directly, by mail address; null: to a conversation of many. */
  person: string | null;
  /** Whether the channel writes notes there. */
  notes: boolean;
}

/** Every message that channels which are still there have about something. */
export async function listChannelMessages(tx: Tx, subject: string): Promise<ChannelMessage[]> {
  const { rows } = await sql<ChannelMessage>`
    select m.destination, c.name as channel, c.definition ->> 'type' as kind, m.reference ->> 'person' as person,
      c.definition ? 'apiToken' as notes
    from channel_messages m
    join notification_channels c on c.org_id = m.org_id and c.name = split_part(m.destination, ':', 2)
    where m.subject = ${subject} and m.destination like 'channel:%'
    order by m.destination`.execute(tx);
  return rows;
}

/** Kinds of the channels that keep what they were told of up to date. */
export async function listFollowingKinds(tx: Tx): Promise<Set<string>> {
  const { rows } = await sql<{ kind: string }>`
    select distinct definition ->> 'type' as kind from notification_channels
    where definition ->> 'type' = 'pagerduty' or (definition ->> 'type' = 'slack' and definition ? 'token')`.execute(
    tx,
  );
  return new Set(rows.map(({ kind }) => kind));
}

// ---- how a notification channel is ----

/**
 * What a channel said when something was last sent there: `health`, or why it failed: `error`. Written when that
 * changes, and else once a minute, so that a storm of messages does not wait for one row.
 */
export async function noteChannelHealth(
  tx: Tx,
  { name, health, error }: { name: string; health: string | null; error: string | null },
): Promise<void> {
  await sql`
    update notification_channels set checked_at = now(), health = ${health}, error = ${error}
    where name = ${name}
      and (error is distinct from ${error} or checked_at is null or checked_at < now() - interval '1 minute')`.execute(
    tx,
  );
}
