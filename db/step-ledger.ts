import { sql } from 'kysely';
import { type PlacedStep, runsOn } from '../domain/runbook/attempt-view.ts';
import type { RunbookLayout } from '../domain/runbook/layout.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** Steps and their undos share the table of side effects: 'started' stands there before anything is done. */
export type StepPhase = 'step' | 'undo';

/** One attempt of a step or of its undo. */
export interface AttemptPlace {
  executionId: string;
  /** Position in the layout's steps, from 0. */
  index: number;
  phase: StepPhase;
  /** From 1. */
  attempt: number;
}

/** Under which the attempt stands in the table of side effects. */
export function attemptKey({ executionId, phase, index, attempt }: AttemptPlace): string {
  return `execution:${executionId}:${phase}:${index}:${attempt}`;
}

/** What one step needs to know, wherever it is carried out. */
export interface StepPlan extends PlacedStep {
  layout: RunbookLayout;
  /** Whether the execution has ended. */
  finished: boolean;
}

export interface StepAttempt {
  key: string;
  index: number;
  phase: StepPhase;
  status: 'started' | 'succeeded' | 'failed';
  detail: StepAttemptDetail;
}

export interface StepAttemptDetail {
  executionId: string;
  index: number;
  phase: StepPhase;
  error?: string;
  /** Its process went away before it could say how it ended. */
  outcomeUnknown?: true;
  /** The process that carries it out. */
  carrier?: ProcessIdentity;
  /** What process-group.ts needs to know it again. */
  group?: { pgid: number; startedAt: string; machine: string; sudo: boolean };
}

/** What process-group.ts needs to know a process again. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
  machine: string;
}

/** Undefined when there is no such execution or it has no such step. */
export async function loadStepPlan(
  tx: Tx,
  args: { executionId: string; index: number },
): Promise<StepPlan | undefined> {
  const row = await tx
    .selectFrom('executions')
    .select(['layout', 'finished_at'])
    .where('id', '=', args.executionId)
    .executeTakeFirst();
  const layout = row?.layout;
  const step = layout?.steps[args.index];
  const scope = step && layout?.scopes[step.scope];
  if (!layout || !step || !scope) return undefined;
  return { step, scope, layout, finished: row.finished_at !== null };
}

/** What the ledger knows before an attempt begins. */
export interface AttemptPast {
  /** This very attempt, if it was begun before. */
  own?: StepAttempt | undefined;
  /** Every attempt of the execution without an end. */
  open: StepAttempt[];
  /** Of an undo: the attempts of its step that ended. They may have left processes in the background. */
  before: StepAttempt[];
  /** What earlier attempts of it have said. */
  said: string;
}

/** All that an attempt has to know before it begins. Undefined when there is no such step. */
export async function loadAttempt(
  tx: Tx,
  place: AttemptPlace,
): Promise<(StepPlan & AttemptPast) | undefined> {
  const plan = await loadStepPlan(tx, place);
  if (!plan) return undefined;
  const past = await findAttempts(tx, place);
  return { ...plan, ...past, said: await loadStepOutput(tx, place) };
}

/** A step has 100 retries at most. */
const mostAttempts = 101;

async function findAttempts(tx: Tx, place: AttemptPlace): Promise<Omit<AttemptPast, 'said'>> {
  const own = attemptKey(place);
  // a step that a retry has taken over ran in the execution before, or in the one before that
  const { rows } = await sql<{ key: string; status: StepAttempt['status']; detail: StepAttemptDetail }>`
    with recursive chain (id, retry_of) as (
      select id, retry_of from executions where id = ${place.executionId}
      union all
      select e.id, e.retry_of from executions e join chain on e.id = chain.retry_of
    )
    select key, status, detail, started_at from side_effects where key = ${own}
    union
    select key, status, detail, started_at from side_effects
    where kind = 'step' and status = 'started' and detail->>'executionId' = ${place.executionId}
    union
    select key, status, detail, started_at from side_effects
    where ${place.phase === 'undo'} and key in (
      select format('execution:%s:step:%s:%s', chain.id, ${place.index}::int, attempt)
      from chain, generate_series(1, ${mostAttempts}) attempt)
    order by started_at`.execute(tx);
  const attempts = rows.map((row) => ({ ...row, index: row.detail.index, phase: row.detail.phase }));
  return {
    own: attempts.find(({ key }) => key === own),
    open: attempts.filter(({ status }) => status === 'started'),
    before: attempts.filter(({ key, status }) => status !== 'started' && key !== own),
  };
}

/**
 * Closes what nobody will finish any more, and opens the attempt under `key`. False when that attempt has been closed
 * before, since another one has taken its place; and when it was held up for so long that it counts as lost and the
 * execution has gone on without it: a step must not begin behind its undo. Nor does an undo begin beside a step that
 * has begun since the undo looked: the next attempt of the undo sees that one and ends it.
 */
export async function beginAttempt(
  tx: Tx,
  place: AttemptPlace,
  args: { orgId: string; carrier?: ProcessIdentity | undefined; abandoned: readonly string[] },
): Promise<boolean> {
  const key = attemptKey(place);
  const { executionId, index, phase } = place;
  if (await isOvertaken(tx, place, args.abandoned)) return false;
  await abandonAttempts(tx, { executionId, keys: args.abandoned.filter((other) => other !== key) });
  const detail: StepAttemptDetail = {
    executionId,
    index,
    phase,
    ...(args.carrier ? { carrier: args.carrier } : {}),
  };
  const opened = await tx
    .insertInto('side_effects')
    .values({
      org_id: args.orgId,
      key,
      kind: 'step',
      status: 'started',
      detail: JSON.stringify(detail),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'key'])
        .doUpdateSet({
          attempts: sql`side_effects.attempts + 1`,
          started_at: sql`now()`,
          detail: JSON.stringify(detail),
        })
        .where('side_effects.status', '=', 'started'),
    )
    .returning('key')
    .executeTakeFirst();
  return opened !== undefined;
}

/** The execution's row is held, so that of a step and an undo which begin at once the second sees the first. */
async function isOvertaken(tx: Tx, place: AttemptPlace, abandoned: readonly string[]): Promise<boolean> {
  const { executionId, phase } = place;
  const { rows } = await sql<{ over: boolean }>`
    select finished_at is not null or exists (
      select from side_effects s where s.org_id = e.org_id and s.key in (
        select format('execution:%s:undo:%s:1', e.id, i)
        from generate_series(0, jsonb_array_length(e.layout->'steps') - 1) i)) as over
    from executions e where id = ${executionId} for update of e`.execute(tx);
  if (phase === 'step') return rows[0]?.over === true;
  const open = await openAttempts(tx, executionId);
  return open.some((key) => key !== attemptKey(place) && !abandoned.includes(key));
}

async function openAttempts(tx: Tx, executionId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('side_effects')
    .select('key')
    .where('kind', '=', 'step')
    .where('status', '=', 'started')
    .where(sql<string>`detail->>'executionId'`, '=', executionId)
    .execute();
  return rows.map(({ key }) => key);
}

/**
 * Which of the attempts under `keys` a runner of this queue may not close: they are open and run elsewhere, and the
 * execution's workflow, which alone hears their heartbeats, has not written down that it is done with them.
 */
export async function attemptsOfOthers(
  tx: Tx,
  { executionId }: AttemptPlace,
  { queue, layout, keys }: { queue: string; layout: RunbookLayout; keys: readonly string[] },
): Promise<string[]> {
  if (keys.length === 0) return [];
  const { rows } = await sql<{ key: string; index: number; phase: StepPhase; over: boolean | null }>`
    select a.key, (a.detail->>'index')::int as index, a.detail->>'phase' as phase,
      case a.detail->>'phase'
        when 'step' then s.status not in ('pending', 'running')
        else s.rollback_status not in ('registered', 'running')
      end as over
    from side_effects a
    left join execution_steps s
      on s.execution_id = ${executionId} and s.index = (a.detail->>'index')::int
    where a.kind = 'step' and a.status = 'started' and a.detail->>'executionId' = ${executionId}
      and a.key = any(${keys})`.execute(tx);
  return rows.flatMap(({ key, index, phase, over }) => {
    const step = layout.steps[index];
    return over || (step && runsOn(queue, { step }, phase)) ? [] : [key];
  });
}

/** Whether the execution's workflow has written down that it has the step undone. */
export async function isBeingUndone(tx: Tx, { executionId, index }: AttemptPlace): Promise<boolean> {
  const row = await tx
    .selectFrom('execution_steps')
    .select('rollback_status')
    .where('execution_id', '=', executionId)
    .where('index', '=', index)
    .executeTakeFirst();
  return row?.rollback_status === 'running';
}

/** Of an execution that has ended, nothing may go on: what still runs sees that it was replaced, and is ended. */
export async function abandonAllAttempts(tx: Tx, executionId: string): Promise<void> {
  await abandonAttempts(tx, { executionId, keys: await openAttempts(tx, executionId) });
}

/** Counts attempts of the execution without an end as failed: their outcome is unknown. */
export async function abandonAttempts(
  tx: Tx,
  { executionId, keys }: { executionId: string; keys: readonly string[] },
): Promise<void> {
  if (keys.length === 0) return;
  await tx
    .updateTable('side_effects')
    .set({
      status: 'failed',
      finished_at: sql`now()`,
      detail: sql`detail || '{"error": "its outcome is unknown", "outcomeUnknown": true}'::jsonb`,
    })
    .where('key', 'in', [...keys])
    .where(sql<string>`detail->>'executionId'`, '=', executionId)
    .where('status', '=', 'started')
    .execute();
}

/** Adds to what is known of an attempt. False: it is no longer open, another attempt has taken its place. */
export async function noteAttempt(
  tx: Tx,
  place: AttemptPlace,
  detail: Pick<StepAttemptDetail, 'group'>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('side_effects')
    .set({ detail: sql`detail || ${JSON.stringify(detail)}::jsonb` })
    .where('key', '=', attemptKey(place))
    .where('status', '=', 'started')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Writes what the attempt has said so far. False: it is no longer open, and nothing was written. */
export async function reportAttempt(
  tx: Tx,
  place: AttemptPlace,
  output: string | undefined,
): Promise<boolean> {
  const open = await isAttemptOpen(tx, attemptKey(place));
  if (open && output !== undefined) await saveStepOutput(tx, place, output);
  return open;
}

/** Writes how the attempt ended and all that it said, unless another one has taken its place. */
export async function endAttempt(
  tx: Tx,
  place: AttemptPlace,
  args: { ok: boolean; error?: string | undefined; output: string },
): Promise<void> {
  const key = attemptKey(place);
  if (!(await isAttemptOpen(tx, key))) return;
  await saveStepOutput(tx, place, args.output);
  const detail = args.error === undefined ? {} : { error: storable(args.error) };
  await tx
    .updateTable('side_effects')
    .set({
      status: args.ok ? 'succeeded' : 'failed',
      finished_at: sql`now()`,
      detail: sql`detail || ${JSON.stringify(detail)}::jsonb`,
    })
    .where('key', '=', key)
    .where('status', '=', 'started')
    .execute();
}

async function isAttemptOpen(tx: Tx, key: string): Promise<boolean> {
  const row = await tx.selectFrom('side_effects').select('status').where('key', '=', key).executeTakeFirst();
  return row?.status === 'started';
}

async function saveStepOutput(
  tx: Tx,
  { executionId, index, phase }: AttemptPlace,
  said: string,
): Promise<void> {
  const output = storable(said);
  await tx
    .updateTable('execution_steps')
    .set(phase === 'step' ? { output } : { rollback_output: output })
    .where('execution_id', '=', executionId)
    .where('index', '=', index)
    .execute();
}

/** What earlier attempts said, for the next one to go on from. */
async function loadStepOutput(
  tx: Tx,
  args: { executionId: string; index: number; phase: StepPhase },
): Promise<string> {
  const row = await tx
    .selectFrom('execution_steps')
    .select(['output', 'rollback_output'])
    .where('execution_id', '=', args.executionId)
    .where('index', '=', args.index)
    .executeTakeFirst();
  return (args.phase === 'step' ? row?.output : row?.rollback_output) ?? '';
}
