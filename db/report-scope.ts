import { type RawBuilder, sql } from 'kysely';
import { teamOfAlert } from './alert-team.ts';

/** A period: from `from`, inclusive, to `to`, exclusive. */
export interface Period {
  from: Date;
  to: Date;
}

/**
 * Restricts rows that belong to an incident to those of a team. Asked of each row by its incident's key: `exists` would
 * read every incident that the team ever had.
 */
export function ofTeam(incidentId: RawBuilder<unknown>, teamId: string | null) {
  return teamId === null
    ? sql``
    : sql`and (select own.team_id from incidents own where own.id = ${incidentId}) = ${teamId}`;
}

/**
 * Restricts SLA clocks to those that are kept or breached at all, and to those of a team. A false positive asked nothing
 * of anybody: to close it quickly keeps no promise, and to leave it breaks none. Asked of each clock by its incident's
 * key: as a join it would read every incident that there ever was.
 */
export function judged(incidentId: RawBuilder<unknown>, teamId: string | null) {
  return sql`and (select own.status <> 'false_positive' ${owned(teamId, 'own.team_id')}
    from incidents own where own.id = ${incidentId})`;
}

/** Restricts rows that name their team themselves. */
export function owned(teamId: string | null, column = 'team_id') {
  return teamId === null ? sql`` : sql`and ${sql.ref(column)} = ${teamId}`;
}

/** Restricts `alerts`, which are as a rule their incident's team's. */
export function ownedAlert(teamId: string | null) {
  return teamId === null ? sql`` : sql`and ${teamOfAlert('alerts')} = ${teamId}`;
}

/**
 * When somebody took it on first: that it is reopened or the acknowledgement taken back makes nobody slower. It stands
 * as in its index, and not as coalesce(), which PostgreSQL takes for leaky: row-level security keeps that from indexes.
 */
export const firstAcknowledged = sql<Date | null>`
  (case when first_acknowledged_at is null then acknowledged_at else first_acknowledged_at end)`;

/**
 * Neither a false positive, which was no outage, nor an incident that was merged into another, which says when their
 * outage was over: both would make the time to resolve look short.
 */
export const outage = sql`status <> 'false_positive' and merged_into is null`;

/** Count, mean and median of the time from the opening to `moment`. */
export function timesOf(moment: RawBuilder<unknown>) {
  const ms = sql`(extract(epoch from ${moment} - opened_at) * 1000)::double precision`;
  return sql`count(*)::int as count, avg(${ms}) as "meanMs",
    percentile_cont(0.5) within group (order by ${ms}) as "medianMs"`;
}
