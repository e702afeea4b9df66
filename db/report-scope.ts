import { type RawBuilder, sql } from 'kysely';

/** A period: from `from`, inclusive, to `to`, exclusive. */
export interface Period {
  from: Date;
  to: Date;
}

/** Restricts rows that belong to an incident to those of a team. */
export function ofTeam(incidentId: RawBuilder<unknown>, teamId: string | null) {
  return teamId === null
    ? sql``
    : sql`and exists (select 1 from incidents own where own.id = ${incidentId} and own.team_id = ${teamId})`;
}

/** Restricts rows that name their team themselves. */
export function owned(teamId: string | null, column = 'team_id') {
  return teamId === null ? sql`` : sql`and ${sql.ref(column)} = ${teamId}`;
}

/** Count, mean and median of the time from the opening. */
export function timesOf(column: 'acknowledged_at' | 'resolved_at') {
  const ms = sql`(extract(epoch from ${sql.ref(column)} - opened_at) * 1000)::double precision`;
  return sql`count(*)::int as count, avg(${ms}) as "meanMs",
    percentile_cont(0.5) within group (order by ${ms}) as "medianMs"`;
}
