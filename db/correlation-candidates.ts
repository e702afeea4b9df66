import { sql } from 'kysely';
import type { CandidateIncident } from '../domain/correlation/snapshot.ts';
import type { Tx } from './database.ts';

/** By what the incidents are found that an alert may join. */
export interface CandidateQuestion {
  orgId: string;
  /** The key of the alert itself. */
  fingerprint: string;
  /** The key of the alerts that people grouped with it; null when none were. */
  group: string | null;
  /** The keys of the groups that people split it from. */
  apart: string[];
  /** Services and labels: these find an incident that had an alert after `since` alone. */
  evidence: string[];
  since: Date;
  /** The labels that count and that the alert has, with their keys. */
  labels: { name: string; key: string }[];
}

/**
 * The latest incidents, and of each so many services (those that are asked for, then the latest), values of one label,
 * and names: what is compared is bounded.
 */
const incidentsLimit = 50;
const servicesLimit = 300;
const valuesLimit = 20;
const namesLimit = 50;

interface Row {
  id: string;
  number: number;
  status: string;
  opened_at: Date;
  last_alert_at: Date;
  resolved: boolean;
  keys: string[];
  services: { service: string; firstAt: number; lastAt: number }[];
  labels: CandidateIncident['labels'];
  names: string[];
}

/**
 * Open incidents that share a key with the alert, the latest first. One statement: it runs once more under the
 * organization's lock. The keys of one incident are read by the beginning of the key, of which an incident with ten
 * thousand alerts has few where they matter.
 */
export async function findCandidates(tx: Tx, question: CandidateQuestion): Promise<CandidateIncident[]> {
  const { orgId, fingerprint, group, apart, evidence, since, labels } = question;
  const identity = group === null ? [fingerprint] : [fingerprint, group];
  // that an incident has one that is asked for must not depend on how many others it has
  const services = evidence.filter((key) => key.startsWith('service='));
  const { rows } = await sql<Row>`
    with asked as materialized (
      select incident_id, coalesce(array_agg(key) filter (where is_identity), '{}') as keys
      from (
        select incident_id, key, true as is_identity from incident_keys
        where org_id = ${orgId} and key = any(${[...identity, ...apart]}::text[])
        union all
        select incident_id, key, false from incident_keys
        where org_id = ${orgId} and key = any(${evidence}::text[])
      ) k group by incident_id
    ),
    found as materialized (
      select i.id, i.number, i.status, i.opened_at, i.last_alert_at, i.resolved_at is not null as resolved, asked.keys
      from asked join incidents i on i.id = asked.incident_id
      where i.closed_at is null and i.merged_into is null
        and (i.last_alert_at >= ${since} or asked.keys && ${identity}::text[])
      order by i.last_alert_at desc limit ${incidentsLimit}
    )
    select found.*,
      (select coalesce(json_agg(json_build_object('service', substr(key, 9),
          'firstAt', extract(epoch from first_at) * 1000, 'lastAt', extract(epoch from last_at) * 1000)), '[]')
        from (select key, first_at, last_at from incident_keys
          where incident_id = found.id and key ~>=~ 'service=' and key ~<~ 'service>'
          order by key = any(${services}::text[]) desc, last_at desc limit ${servicesLimit}) k
      ) as services,
      (select coalesce(json_agg(json_build_object('name', l.name, 'value', substr(k.key, length(l.name) + 8),
          'lastAt', extract(epoch from k.last_at) * 1000)), '[]')
        from unnest(${labels.map(({ name }) => name)}::text[], ${labels.map(({ key }) => key)}::text[]) as l(name, key),
        lateral (
          (select key, last_at from incident_keys
            where org_id = ${orgId} and key = l.key and incident_id = found.id)
          union
          (select key, last_at from incident_keys
            where incident_id = found.id
              and key ~>=~ ('label.' || l.name || '=') and key ~<~ ('label.' || l.name || '>')
            limit ${valuesLimit})
        ) k
      ) as labels,
      (select coalesce(json_agg(substr(key, 6)), '[]')
        from (select key from incident_keys
          where incident_id = found.id and key ~>=~ 'name=' and key ~<~ 'name>' limit ${namesLimit}) k
      ) as names
    from found
    order by found.last_alert_at desc`.execute(tx);
  return rows.map((row) => ({
    incidentId: row.id,
    number: row.number,
    falsePositive: row.status === 'false_positive',
    openedAt: row.opened_at.getTime(),
    lastAlertAt: row.last_alert_at.getTime(),
    resolved: row.resolved,
    sameFingerprint: row.keys.includes(fingerprint),
    sameGroup: group !== null && row.keys.includes(group),
    apart: apart.some((key) => row.keys.includes(key)),
    services: row.services,
    labels: row.labels,
    names: row.names,
  }));
}
