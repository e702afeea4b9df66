import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Database, Tx } from './database.ts';
import { InUseError } from './policies.ts';
import { hashSecret, newSecret } from './secrets.ts';

/** A calendar behind a secret address: of a schedule, or of one person's shifts in all of them. */
export interface CalendarFeed {
  id: string;
  /** Null: of a person. */
  schedule: string | null;
  /** Whose shifts; null: a schedule's. */
  userId: string | null;
  /** Mail address. */
  createdBy: string;
  createdAt: Date;
  revokedAt: Date | null;
}

/** Of one schedule or person at once: more are forgotten ones. */
const mostFeeds = 50;

const columns = [
  'id',
  'schedule',
  'user_id as userId',
  'created_by as createdBy',
  'created_at as createdAt',
  'revoked_at as revokedAt',
] as const;

export type FeedOf = { schedule: string } | { userId: string };

/**
 * The token stands in the answer and nowhere else: only its hash is kept. Throws InUseError where there are too many
 * already.
 */
export async function createCalendarFeed(
  tx: Tx,
  { orgId, of, actor }: { orgId: string; of: FeedOf; actor: string },
): Promise<{ feed: CalendarFeed; token: string }> {
  if ((await listCalendarFeeds(tx, of)).length >= mostFeeds) {
    throw new InUseError(`there are ${mostFeeds} links to this calendar already: revoke some first`);
  }
  const token = newSecret('calendarFeed');
  const feed = await tx
    .insertInto('calendar_feeds')
    .values({
      org_id: orgId,
      token_hash: hashSecret(token),
      ...('schedule' in of ? { schedule: of.schedule } : { user_id: of.userId }),
      created_by: actor,
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
  await audit(tx, { orgId, actor, feed, what: 'created' });
  return { feed, token };
}

/** Those that work, newest first. */
export async function listCalendarFeeds(tx: Tx, of: FeedOf): Promise<CalendarFeed[]> {
  const feeds = tx.selectFrom('calendar_feeds').select(columns).where('revoked_at', 'is', null);
  const chosen =
    'schedule' in of ? feeds.where('schedule', '=', of.schedule) : feeds.where('user_id', '=', of.userId);
  return await chosen.orderBy('created_at', 'desc').limit(200).execute();
}

/** False where there is no such feed that works. */
export async function revokeCalendarFeed(
  tx: Tx,
  { orgId, of, id, actor }: { orgId: string; of: FeedOf; id: string; actor: string },
): Promise<boolean> {
  const feed = (await listCalendarFeeds(tx, of)).find((one) => one.id === id);
  if (!feed) return false;
  await tx.updateTable('calendar_feeds').set({ revoked_at: sql<Date>`now()` }).where('id', '=', id).execute();
  await audit(tx, { orgId, actor, feed, what: 'revoked' });
  return true;
}

/** What the token opens; undefined for one that is unknown or revoked. Works before the organization is known. */
export async function openCalendarFeed(
  db: Pick<Database, 'unscoped'>,
  token: string,
): Promise<{ orgId: string; of: FeedOf } | undefined> {
  if (token.length > 200) return undefined;
  const { rows } = await db.unscoped((tx) =>
    sql<{ org_id: string; schedule: string | null; user_id: string | null }>`
      select org_id, schedule, user_id from find_calendar_feed(${hashSecret(token)})`.execute(tx),
  );
  const [found] = rows;
  if (found?.schedule) return { orgId: found.org_id, of: { schedule: found.schedule } };
  return found?.user_id ? { orgId: found.org_id, of: { userId: found.user_id } } : undefined;
}

async function audit(
  tx: Tx,
  { orgId, actor, feed, what }: { orgId: string; actor: string; feed: CalendarFeed; what: string },
): Promise<void> {
  await recordAudit(tx, {
    orgId,
    actor,
    action: `calendar-feed.${what}`,
    subject: feed.schedule === null ? `user:${feed.userId}` : `on-call-schedule:${feed.schedule}`,
    data: { id: feed.id },
  });
}
