import { sql } from 'kysely';
import type { ExecutionDeadline } from '../domain/execution/next-deadline.ts';
import type { ExecutionState } from '../domain/execution/state.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** What an execution's workflow makes readable. Only the output columns of steps are written by the steps. */
export interface ExecutionRecord {
  orgId: string;
  executionId: string;
  seq: number;
  workflowId: string;
  runbook: string;
  requestedBy: string;
  incidentId: string | null;
  standing: Pick<ExecutionState, 'status' | 'reason' | 'startedAt' | 'finishedAt' | 'approvals' | 'steps'> & {
    next: ExecutionDeadline | null;
  };
  entries: ExecutionState['outbox'];
  /** Whether it has come to its end and the target is to be given free. */
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
      next_at: toDate(standing.next?.at ?? null),
      next_what: standing.next?.what ?? null,
      recorded_seq: record.seq,
    })
    .where('id', '=', record.executionId)
    .where('recorded_seq', '<=', record.seq)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) {
    await recordSteps(tx, record);
    await recordApprovals(tx, record);
  }
  await recordEntries(tx, record);
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
      rollback_error = x.undo->>'error',
      rollback_decision = x.undo->'decision'->>'decision',
      rollback_decided_by = x.undo->'decision'->>'by',
      rollback_decision_reason = x.undo->'decision'->>'reason',
      outcome_unknown = x."outcomeUnknown"
    from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb)
      as x(index integer, status text, attempts integer, error text, "startedAt" double precision,
        "finishedAt" double precision, "outcomeUnknown" boolean, undo jsonb)
    where s.execution_id = ${record.executionId} and s.index = x.index`.execute(tx);
}

async function recordApprovals(tx: Tx, record: ExecutionRecord): Promise<void> {
  const { approvals } = record.standing;
  if (approvals.length === 0) return;
  const asked = approvals.map(({ plan, votes: _, ...approval }) => ({ ...plan, ...approval }));
  await sql`
    insert into approvals (org_id, id, team_id, execution_id, incident_id, runbook, requested_by, requested_at,
      expires_at, required, status, decided_at, reason, workflow_id, step_index, message, role, teams, not_requester,
      on_timeout, level)
    select e.org_id, x.id, e.team_id, e.id, e.incident_id, e.runbook, e.requested_by,
      to_timestamp(x."requestedAt" / 1000), to_timestamp(x."expiresAt" / 1000), x.needed, x.status,
      to_timestamp(x."decidedAt" / 1000), x.reason, e.workflow_id, x.step, x.message, x.role,
      array(select jsonb_array_elements_text(x.teams)), x."notRequester", x."onTimeout", x.level
    from executions e, jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as x(id uuid, "requestedAt" double precision,
      "expiresAt" double precision, needed integer, status text, "decidedAt" double precision, reason text,
      step integer, message text, role text, teams jsonb, "notRequester" boolean, "onTimeout" text, level integer)
    where e.id = ${record.executionId}
    on conflict (id) do update set
      status = excluded.status, decided_at = excluded.decided_at, reason = excluded.reason,
      expires_at = excluded.expires_at, level = excluded.level`.execute(tx);
  const votes = approvals.flatMap(({ plan, votes: cast }) =>
    cast.map((vote) => ({ ...vote, org_id: record.orgId, approval_id: plan.id, at: new Date(vote.at) })),
  );
  if (votes.length === 0) return;
  await tx
    .insertInto('approval_votes')
    .values(votes)
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
