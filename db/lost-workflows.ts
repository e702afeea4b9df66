import { sql } from 'kysely';
import type { Tx } from './database.ts';

/**
 * What becomes of a row whose workflow was ended from outside (terminated, timed out, failed): nobody else would
 * ever say that it is over. Each changes nothing when the row has come to its end meanwhile, and answers whether
 * it changed something.
 */

/**
 * Closes the incident, and has those of its alerts that still fire looked at again: they open another one, since
 * nothing that fires is dropped. `how` is Temporal's word for the end.
 */
export async function closeLostIncident(
  tx: Tx,
  { orgId, incidentId, how }: { orgId: string; incidentId: string; how: string },
): Promise<boolean> {
  // before the incident, and in the intake's order, as everybody takes them
  await sql`
    select 1 from alerts where incident_id = ${incidentId} and status <> 'resolved'
    order by org_id, integration_id, fingerprint for no key update`.execute(tx);
  const { rows } = await sql`
    update incidents set closed_at = now(), deadlines = '[]', snoozed_until = null,
      feed_unread = false, feed_owed_by = null, feed_owed_since = null,
      status = case when resolved_at is null then 'resolved' else status end,
      resolved_at = coalesce(resolved_at, now()), resolved_by = coalesce(resolved_by, 'Temporal operator')
    where id = ${incidentId} and closed_at is null
    returning 1`.execute(tx);
  if (rows.length === 0) return false;
  await tx.deleteFrom('incident_keys').where('incident_id', '=', incidentId).execute();
  await sql`
    update sla_clocks set state = case when due_at < now() then 'breached' else 'met' end, ended_at = least(due_at, now())
    where incident_id = ${incidentId} and (state in ('running', 'at_risk')
      -- those of an incident that was merged are paused for good: the other one has its alerts
      or (state = 'paused' and not exists (
        select 1 from incidents where id = ${incidentId} and merged_into is not null)))`.execute(tx);
  await sql`
    insert into timeline (org_id, incident_id, kind, actor, summary, dedup_key)
    values (${orgId}, ${incidentId}, 'workflow_lost', 'Holdfast',
      ${`Closed: its workflow was ended in Temporal (${how}). What still fires opens another incident`}, 'workflow_lost')
    on conflict (incident_id, dedup_key) do nothing`.execute(tx);
  // also those that joined before the incident was closed
  await sql`update alerts set version = version + 1
    where incident_id = ${incidentId} and status <> 'resolved'`.execute(tx);
  return true;
}

/** Ends the execution as it stands, withdraws its approval and gives its target free. Nothing is undone. */
export async function endLostExecution(
  tx: Tx,
  { orgId, executionId, how }: { orgId: string; executionId: string; how: string },
): Promise<boolean> {
  const reason = `its workflow was ended in Temporal (${how}); what it had done was not undone`;
  const { rows } = await sql<{ incident_id: string | null; runbook: string }>`
    update executions set status = case when started_at is null then 'cancelled' else 'failed' end,
      status_reason = ${reason}, finished_at = now()
    where id = ${executionId} and finished_at is null
    returning incident_id, runbook`.execute(tx);
  const execution = rows[0];
  if (!execution) return false;
  await sql`
    update execution_steps set status = case status when 'running' then 'cancelled' else 'skipped' end,
      finished_at = case status when 'running' then now() end
    where execution_id = ${executionId} and status in ('pending', 'running')`.execute(tx);
  await sql`
    update approvals set status = 'withdrawn', decided_at = now(), reason = ${reason}
    where execution_id = ${executionId} and status = 'pending'`.execute(tx);
  await tx.deleteFrom('target_locks').where('execution_id', '=', executionId).execute();
  if (execution.incident_id === null) return true;
  await sql`
    insert into timeline (org_id, incident_id, kind, actor, summary, data, dedup_key)
    values (${orgId}, ${execution.incident_id}, 'execution_failed', 'Holdfast',
      ${`Runbook ${execution.runbook} ended: ${reason}`},
      jsonb_build_object('runbook', ${execution.runbook}::text, 'executionId', ${executionId}::text),
      ${`execution:${executionId}:lost`})
    on conflict (incident_id, dedup_key) do nothing`.execute(tx);
  return true;
}
