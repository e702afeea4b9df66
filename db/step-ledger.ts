import { sql } from 'kysely';
import type { RunbookDefinition } from '../domain/runbook/definition.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** Steps and their undos share the table of side effects: 'started' stands there before anything is done. */
export type StepPhase = 'step' | 'undo';

export interface StepPlan {
  definition: RunbookDefinition;
  inputs: Record<string, string>;
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
  /** What process-group.ts needs to know it again. */
  group?: { pgid: number; startedAt: string; machine: string; sudo: boolean };
}

/** The pinned version of the execution's runbook and its values. Undefined when there is no such execution. */
export async function loadStepPlan(tx: Tx, executionId: string): Promise<StepPlan | undefined> {
  const row = await tx
    .selectFrom('executions as e')
    .innerJoin('runbook_versions as v', (join) =>
      join
        .onRef('v.org_id', '=', 'e.org_id')
        .onRef('v.name', '=', 'e.runbook')
        .onRef('v.version', '=', 'e.runbook_version'),
    )
    .select(['v.definition', 'e.inputs'])
    .where('e.id', '=', executionId)
    .executeTakeFirst();
  // written by saveRunbook from a validated definition
  return row && { definition: row.definition as unknown as RunbookDefinition, inputs: row.inputs };
}

/** The attempt under `key`, if it was begun before, and every attempt of the execution that has no end. */
export async function findAttempts(
  tx: Tx,
  args: { executionId: string; key: string },
): Promise<{ own: StepAttempt | undefined; open: StepAttempt[] }> {
  const rows = await tx
    .selectFrom('side_effects')
    .select(['key', 'status', 'detail'])
    .where((where) =>
      where.or([
        where('key', '=', args.key),
        where.and([
          where('kind', '=', 'step'),
          where('status', '=', 'started'),
          where(sql<string>`detail->>'executionId'`, '=', args.executionId),
        ]),
      ]),
    )
    .execute();
  const attempts = rows.map(({ key, status, detail }) => {
    const known = detail as unknown as StepAttemptDetail;
    return { key, status, index: known.index, phase: known.phase, detail: known };
  });
  return {
    own: attempts.find(({ key }) => key === args.key),
    open: attempts.filter(({ status }) => status === 'started'),
  };
}

/** Closes what nobody will finish any more, and opens the attempt under `key`. */
export async function beginAttempt(
  tx: Tx,
  args: { orgId: string; key: string; detail: StepAttemptDetail; abandoned: readonly string[] },
): Promise<void> {
  await abandonAttempts(tx, args.abandoned);
  await tx
    .insertInto('side_effects')
    .values({
      org_id: args.orgId,
      key: args.key,
      kind: 'step',
      status: 'started',
      detail: JSON.stringify(args.detail),
    })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'key']).doUpdateSet({
        status: 'started',
        attempts: sql`side_effects.attempts + 1`,
        started_at: sql`now()`,
        finished_at: null,
        detail: JSON.stringify(args.detail),
      }),
    )
    .execute();
}

/** Counts attempts without an end as failed: their outcome is unknown and nothing of them is left. */
export async function abandonAttempts(tx: Tx, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx
    .updateTable('side_effects')
    .set({
      status: 'failed',
      finished_at: sql`now()`,
      detail: sql`detail || '{"error": "its outcome is unknown"}'::jsonb`,
    })
    .where('key', 'in', [...keys])
    .where('status', '=', 'started')
    .execute();
}

/** Adds to what is known of an attempt. False: it is no longer open, another attempt has taken its place. */
export async function noteAttempt(
  tx: Tx,
  args: { key: string; detail: Partial<StepAttemptDetail> },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('side_effects')
    .set({ detail: sql`detail || ${JSON.stringify(args.detail)}::jsonb` })
    .where('key', '=', args.key)
    .where('status', '=', 'started')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function isAttemptOpen(tx: Tx, key: string): Promise<boolean> {
  const row = await tx.selectFrom('side_effects').select('status').where('key', '=', key).executeTakeFirst();
  return row?.status === 'started';
}

export async function endAttempt(
  tx: Tx,
  args: { key: string; ok: boolean; error?: string | undefined },
): Promise<void> {
  const detail = args.error === undefined ? {} : { error: storable(args.error) };
  await tx
    .updateTable('side_effects')
    .set({
      status: args.ok ? 'succeeded' : 'failed',
      finished_at: sql`now()`,
      detail: sql`detail || ${JSON.stringify(detail)}::jsonb`,
    })
    .where('key', '=', args.key)
    .where('status', '=', 'started')
    .execute();
}

export async function saveStepOutput(
  tx: Tx,
  args: { executionId: string; index: number; phase: StepPhase; output: string },
): Promise<void> {
  await tx
    .updateTable('execution_steps')
    .set(args.phase === 'step' ? { output: args.output } : { rollback_output: args.output })
    .where('execution_id', '=', args.executionId)
    .where('index', '=', args.index)
    .execute();
}

/** What earlier attempts said, for the next one to go on from. */
export async function loadStepOutput(
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
