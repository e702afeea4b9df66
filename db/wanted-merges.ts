import { sql } from 'kysely';
import type { Tx } from './database.ts';

/**
 * An alert of `joined` has shown that the `others` are the same outage. All become one with that which was opened
 * first, for that is the one that people may be at work in. The workflow of each other one does it, and hears of it
 * through its feed, which the dispatcher's sweep tells it of; one that is to be merged already goes where it was to go.
 */
export async function wantMerges(
  tx: Tx,
  joined: { id: string; number: number },
  others: { incidentId: string; number: number; reason: string }[],
): Promise<void> {
  const [first] = others;
  if (!first) return;
  const all = [
    { ...joined, reason: first.reason },
    ...others.map(({ incidentId, number, reason }) => ({ id: incidentId, number, reason })),
  ].sort((a, b) => a.number - b.number);
  const [oldest, ...younger] = all;
  if (!oldest) return;
  const reasons = younger.map(({ reason }) => `one outage with #${oldest.number}: ${reason}`);
  await sql`
    with wanted as materialized (
      select i.id, w.reason
      from unnest(${younger.map(({ id }) => id)}::uuid[], ${reasons}::text[]) as w(id, reason)
      join incidents i on i.id = w.id
      where i.closed_at is null and i.merged_into is null and i.merge_wanted is null
        and i.status <> 'false_positive'
      order by i.id for no key update of i
    )
    update incidents i set merge_wanted = ${oldest.id}, merge_reason = wanted.reason,
      feed_owed_by = case when i.feed_unread then i.feed_owed_by end,
      feed_owed_since = case when i.feed_unread then i.feed_owed_since else now() end,
      feed_unread = true
    from wanted where i.id = wanted.id`.execute(tx);
}
