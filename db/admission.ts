import { sql } from 'kysely';
import { holdfast } from '../domain/execution/story.ts';
import type { RunbookLayout } from '../domain/runbook/layout.ts';
import { admit, concerns, organizationLimit, type SafetySnapshot } from '../domain/safety/admit.ts';
import type { Refusal } from '../domain/safety/refusal.ts';
import { circuitBreakerFailures, type ScopedRules } from '../domain/safety/rules.ts';
import type { Tx } from './database.ts';
import type { PlannedExecution } from './executions.ts';

/**
 * Whether the safety rules let the execution act now; null when they do. It reserves nothing: what counts is asked
 * again when the target is its own (target-locks.ts). Throws when there is no such execution.
 */
export async function admitExecution(
  tx: Tx,
  args: { orgId: string; executionId: string },
): Promise<Refusal | null> {
  const { snapshot, now } = await readSafetySnapshot(tx, args.executionId);
  return admit(snapshot, now);
}

/** The same for an execution that is not written down. */
export async function admitPlanned(tx: Tx, planned: PlannedExecution): Promise<Refusal | null> {
  const { snapshot, now } = await snapshotOf(
    tx,
    null,
    sql`select null::uuid as id, ${planned.runbook}::text as runbook, ${planned.version}::integer as runbook_version,
      ${planned.target}::text as target, ${planned.teamId}::uuid as team_id, ${planned.environment}::text as environment,
      ''::text as requested_by, ${JSON.stringify(planned.layout)}::jsonb as layout, null::uuid as retry_of`,
  );
  return admit(snapshot, now);
}

export async function readSafetySnapshot(
  tx: Tx,
  executionId: string,
): Promise<{ snapshot: SafetySnapshot; now: number }> {
  return await snapshotOf(tx, executionId, sql`select * from executions where id = ${executionId}`);
}

/**
 * Two statements, whatever the number of rules: the second needs a limit that the first reads. `subject`: a row as of
 * `executions`; `executionId` is null where there is none of it.
 */
async function snapshotOf(
  tx: Tx,
  executionId: string | null,
  subject: ReturnType<typeof sql>,
): Promise<{ snapshot: SafetySnapshot; now: number }> {
  const { rows } = await sql<{
    runbook: string;
    target: string;
    team_id: string | null;
    team: string | null;
    environment: string | null;
    requested_by: string;
    layout: RunbookLayout | null;
    own: SafetySnapshot['own'];
    sets: ScopedRules[];
    stops: SafetySnapshot['stops'];
    maintenance: SafetySnapshot['maintenance'];
    outcomes: SafetySnapshot['outcomes'];
    last_end: number | null;
    now: number;
  }>`
    select e.runbook, e.target, e.team_id, t.slug as team, e.environment, e.requested_by, e.layout,
      v.definition->'execution' as own,
      -- clock_timestamp: the transaction may have waited for others, and what they did lies before this moment
      extract(epoch from clock_timestamp())::float8 * 1000 as now,
      coalesce((
        select jsonb_agg(jsonb_build_object('scope', s.scope, 'name', s.name, 'rules', s.definition)
          order by array_position(array['organization', 'team', 'runbook', 'target'], s.scope), s.name)
        from safety_rules s), '[]') as sets,
      coalesce((
        select jsonb_agg(jsonb_build_object('team', st.slug, 'by', s.stopped_by,
          'at', extract(epoch from s.stopped_at)::float8 * 1000, 'reason', s.reason))
        from automation_stops s left join teams st on st.id = s.team_id
        where s.lifted_at is null and (s.team_id is null or s.team_id = e.team_id)), '[]') as stops,
      coalesce((
        select jsonb_agg(jsonb_build_object('target', m.target, 'reason', m.reason,
          'from', extract(epoch from m.starts_at)::float8 * 1000,
          'to', extract(epoch from m.ends_at)::float8 * 1000, 'weekly', m.weekly))
        from maintenance_windows m
        where m.ends_at > now() and m.starts_at <= now() + interval '1 minute'
          and (m.team_id is null or m.team_id = e.team_id)), '[]') as maintenance,
      coalesce((
        select jsonb_agg(jsonb_build_object('status', o.status,
          'finishedAt', extract(epoch from o.finished_at)::float8 * 1000) order by o.finished_at desc)
        from (${latestOutcomes(sql`e.runbook`, sql`e.target`)}) o), '[]') as outcomes,
      (select extract(epoch from o.finished_at)::float8 * 1000 from executions o
        where o.runbook = e.runbook and o.target = e.target and o.finished_at is not null
          and o.admitted_at is not null and o.id is distinct from e.id and o.id is distinct from e.retry_of
        order by o.finished_at desc limit 1) as last_end
    from (${subject}) e
    join runbook_versions v on v.name = e.runbook and v.version = e.runbook_version
    left join teams t on t.id = e.team_id`.execute(tx);
  const row = rows[0];
  if (!row) throw new Error(`there is no execution ${executionId} with its runbook's version`);
  const layout = row.layout ?? { scopes: [], steps: [] };
  const execution = {
    team: row.team,
    target: row.target,
    runbooks: [row.runbook, ...layout.scopes.map(({ runbook }) => runbook)],
  };
  const sets = row.sets.filter((set) => concerns(set, execution));
  return {
    now: row.now,
    snapshot: {
      runbook: row.runbook,
      target: row.target,
      team: row.team,
      environment: row.environment,
      automatic: row.requested_by === holdfast,
      own: row.own,
      sets,
      layout,
      stops: row.stops,
      maintenance: row.maintenance,
      outcomes: row.outcomes,
      lastEnd: row.last_end,
      actions: await actionsOfTheHour(tx, executionId, row, organizationLimit(sets)),
    },
  };
}

/**
 * How a runbook ended on a target since it was reset there, newest first: as many as the circuit breaker looks at.
 * What never acted, or was cancelled by a person, says nothing about the runbook.
 */
export function latestOutcomes(runbook: ReturnType<typeof sql>, target: ReturnType<typeof sql>) {
  return sql`
    select o.id, o.status, o.finished_at, o.team_id from executions o
    where o.runbook = ${runbook} and o.target = ${target} and o.finished_at is not null
      and o.admitted_at is not null and o.status <> 'cancelled'
      and o.finished_at > coalesce((
        select r.reset_at from circuit_resets r where r.runbook = ${runbook} and r.target = ${target}), '-infinity')
    order by o.finished_at desc limit ${sql.lit(circuitBreakerFailures)}`;
}

/** Once the organization has used up its limit the others need not be counted, so that many are enough. */
async function actionsOfTheHour(
  tx: Tx,
  executionId: string | null,
  of: { runbook: string; target: string; team_id: string | null; now: number },
  limit: number,
): Promise<SafetySnapshot['actions']> {
  if (limit === 0) return [];
  const { rows } = await sql<SafetySnapshot['actions'][number]>`
    select extract(epoch from admitted_at)::float8 * 1000 as at, runbook = ${of.runbook} as "sameRunbook",
      target = ${of.target} as "sameTarget", coalesce(team_id = ${of.team_id}::uuid, false) as "sameTeam"
    from executions
    where admitted_at > ${new Date(of.now - 3_600_000)} and id is distinct from ${executionId}::uuid
    order by admitted_at desc limit ${limit}`.execute(tx);
  return rows;
}
