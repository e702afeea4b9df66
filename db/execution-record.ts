import { sql } from 'kysely';
import type { ExecutionState } from '../domain/execution/state.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** What an execution's workflow makes readable. Only the output columns of steps are written by the steps. */
export interface ExecutionRecord {
  orgId: string;
  executionId: string;
  seq: number;
  workflowId: string;
  approvalId: string | null;
  approvalsNeeded: number;
  runbook: string;
  requestedBy: string;
  incidentId: string | null;
  standing: Pick<ExecutionState, 'status' | 'reason' | 'startedAt' | 'finishedAt' | 'approval' | 'steps'>;
  entries: ExecutionState['outbox'];
  /** Gives the target free. */
  release: boolean;
}

/** Idempotent: an older record never overwrites a newer one, entries go by their number. */
export async function recordExecution(tx: Tx, given: ExecutionRecord): Promise<void> {
  const record = storable(given);
  const { standing } = record;
  const { numUpdatedRows } = await tx
    .updateTable('executions')
    .set({
      status: standing.status,
      status_reason: standing.reason,
      started_at: toDate(standing.startedAt),
      finished_at: toDate(standing.finishedAt),
      recorded_seq: record.seq,
    })
    .where('id', '=', record.executionId)
    .where('recorded_seq', '<=', record.seq)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) {
    await recordSteps(tx, record);
    await recordApproval(tx, record);
  }
  await recordEntries(tx, record);
  if (record.release)
    await tx.deleteFrom('target_locks').where('execution_id', '=', record.executionId).execute();
}

async function recordSteps(tx: Tx, record: ExecutionRecord): Promise<void> {
  if (record.standing.steps.length === 0) return;
  const steps = record.standing.steps.map((step, index) => ({ index, ...step }));
  await sql`
    update execution_steps s set
      status = x.status, attempts = x.attempts, error = x.error,
      started_at = to_timestamp(x."startedAt" / 1000), finished_at = to_timestamp(x."finishedAt" / 1000),
      rollback_status = x.undo->>'status',
      rollback_attempts = coalesce((x.undo->>'attempts')::integer, 0),
      rollback_started_at = to_timestamp((x.undo->>'startedAt')::double precision / 1000),
      rollback_finished_at = to_timestamp((x.undo->>'finishedAt')::double precision / 1000),
      rollback_error = x.undo->>'error'
    from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb)
      as x(index integer, status text, attempts integer, error text, "startedAt" double precision,
        "finishedAt" double precision, undo jsonb)
    where s.execution_id = ${record.executionId} and s.index = x.index`.execute(tx);
}

async function recordApproval(tx: Tx, record: ExecutionRecord): Promise<void> {
  const { approval } = record.standing;
  if (!approval || !record.approvalId) return;
  await sql`
    insert into approvals (org_id, id, team_id, execution_id, incident_id, runbook, requested_by, requested_at,
      expires_at, required, status, decided_at, reason, workflow_id)
    select org_id, ${record.approvalId}, team_id, id, incident_id, runbook, requested_by,
      to_timestamp(${approval.requestedAt}::double precision / 1000), to_timestamp(${approval.expiresAt}::double precision / 1000),
      ${record.approvalsNeeded}, ${approval.status}, to_timestamp(${approval.decidedAt}::double precision / 1000),
      ${approval.reason}, workflow_id
    from executions where id = ${record.executionId}
    on conflict (id) do update set
      status = excluded.status, decided_at = excluded.decided_at, reason = excluded.reason`.execute(tx);
  if (approval.votes.length === 0) return;
  await tx
    .insertInto('approval_votes')
    .values(
      approval.votes.map((vote) => ({
        org_id: record.orgId,
        approval_id: record.approvalId ?? '',
        person: vote.person,
        decision: vote.decision,
        via: vote.via,
        reason: vote.reason,
        at: new Date(vote.at),
      })),
    )
    .onConflict((conflict) => conflict.columns(['approval_id', 'person']).doNothing())
    .execute();
}

/** The execution's lines stand in its incident's story too; audit entries are written with or without one. */
async function recordEntries(tx: Tx, record: ExecutionRecord): Promise<void> {
  if (record.entries.length === 0) return;
  const key = `execution:${record.executionId}:`;
  const entries = JSON.stringify(record.entries);
  if (record.incidentId) {
    await sql`
      insert into timeline (org_id, incident_id, at, kind, actor, summary, data, dedup_key)
      select ${record.orgId}, ${record.incidentId}, to_timestamp(at / 1000), kind, actor, summary,
        jsonb_build_object('runbook', ${record.runbook}::text, 'executionId', ${record.executionId}::text), ${key} || seq
      from jsonb_to_recordset(${entries}::jsonb) as x(seq integer, at double precision, kind text, actor text, summary text)
      order by seq
      on conflict (incident_id, dedup_key) do nothing`.execute(tx);
  }
  await sql`
    with acted as (
      select * from jsonb_to_recordset(${entries}::jsonb)
        as x(seq integer, at double precision, kind text, actor text, summary text, audit text)
      where audit is not null
    ), fresh as (
      insert into side_effects (org_id, key, kind, status, finished_at)
      select ${record.orgId}, ${`${key}audit:`} || seq, 'audit', 'succeeded', now() from acted
      on conflict (org_id, key) do nothing
      returning key
    )
    insert into audit_log (org_id, at, actor, action, subject, data)
    select ${record.orgId}, to_timestamp(a.at / 1000), a.actor, a.audit, ${`execution:${record.executionId}`},
      jsonb_build_object('runbook', ${record.runbook}::text, 'summary', a.summary)
    from acted a join fresh f on f.key = ${`${key}audit:`} || a.seq`.execute(tx);
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
