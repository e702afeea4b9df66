import { sql } from 'kysely';
import type { Tx } from './database.ts';

/** Those of the open `others` that have an alert which people split from one of the incident's. */
export async function findApart(tx: Tx, incidentId: string, others: string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with groups as materialized (
      select org_id, incident_id, substr(key, 7)::uuid as group_id from incident_keys
      where incident_id = any(${[incidentId, ...others]}::uuid[]) and key ~>=~ 'group=' and key ~<~ 'group>'
    ),
    avoided as materialized (
      select unnest(m.apart_from) as group_id
      from groups g join correlation_memory m on m.org_id = g.org_id and m.group_id = g.group_id
      where g.incident_id = ${incidentId}
    )
    select distinct incident_id as id from groups
    where incident_id <> ${incidentId} and group_id in (select group_id from avoided)`.execute(tx);
  return rows.map(({ id }) => id);
}
