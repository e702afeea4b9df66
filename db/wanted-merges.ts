import { sql } from 'kysely';
import { findApart } from './apart-incidents.ts';
import type { Tx } from './database.ts';

/**
 * Locks incidents of which one is about to be joined and the others to be merged with it. By id, as everything does
 * that locks several: of two alerts that join one each and show the same outage, neither waits for the other's.
 */
export async function holdIncidents(tx: Tx, ids: string[]): Promise<void> {
  await sql`select 1 from incidents where id = any(${ids}::uuid[]) order by id for no key update`.execute(tx);
}

interface Mergeable {
  id: string;
  number: number;
  acknowledged: boolean;
  resolved: boolean;
}

/**
 * An alert of `joined` has shown that the `others` are the same outage. All become one with that which somebody has
 * acknowledged, else with that which was opened first, for that is the one that people may be at work in; never with
 * one that is over, which would page everybody anew, nor with one from which people split an alert. The workflow of
 * each other one does it, and hears of it through its feed, which the dispatcher's sweep tells it of; one that is to
 * be merged already goes where it was to go, unless that has ended. Their rows are held by then (holdIncidents).
 */
export async function wantMerges(
  tx: Tx,
  joined: { id: string; number: number },
  others: { incidentId: string; number: number; reason: string }[],
): Promise<void> {
  const [first] = others;
  if (!first) return;
  const reasonOf = new Map(others.map(({ incidentId, reason }) => [incidentId, reason]));
  const { rows } = await sql<Mergeable>`
    select id, number, acknowledged_at is not null as acknowledged, resolved_at is not null as resolved
    from incidents
    where id = any(${[joined.id, ...reasonOf.keys()]}::uuid[])
      and closed_at is null and merged_into is null and status <> 'false_positive'
    order by id for no key update`.execute(tx);
  const [target] = rows
    .filter(({ resolved }) => !resolved)
    .sort((a, b) => Number(b.acknowledged) - Number(a.acknowledged) || a.number - b.number);
  if (!target) return;
  // the joined one may have been over: it is open again now
  const going = rows.filter(({ id, resolved }) => id !== target.id && (!resolved || id === joined.id));
  const apart = await findApart(
    tx,
    target.id,
    going.map(({ id }) => id),
  );
  const merging = going.filter(({ id }) => !apart.includes(id));
  if (merging.length === 0) return;
  const reasons = merging.map(({ id }) => {
    const reason = reasonOf.get(id) ?? reasonOf.get(target.id) ?? first.reason;
    return `one outage with #${target.number}: ${reason}`;
  });
  await sql`
    update incidents i set merge_wanted = ${target.id}, merge_reason = wanted.reason,
      feed_owed_by = case when i.feed_unread then i.feed_owed_by end,
      feed_owed_since = case when i.feed_unread then i.feed_owed_since else now() end,
      feed_unread = true
    from unnest(${merging.map(({ id }) => id)}::uuid[], ${reasons}::text[]) as wanted(id, reason)
    where i.id = wanted.id and (i.merge_wanted is null or exists (
      select 1 from incidents ended
      where ended.id = i.merge_wanted and ended.closed_at is not null and ended.merged_into is null))`.execute(
    tx,
  );
}

/** It was refused: what shows this incident to be one outage with another is heard again. */
export async function dropWantedMerge(
  tx: Tx,
  { incidentId, into }: { incidentId: string; into: number },
): Promise<void> {
  await sql`
    update incidents set merge_wanted = null, merge_reason = null
    where id = ${incidentId} and merge_wanted in (select id from incidents where number = ${into})`.execute(
    tx,
  );
}
