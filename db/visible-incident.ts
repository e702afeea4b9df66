import { sql } from 'kysely';

/**
 * That a row is of no incident, or of one that this scope sees: row-level security decides, as for the incident itself.
 * What came without a team, such as most alerts, is its incident's team's without saying so. The incident is asked for by
 * its key for each row: as a join, or by `exists`, it could read every incident that there ever was.
 * @param rows a table with `incident_id`, or its alias
 */
export function ofVisibleIncident(rows: string) {
  const id = sql.ref(`${rows}.incident_id`);
  return sql<boolean>`(${id} is null or (select true from incidents seen where seen.id = ${id}))`;
}
