import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { takeTurnInOrganization } from './target-locks.ts';

/** The kill switch: while it is in force nothing new acts, of one team or of the whole organization. */
export interface AutomationStop {
  /** Slug and name; null: the whole organization. */
  team: { id: string; slug: string; name: string } | null;
  stoppedAt: Date;
  stoppedBy: string;
  reason: string;
}

/** An execution that has begun to act and has not ended. */
export interface RunningExecution {
  id: string;
  teamId: string | null;
  runbook: string;
  target: string;
  requestedBy: string;
  incidentNumber: number | null;
  /** Since it may act. */
  since: Date;
  /** What it is at; null between steps. */
  step: string | null;
  /** Automation is stopped where it runs. */
  stopped: boolean;
  /** A person said that it goes on all the same. */
  goesOn: boolean;
}

/** Of the organization first, then by team. */
export async function listStops(tx: Tx): Promise<AutomationStop[]> {
  const rows = await tx
    .selectFrom('automation_stops as s')
    .leftJoin('teams as t', 't.id', 's.team_id')
    .select(['s.team_id', 't.slug', 't.name', 's.stopped_at', 's.stopped_by', 's.reason'])
    .where('s.lifted_at', 'is', null)
    .orderBy(sql`t.slug nulls first`)
    .execute();
  return rows.map((row) => ({
    team: row.team_id === null ? null : { id: row.team_id, slug: row.slug ?? '', name: row.name ?? '' },
    stoppedAt: row.stopped_at,
    stoppedBy: row.stopped_by,
    reason: row.reason,
  }));
}

/** Longest first. */
export async function listRunningExecutions(tx: Tx): Promise<RunningExecution[]> {
  const { rows } = await sql<RunningExecution>`
    select e.id, e.team_id as "teamId", e.runbook, e.target, e.requested_by as "requestedBy",
      i.number as "incidentNumber", e.admitted_at as since, st.name as step,
      s.stopped is not null as stopped, coalesce(s.goes_on, false) as "goesOn"
    from executions e
    left join incidents i on i.id = e.incident_id
    left join lateral (
      select name from execution_steps x where x.execution_id = e.id and x.status = 'running' order by index limit 1
    ) st on true
    left join lateral (
      select true as stopped, bool_and(e.id = any (goes_on)) as goes_on
      from automation_stops a where a.lifted_at is null and (a.team_id is null or a.team_id = e.team_id)
      having count(*) > 0
    ) s on true
    where e.finished_at is null and e.admitted_at is not null
    order by e.admitted_at, e.id`.execute(tx);
  return rows;
}

interface Switch {
  orgId: string;
  /** Null: the whole organization. */
  teamId: string | null;
  /** Mail address. */
  actor: string;
}

/**
 * From its commit on nothing new acts: who is just taking a target comes before it or is refused. False when it was
 * stopped already, and the first reason stands.
 */
export async function stopAutomation(tx: Tx, { orgId, teamId, actor, reason }: Switch & { reason: string }) {
  await takeTurnInOrganization(tx, orgId);
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('automation_stops')
    // not when the transaction began: it may have waited for its turn
    .values({
      org_id: orgId,
      team_id: teamId,
      stopped_by: actor,
      reason,
      stopped_at: sql<Date>`clock_timestamp()`,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (!numInsertedOrUpdatedRows) return false;
  const subject = subjectOf(teamId);
  await recordAudit(tx, { orgId, actor, action: 'automation.stopped', subject, data: { reason } });
  return true;
}

/** False when it was not stopped. */
export async function resumeAutomation(tx: Tx, { orgId, teamId, actor }: Switch): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('automation_stops')
    .set({ lifted_at: sql`clock_timestamp()`, lifted_by: actor })
    .where('lifted_at', 'is', null)
    .where('team_id', teamId === null ? 'is' : '=', teamId)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  await recordAudit(tx, { orgId, actor, action: 'automation.resumed', subject: subjectOf(teamId) });
  return true;
}

/** Answers the kill switch's question about one execution. False when nothing is stopped where it runs. */
export async function letGoOn(
  tx: Tx,
  { orgId, executionId, actor }: { orgId: string; executionId: string; actor: string },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update automation_stops s set goes_on = array_append(s.goes_on, e.id)
    from executions e
    where e.id = ${executionId} and e.finished_at is null and s.lifted_at is null
      and (s.team_id is null or s.team_id = e.team_id) and not e.id = any (s.goes_on)`.execute(tx);
  if (!numAffectedRows) return false;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'automation.let-go-on',
    subject: `execution:${executionId}`,
  });
  return true;
}

function subjectOf(teamId: string | null): string {
  return teamId === null ? 'automation:organization' : `automation:team:${teamId}`;
}
