import { sql } from 'kysely';
import { holdfast } from '../domain/incident/story.ts';
import type { Tx } from './database.ts';

/**
 * Which of the alerts have had Holdfast begin which runbooks in another incident, before they were moved out of that
 * one: here it would be for the second time. What an incident that was merged into this one has begun stands for all
 * alerts, as what this one begins does, until it is reopened.
 * What had not begun when its incident ended with the merge is withdrawn there, and so is due here.
 */
export async function listRunBefore(
  tx: Tx,
  { incidentId, alertIds }: { incidentId: string; alertIds: number[] },
): Promise<{ runbook: string; alertId: number }[]> {
  const { rows } = await sql<{ runbook: string; alertId: number }>`
    with recursive merged as (
      select from_incident as id, at from regroupings where into_incident = ${incidentId} and alert_ids is null
      union
      select r.from_incident, merged.at
      from regroupings r join merged on r.into_incident = merged.id where r.alert_ids is null
    ), begun as (
      select e.runbook, e.alert_id as "alertId", e.id
      from executions e
      where e.alert_id = any(${alertIds}::bigint[]) and e.incident_id <> ${incidentId}
      union
      select e.runbook, called.id, e.id
      from merged join executions e on e.incident_id = merged.id, unnest(${alertIds}::bigint[]) as called(id)
      where merged.at > coalesce(
          (select max(at) from timeline where incident_id = ${incidentId} and kind = 'reopened'), '-infinity')
        or exists (select from incident_feed f
          where f.incident_id = merged.id and f.alert_id = called.id and f.kind = 'left')
    )
    select distinct b.runbook, b."alertId"
    from begun b join executions e on e.id = b.id join incidents i on i.id = e.incident_id
    where e.requested_by = ${holdfast}
      and not (e.status = 'waiting' and i.merged_into is not null)
      and not (e.status = 'cancelled' and e.started_at is null)`.execute(tx);
  return rows;
}
