import { sql } from 'kysely';

/**
 * Whose an alert is: the team that it came with, else that of the incident that it is in. It is not written into the
 * alert, which row-level security would then hide from others who see the incident. The incident is asked for by its key
 * for each alert: as a join it could read every incident that there ever was.
 * @param alerts the table, or its alias
 */
export function teamOfAlert(alerts: string) {
  return sql<string | null>`coalesce(${sql.ref(`${alerts}.team_id`)}, (
    select own.team_id from incidents own where own.id = ${sql.ref(`${alerts}.incident_id`)}))`;
}
