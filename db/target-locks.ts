import { sql } from 'kysely';
import { admit } from '../domain/safety/admit.ts';
import type { Refusal } from '../domain/safety/refusal.ts';
import { readSafetySnapshot } from './admission.ts';
import type { Tx } from './database.ts';

/**
 * `heldBy`: the execution that works on the target, or that comes first for it; `ahead`: how many of those who wait
 * come before this one, without the one in `heldBy`.
 */
export type TargetLock =
  | { acquired: true }
  | { acquired: false; heldBy: string; ahead: number }
  | { refused: Refusal };

/**
 * Who changes what the safety rules count takes turns in its organization: no two see the same room under a limit,
 * and a kill switch that was pressed holds for whoever comes after.
 */
export async function takeTurnInOrganization(tx: Tx, orgId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`safety:${orgId}`}, 0))`.execute(tx);
}

/**
 * One execution per target at a time, in the order in which they asked first. Once it is an execution's turn the
 * safety rules are asked again, and that it may act is written down with the lock: a refused one leaves the queue.
 * Asking again while holding it is fine. One that has ended holds nobody up.
 */
export async function lockTarget(
  tx: Tx,
  { orgId, executionId }: { orgId: string; executionId: string },
): Promise<TargetLock> {
  await takeTurnInOrganization(tx, orgId);
  const { target, admittedAt, finishedAt } = await tx
    .selectFrom('executions')
    .select(['target', 'admitted_at as admittedAt', 'finished_at as finishedAt'])
    .where('id', '=', executionId)
    .executeTakeFirstOrThrow();
  if (finishedAt) throw new Error(`execution ${executionId} has ended: it takes no target any more`);
  await tx
    .insertInto('target_queue')
    .values({ org_id: orgId, target, execution_id: executionId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await forgetEnded(tx, target);
  const holder = await holderOf(tx, target);
  if (holder === executionId) {
    await leaveQueue(tx, executionId);
    return { acquired: true };
  }
  const { first, place } = await placeOf(tx, target, executionId);
  if (holder !== null) return { acquired: false, heldBy: holder, ahead: place };
  if (place > 0) return { acquired: false, heldBy: first, ahead: place - 1 };
  await leaveQueue(tx, executionId);
  if (admittedAt === null) {
    const { snapshot, now } = await readSafetySnapshot(tx, executionId);
    const refused = admit(snapshot, now);
    if (refused) return { refused };
  }
  await tx.insertInto('target_locks').values({ org_id: orgId, target, execution_id: executionId }).execute();
  await sql`
    update executions set admitted_at = coalesce(admitted_at, clock_timestamp()) where id = ${executionId}`.execute(
    tx,
  );
  return { acquired: true };
}

/** Gives the target free and leaves its queue. `next`: the execution whose turn it is now. */
export async function releaseTarget(
  tx: Tx,
  { orgId, executionId }: { orgId: string; executionId: string },
): Promise<{ next: string | null }> {
  await takeTurnInOrganization(tx, orgId);
  const { target } = await tx
    .selectFrom('executions')
    .select('target')
    .where('id', '=', executionId)
    .executeTakeFirstOrThrow();
  await tx.deleteFrom('target_locks').where('execution_id', '=', executionId).execute();
  await leaveQueue(tx, executionId);
  await forgetEnded(tx, target);
  if ((await holderOf(tx, target)) !== null) return { next: null };
  const next = await tx
    .selectFrom('target_queue')
    .select('execution_id')
    .where('target', '=', target)
    .orderBy('queued_at')
    .orderBy('execution_id')
    .limit(1)
    .executeTakeFirst();
  return { next: next?.execution_id ?? null };
}

/** What was left behind by executions that ended without giving it back. */
async function forgetEnded(tx: Tx, target: string): Promise<void> {
  await sql`
    with ended as (
      delete from target_queue q using executions e
      where q.target = ${target} and e.id = q.execution_id and e.finished_at is not null
    )
    delete from target_locks l using executions e
    where l.target = ${target} and e.id = l.execution_id and e.finished_at is not null`.execute(tx);
}

async function holderOf(tx: Tx, target: string): Promise<string | null> {
  const lock = await tx
    .selectFrom('target_locks')
    .select('execution_id')
    .where('target', '=', target)
    .executeTakeFirst();
  return lock?.execution_id ?? null;
}

/** `place`: how many come before it. */
async function placeOf(
  tx: Tx,
  target: string,
  executionId: string,
): Promise<{ first: string; place: number }> {
  const queue = await tx
    .selectFrom('target_queue')
    .select('execution_id')
    .where('target', '=', target)
    .orderBy('queued_at')
    .orderBy('execution_id')
    .execute();
  const place = queue.findIndex((entry) => entry.execution_id === executionId);
  return { first: queue[0]?.execution_id ?? executionId, place };
}

async function leaveQueue(tx: Tx, executionId: string): Promise<void> {
  await tx.deleteFrom('target_queue').where('execution_id', '=', executionId).execute();
}

export interface LockedTarget {
  target: string;
  /** Null: free, and the first of the queue is about to take it. */
  holder: TargetClaim | null;
  /** In the order in which they get it. */
  queue: TargetClaim[];
}

export interface TargetClaim {
  executionId: string;
  /** Null: it belongs to a team that the reader does not see into. */
  runbook: string | null;
  requestedBy: string | null;
  /** Holds it, or waits, since then. */
  since: Date;
}

/** Every target that an execution which the reader sees holds or waits for, by name. */
export async function listTargets(tx: Tx): Promise<LockedTarget[]> {
  const { rows } = await sql<{
    target: string;
    holds: boolean;
    execution_id: string;
    runbook: string | null;
    requested_by: string | null;
    since: Date;
  }>`
    select c.target, c.holds, c.execution_id, e.runbook, e.requested_by, c.since
    from (
      select target, true as holds, execution_id, acquired_at as since from target_locks
      union all
      select target, false, execution_id, queued_at from target_queue
    ) c left join executions e on e.id = c.execution_id
    where e.finished_at is null
    order by c.target, c.holds desc, c.since, c.execution_id`.execute(tx);
  const targets = new Map<string, LockedTarget>();
  for (const row of rows) {
    const target = targets.get(row.target) ?? { target: row.target, holder: null, queue: [] };
    const claim = {
      executionId: row.execution_id,
      runbook: row.runbook,
      requestedBy: row.requested_by,
      since: row.since,
    };
    if (row.holds) target.holder = claim;
    else target.queue.push(claim);
    targets.set(row.target, target);
  }
  return [...targets.values()].filter(({ holder, queue }) =>
    [holder, ...queue].some((claim) => claim !== null && claim.runbook !== null),
  );
}
