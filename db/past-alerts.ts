import { sql } from 'kysely';
import type { NewAlert } from '../domain/correlation/snapshot.ts';
import type { Tx } from './database.ts';
import { ofVisibleIncident } from './visible-incident.ts';

export interface PastAlert extends NewAlert {
  /** Of the team that it came with: that of its SLO. Null: its labels say whose it is. */
  teamId: string | null;
}

/**
 * The latest episodes that began after `since`, newest first, at most `limit`: what edited rules are tried on. None of
 * incidents that the scope does not see.
 */
export async function listPastAlerts(tx: Tx, args: { since: Date; limit: number }): Promise<PastAlert[]> {
  const rows = await tx
    .selectFrom('alerts as a')
    .select(['a.service', 'a.name', 'a.labels', 'a.received_at', cameWith.as('teamId')])
    .where('a.received_at', '>', args.since)
    .where(ofVisibleIncident('a'))
    .orderBy('a.received_at', 'desc')
    .orderBy('a.id', 'desc')
    .limit(args.limit)
    .execute();
  return rows.map(({ received_at: at, ...alert }) => ({ ...alert, at: at.getTime() }));
}

/**
 * By which team the live correlation chose its rules: not by that of the incident (alert-team.ts), which followed from
 * them. In an incident of another team the alert of an SLO does not say any more whose it is; the SLO does.
 */
const cameWith = sql<string | null>`coalesce(a.team_id, (
  select s.team_id from slos s where s.name = a.labels ->> 'slo'
    and (select i.kind from integrations i where i.id = a.integration_id) = 'slo'))`;
