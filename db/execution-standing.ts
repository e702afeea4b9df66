import { sql } from 'kysely';
import type { Tx } from './database.ts';

/** What an execution waits for just now that its own rows do not tell. */
export interface ExecutionStanding {
  /** It waits for its target, which another execution holds. */
  queue: TargetQueue | null;
  /** Its step (or undo) was given to a runner that has not begun it. */
  runner: RunnerStanding | null;
  /** The next running timer, and what happens at its end. */
  next: { at: Date; what: string } | null;
}

export interface TargetQueue {
  /** Null: it was given free just now. */
  holder: { id: string; runbook: string } | null;
  /** 1: next. */
  place: number;
}

export interface RunnerStanding {
  index: number;
  queue: string;
  /** Of the runner that was seen last; null: none has ever been seen. */
  lastSeenAt: Date | null;
}

/** What is looked at of a step. */
interface StandingStep {
  index: number;
  status: string;
  attempts: number;
  runner: string | null;
  rollback: { status: string | null; attempts: number; runner: string | null } | null;
}

export async function executionStanding(
  tx: Tx,
  execution: {
    id: string;
    finishedAt: Date | null;
    steps: readonly StandingStep[];
    next: ExecutionStanding['next'];
  },
): Promise<ExecutionStanding> {
  if (execution.finishedAt) return { queue: null, runner: null, next: null };
  const { id, next } = execution;
  const at = attemptOf(execution.steps);
  const attempt = at?.runner
    ? await lastAttempt(tx, `execution:${id}:${at.phase}:${at.index}:${at.attempt}`)
    : null;
  // a failed attempt is the last one until its retry is due
  const taken = attempt?.status === 'started' || (attempt && next && next.at > new Date());
  return {
    queue: await queueOf(tx, id),
    runner: at?.runner && !taken ? await runnerOf(tx, at.index, at.runner) : null,
    next,
  };
}

/** The attempt that is on its way, as its key in the ledger names it. */
function attemptOf(steps: readonly StandingStep[]) {
  const undoing = steps.findLast((step) => step.rollback?.status === 'running');
  if (undoing?.rollback) {
    const { attempts, runner } = undoing.rollback;
    return { phase: 'undo', index: undoing.index, attempt: Math.max(1, attempts), runner };
  }
  const running = steps.find((step) => step.status === 'running');
  if (!running) return null;
  const { index, attempts, runner } = running;
  return { phase: 'step', index, attempt: Math.max(1, attempts), runner };
}

async function lastAttempt(tx: Tx, key: string) {
  return await tx.selectFrom('side_effects').select('status').where('key', '=', key).executeTakeFirst();
}

async function runnerOf(tx: Tx, index: number, queue: string): Promise<RunnerStanding> {
  const { lastSeenAt } = await tx
    .selectFrom('runners')
    .select((eb) => eb.fn.max('last_seen_at').as('lastSeenAt'))
    .where('queue', '=', queue)
    .executeTakeFirstOrThrow();
  return { index, queue, lastSeenAt };
}

async function queueOf(tx: Tx, id: string): Promise<TargetQueue | null> {
  const { rows } = await sql<{ place: number; holder: string | null; runbook: string | null }>`
    select holder.id as holder, holder.runbook, (
        select count(*) from target_queue ahead
        where ahead.org_id = mine.org_id and ahead.target = mine.target
          and (ahead.queued_at, ahead.execution_id) <= (mine.queued_at, mine.execution_id)
      )::integer as place
    from target_queue mine
    left join target_locks l on l.org_id = mine.org_id and l.target = mine.target
    left join executions holder on holder.id = l.execution_id and holder.finished_at is null
    where mine.execution_id = ${id} and l.execution_id is distinct from mine.execution_id
    limit 1`.execute(tx);
  const [row] = rows;
  if (!row) return null;
  return {
    place: row.place,
    holder: row.holder !== null && row.runbook !== null ? { id: row.holder, runbook: row.runbook } : null,
  };
}
