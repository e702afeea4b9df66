import { sql } from 'kysely';
import type { PastIncident } from '../domain/similar/similar-incidents.ts';
import type { Tx } from './database.ts';

/** Incidents that are looked at for one trait: more than that have it, so it says nothing. */
const perTrait = 1_000;
/** Incidents whose traits are compared. */
const candidates = 60;
const traitsOfOne = 150;

/**
 * The resolved incidents that share most of these traits, rare ones above all, with what is needed to weigh them:
 * how many past incidents have each trait (counted up to 1,000) and how many incidents there are. Merged ones are
 * left out: they are part of another.
 */
export async function findPastIncidents(
  tx: Tx,
  { incidentId, traits }: { incidentId: string; traits: readonly string[] },
): Promise<{ past: PastIncident[]; frequency: Map<string, number>; total: number }> {
  const { rows } = await sql<{ past: PastIncident[]; frequency: Record<string, number>; total: number }>`
    with total as materialized (
      select next_incident_number - 1 as incidents from organizations
      where org_id = nullif(current_setting('app.org_id', true), '')::uuid
    ), hits as materialized (
      select mine.trait, hit.incident_id from unnest(${[...traits]}::text[]) as mine(trait)
      cross join lateral (
        select t.incident_id from incident_traits t
        where t.org_id = nullif(current_setting('app.org_id', true), '')::uuid and t.trait = mine.trait
          and t.incident_id <> ${incidentId}
        limit ${perTrait}
      ) hit
    ), frequency as (
      select trait, count(*)::integer as incidents from hits group by trait
    ), likest as (
      select h.incident_id, sum(ln(1 + total.incidents::float8 / (1 + f.incidents))) as weight
      from hits h join frequency f on f.trait = h.trait cross join total
      group by h.incident_id order by weight desc, h.incident_id limit ${candidates * 4}
    ), past as (
      select i.number, l.weight, array(
        select t.trait from incident_traits t where t.incident_id = i.id order by t.trait limit ${traitsOfOne}
      ) as traits
      from likest l join incidents i on i.id = l.incident_id
      where i.resolved_at is not null and i.merged_into is null
      order by l.weight desc, i.number desc limit ${candidates}
    )
    select
      (select coalesce(jsonb_agg(jsonb_build_object('number', number, 'traits', traits)), '[]') from past) as past,
      (select coalesce(jsonb_object_agg(trait, incidents), '{}') from frequency) as frequency,
      coalesce((select incidents from total), 0) as total`.execute(tx);
  const found = rows[0];
  return {
    past: found?.past ?? [],
    frequency: new Map(Object.entries(found?.frequency ?? {})),
    total: found?.total ?? 0,
  };
}
