import { sql } from 'kysely';
import type { Automation, CoursePoint, ReasonCount, ServiceCount } from '../domain/reports/sla.ts';
import type { Tx } from './database.ts';
import { firstAcknowledged, judged, outage, owned, type Period, timesOf } from './report-scope.ts';

/** Decided clocks by the service of their incident, the worst first. */
export async function countByService(
  tx: Tx,
  { from, to }: Period,
  { teamId, limit }: { teamId: string | null; limit: number },
): Promise<ServiceCount[]> {
  const { rows } = await sql<ServiceCount>`
    select i.service, sum(d.met)::int as met, sum(d.breached)::int as breached from (
      select incident_id, 1 as met, 0 as breached from sla_clocks
      where state = 'met' and ended_at >= ${from} and ended_at < ${to}
      union all
      select incident_id, 0, 1 from sla_clocks
      where state = 'breached' and due_at >= ${from} and due_at < ${to}
    ) d join incidents i on i.id = d.incident_id
    where i.status <> 'false_positive' ${owned(teamId, 'i.team_id')}
    group by i.service
    order by sum(d.breached)::float8 / count(*) desc, sum(d.breached) desc, i.service nulls last
    limit ${limit}`.execute(tx);
  return rows;
}

/** Breaches by what people said of them, the most frequent first. */
export async function countByReason(
  tx: Tx,
  { from, to }: Period,
  teamId: string | null,
): Promise<ReasonCount[]> {
  const { rows } = await sql<ReasonCount>`
    select breach_reason as reason, count(*)::int as count from sla_clocks c
    where state = 'breached' and due_at >= ${from} and due_at < ${to} ${judged(sql.ref('c.incident_id'), teamId)}
    group by breach_reason
    order by count(*) desc, breach_reason nulls last`.execute(tx);
  return rows;
}

/** One statement for all periods; `periods` newest first, the answer oldest first. */
export async function readCourse(
  tx: Tx,
  periods: readonly Period[],
  teamId: string | null,
): Promise<CoursePoint[]> {
  const bounds = JSON.stringify(periods.map(({ from, to }) => ({ from, to })).toReversed());
  const own = owned(teamId, 'i.team_id');
  const { rows } = await sql<{
    from: Date;
    to: Date;
    met: number;
    breached: number;
    acknowledge: CoursePoint['acknowledge'];
    resolve: CoursePoint['resolve'];
  }>`
    select p."from", p."to",
      (select count(*) from sla_clocks c where c.state = 'met' and c.ended_at >= p."from" and c.ended_at < p."to"
        ${judged(sql.ref('c.incident_id'), teamId)})::int as met,
      (select count(*) from sla_clocks c where c.state = 'breached' and c.due_at >= p."from" and c.due_at < p."to"
        ${judged(sql.ref('c.incident_id'), teamId)})::int as breached,
      (select to_json(t) from (select ${timesOf(firstAcknowledged)} from incidents i
        where ${firstAcknowledged} >= p."from" and ${firstAcknowledged} < p."to" ${own}) t) as acknowledge,
      (select to_json(t) from (select ${timesOf(sql.ref('resolved_at'))} from incidents i
        where i.resolved_at >= p."from" and i.resolved_at < p."to" and ${outage} ${own}) t) as resolve
    from jsonb_to_recordset(${bounds}::jsonb) as p("from" timestamptz, "to" timestamptz)
    order by p."from"`.execute(tx);
  return rows.map(({ from, to, ...row }) => ({ ...row, from: from.toISOString(), to: to.toISOString() }));
}

/** An incident that nobody resolved by hand, and of which a runbook had succeeded by then, is a runbook's. */
export async function readAutomation(
  tx: Tx,
  { from, to }: Period,
  teamId: string | null,
): Promise<Automation> {
  const { rows } = await sql<Automation>`
    with ended as (
      select extract(epoch from i.resolved_at - i.opened_at) * 1000 as ms,
        i.resolved_by = 'Holdfast' and exists (
          select 1 from executions e
          where e.incident_id = i.id and e.status = 'succeeded' and e.finished_at <= i.resolved_at) as mended
      from incidents i
      where i.resolved_at >= ${from} and i.resolved_at < ${to} and ${outage}
        ${owned(teamId, 'i.team_id')}
    )
    select count(*)::int as resolved, count(*) filter (where mended)::int as "byRunbook",
      (percentile_cont(0.5) within group (order by ms) filter (where mended))::double precision as "medianMs",
      (percentile_cont(0.5) within group (order by ms) filter (where not coalesce(mended, false)))::double precision
        as "othersMedianMs"
    from ended`.execute(tx);
  return rows[0] ?? { resolved: 0, byRunbook: 0, medianMs: null, othersMedianMs: null };
}
