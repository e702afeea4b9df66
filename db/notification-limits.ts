import { sql } from 'kysely';
import { endInHand, endWithIncident } from '../domain/notification.ts';
import { countMessage, hourMs, type LimitVerdict, type ToldTogether } from '../domain/notification-limits.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';

/** What one message says in place of many. */
export interface ConsolidatedFacts {
  /** Of the first message that says it, in the log. */
  id: number;
  pattern: string;
  /** Messages that it stands for. */
  held: number;
  /** Those of them that are of use by now. */
  due: number;
  heldSince: Date;
  /** Until when it counts on. */
  ends: Date;
  /** All incidents of those messages; `incidents` are the worst and newest of them. */
  incidentCount: number;
  incidents: {
    number: number;
    title: string;
    severity: Severity;
    acknowledgedAt: Date | null;
    acknowledgedBy: string | null;
    resolvedAt: Date | null;
    /** How it stands, for links: see IncidentFacts. */
    opening: number;
    recordedSeq: number;
  }[];
}

/** The message that stands for others in an hour. */
export interface Hold {
  /** Its id in the log. */
  consolidated: number;
  key: string;
  /** When it has all of its hour. */
  ends: Date;
}

/** After the hour: what was held at its very end may not be committed before. */
const commitsWithinMs = 30_000;

const incidentsTold = 15;

/**
 * Counts one message of a pattern to a destination (`now`: epoch milliseconds), and says by which other it is told;
 * undefined: it may go by itself.
 */
export async function countTowardsLimit(
  tx: Tx,
  message: {
    orgId: string;
    destination: string;
    label: string;
    person: string | null;
    channel: string;
    pattern: string;
    /** How those are told that are too many. */
    told: ToldTogether;
    now: number;
  },
): Promise<Hold | undefined> {
  const { orgId, destination, pattern, now } = message;
  // locks the row, so that messages that come at once are counted one after the other
  const { rows } = await sql<{ began: number; sent: number; held: number; consolidated: number | null }>`
    insert into notification_limits as l (org_id, destination, pattern, hour_began)
    values (${orgId}, ${destination}, ${pattern}, ${new Date(0)})
    on conflict (org_id, destination, pattern) do update set sent = l.sent
    returning extract(epoch from hour_began)::double precision * 1000 as began, sent, held, consolidated`.execute(
    tx,
  );
  const before = rows[0];
  const counted = countMessage(before, now);
  const consolidated =
    counted.verdict === 'send'
      ? null
      : (before?.consolidated ?? (await beginConsolidated(tx, message, counted)));
  const { began, sent, held } = counted.count;
  await tx
    .updateTable('notification_limits')
    .set({ hour_began: new Date(began), sent, held, consolidated })
    .where('destination', '=', destination)
    .where('pattern', '=', pattern)
    .execute();
  if (counted.verdict === 'send' || consolidated === null) return undefined;
  return holdOf(consolidated, destination, pattern, began);
}

/** The hold of the message with this id, while its hour has not been followed by another. */
export async function findHold(tx: Tx, consolidated: number): Promise<Hold | undefined> {
  const row = await tx
    .selectFrom('notification_limits')
    .select(['destination', 'pattern', 'hour_began as began'])
    .where('consolidated', '=', consolidated)
    .executeTakeFirst();
  return row && holdOf(consolidated, row.destination, row.pattern, row.began.getTime());
}

function holdOf(consolidated: number, destination: string, pattern: string, began: number): Hold {
  const key = consolidatedKey(destination, pattern, began);
  return { consolidated, key, ends: endOf(began) };
}

function endOf(began: number): Date {
  return new Date(began + hourMs + commitsWithinMs);
}

/** What begins the workflow that tells many messages in the one with this id; undefined where an older worker began it. */
export async function readToldTogether(
  tx: Tx,
  consolidated: number,
): Promise<(ToldTogether & { key: string; pattern: string; ends: string }) | undefined> {
  const row = await tx
    .selectFrom('notifications')
    .select(['key', 'consolidation'])
    .where('id', '=', consolidated)
    .executeTakeFirst();
  return row?.consolidation ? { ...row.consolidation, key: row.key } : undefined;
}

/** The message that stands for the others is in the log before it is sent, so that they can name it. */
async function beginConsolidated(
  tx: Tx,
  message: Pick<
    Parameters<typeof countTowardsLimit>[1],
    'orgId' | 'destination' | 'label' | 'person' | 'channel' | 'pattern' | 'told'
  >,
  { count }: LimitVerdict,
): Promise<number> {
  const { destination, pattern } = message;
  const { id } = await tx
    .insertInto('notifications')
    .values({
      org_id: message.orgId,
      key: consolidatedKey(destination, pattern, count.began),
      type: 'notifications.consolidated',
      channel: message.channel,
      destination: message.label,
      person: message.person,
      subject: `Messages about ${pattern}, told together`,
      status: 'started',
      attempts: 0,
      consolidation: JSON.stringify({ ...message.told, pattern, ends: endOf(count.began).toISOString() }),
    })
    .onConflict((conflict) => conflict.columns(['org_id', 'key']).doUpdateSet({ status: 'started' }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

const consolidatedKey = (destination: string, pattern: string, began: number): string =>
  `consolidated:${destination}:${pattern}:${began}`;

/** Messages `n` of incidents `i` that are of use by now. */
const countDue = sql<number>`count(*) filter (where not coalesce(
  (i.resolved_at is not null and n.type = any(${endWithIncident}))
  or ((i.acknowledged_at is not null or i.snoozed_until is not null or i.silenced_until is not null)
    and n.type = any(${endInHand})), false))::int`;

/**
 * How many messages the one with this id stands for, how many of them are of use by now, about how many incidents, and how
 * many of those are not over; `told`: it was sent.
 */
export async function countHeldBack(
  tx: Tx,
  consolidated: number,
): Promise<{ held: number; due: number; incidents: number; open: number; told: boolean }> {
  return await tx
    .selectFrom('notifications as n')
    .leftJoin('incidents as i', 'i.id', 'n.incident_id')
    .select([
      sql<number>`count(*)::int`.as('held'),
      countDue.as('due'),
      sql<number>`count(distinct n.incident_id)::int`.as('incidents'),
      sql<number>`count(distinct i.id) filter (where i.resolved_at is null)::int`.as('open'),
      sql<boolean>`exists (select from notifications t where t.id = ${consolidated} and t.status = 'sent')`.as(
        'told',
      ),
    ])
    .where('n.consolidated_into', '=', consolidated)
    .executeTakeFirstOrThrow();
}

/** What the message stands for by now; undefined before anything was held. */
export async function readConsolidated(
  tx: Tx,
  { consolidated, pattern, ends }: { consolidated: number; pattern: string; ends: Date },
): Promise<ConsolidatedFacts | undefined> {
  const counted = await tx
    .selectFrom('notifications as n')
    .leftJoin('incidents as i', 'i.id', 'n.incident_id')
    .select([
      sql<number>`count(*)::int`.as('held'),
      countDue.as('due'),
      sql<Date | null>`min(n.created_at)`.as('heldSince'),
      sql<number>`count(distinct n.incident_id)::int`.as('incidentCount'),
    ])
    .where('n.consolidated_into', '=', consolidated)
    .executeTakeFirst();
  if (!counted?.heldSince) return undefined;
  const incidents = await tx
    .selectFrom('incidents')
    .select([
      'number',
      'title',
      'severity',
      'acknowledged_at as acknowledgedAt',
      'acknowledged_by as acknowledgedBy',
      'resolved_at as resolvedAt',
      'opening',
      'recorded_seq as recordedSeq',
    ])
    .where((eb) =>
      eb(
        'id',
        'in',
        eb
          .selectFrom('notifications')
          .select('incident_id')
          .where('consolidated_into', '=', consolidated)
          .where('incident_id', 'is not', null)
          .$castTo<{ incident_id: string }>(),
      ),
    )
    // what still needs somebody first
    .orderBy((eb) => eb('resolved_at', 'is not', null))
    .orderBy((eb) => eb('acknowledged_at', 'is not', null))
    .orderBy('severity_rank')
    .orderBy('number', 'desc')
    .limit(incidentsTold)
    .execute();
  return { ...counted, id: consolidated, heldSince: counted.heldSince, pattern, ends, incidents };
}
