import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { recordAudit } from './audit.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';

/**
 * What people decided by hand, for the next sightings of those alerts. An alert is known by its integration and
 * fingerprint. Alerts of one group belong together; a group is apart from others, which is written on both sides.
 */

/** Alerts that one decision is remembered for, on each side of it. */
const membersLimit = 2_000;

interface Decision {
  orgId: string;
  /** The incident in which it was decided, for people. */
  number: number;
  actor: string;
}

/** All alerts of the incident belong together from now on, with what each of them belonged to before. */
export async function rememberTogether(tx: Tx, decision: Decision & { incidentId: string }): Promise<void> {
  const group = randomUUID();
  const members = sql`select ${columns} from alerts a where a.incident_id = ${decision.incidentId}`;
  await renameGroups(tx, decision.orgId, members, group);
  await putMembers(tx, decision, members, { group, apartFrom: [] });
  // what was apart until now is not any more
  await sql`update correlation_memory set apart_from = array_remove(apart_from, ${group}::uuid)
    where group_id = ${group} and ${group}::uuid = any(apart_from)`.execute(tx);
}

/** The moved alerts do not belong to those that stay in the incident; the latter go on belonging together. */
export async function rememberApart(
  tx: Tx,
  decision: Decision & { incidentId: string; alertIds: number[] },
): Promise<void> {
  const [stayed, moved] = [randomUUID(), randomUUID()];
  const movedAlerts = sql`select ${columns} from alerts a where a.id = any(${decision.alertIds}::bigint[])`;
  // an uncorrelated list, which PostgreSQL hashes: incidents have ten thousand alerts
  const stayedAlerts = sql`select ${columns} from alerts a where a.incident_id = ${decision.incidentId}
    and (a.integration_id, a.fingerprint) not in (
      select m.integration_id, m.fingerprint from alerts m where m.id = any(${decision.alertIds}::bigint[]))`;
  await renameGroups(tx, decision.orgId, stayedAlerts, stayed);
  await putMembers(tx, decision, stayedAlerts, { group: stayed, apartFrom: [moved] });
  await putMembers(tx, decision, movedAlerts, { group: moved, apartFrom: [stayed] });
  // also those of the group that have no alert in this incident
  await sql`update correlation_memory set apart_from = apart_from || ${moved}::uuid
    where group_id = ${stayed} and ${moved}::uuid <> all(apart_from)`.execute(tx);
}

/** Writes into the incidents by which groups their alerts are found. */
export async function keyByGroups(tx: Tx, orgId: string, incidentIds: string[]): Promise<void> {
  await sql`delete from incident_keys where incident_id = any(${incidentIds}::uuid[]) and key like 'group=%'`.execute(
    tx,
  );
  await sql`
    insert into incident_keys (org_id, key, incident_id, first_at, last_at)
    select ${orgId}, 'group=' || m.group_id, a.incident_id, min(a.received_at), max(a.received_at)
    from alerts a join correlation_memory m
      on m.org_id = a.org_id and m.integration_id = a.integration_id and m.fingerprint = a.fingerprint
    where a.incident_id = any(${incidentIds}::uuid[])
    group by m.group_id, a.incident_id`.execute(tx);
}

/** An alert that people grouped with others, or split from them. */
export interface RememberedAlert {
  integrationId: string;
  fingerprint: string;
  name: string;
  service: string | null;
  /** Alerts with the same group belong together. */
  group: string;
  /** Groups that it never joins. */
  apartFrom: string[];
  /** How many other alerts are in its group, and how many in those that it is kept apart from. */
  together: number;
  apart: number;
  incidentNumber: number;
  /** Of that incident. */
  teamId: string | null;
  decidedBy: string;
  decidedAt: Date;
}

/** What was decided in incidents that the reader sees, the latest decision first. Throws InvalidCursorError. */
export async function listRemembered(
  tx: Tx,
  args: { cursor?: string; limit: number },
): Promise<Page<RememberedAlert>> {
  let query = ofSeenIncidents(tx).select([
    'integration_id as integrationId',
    'fingerprint',
    'name',
    'correlation_memory.service',
    'incidents.team_id as teamId',
    'group_id as group',
    'apart_from as apartFrom',
    'incident_number as incidentNumber',
    'decided_by as decidedBy',
    'decided_at as decidedAt',
    sql<number>`(select count(*) - 1 from correlation_memory other
        where other.org_id = correlation_memory.org_id and other.group_id = correlation_memory.group_id)`.as(
      'together',
    ),
    sql<number>`(select count(*) from correlation_memory other
        where other.org_id = correlation_memory.org_id and other.group_id = any(correlation_memory.apart_from))`.as(
      'apart',
    ),
    sql<string>`decided_at::text`.as('position'),
  ]);
  if (args.cursor !== undefined) {
    const [at, integrationId, fingerprint] = decodeCursor(args.cursor, ['instant', 'uuid', 'text']);
    // the first condition lets the index begin there, the second leaves out what was shown of the same moment
    query = query.where(
      sql<boolean>`decided_at <= ${at}::timestamptz and (decided_at < ${at}::timestamptz
        or (integration_id, fingerprint) > (${integrationId}::uuid, ${fingerprint}))`,
    );
  }
  const rows = await query
    .orderBy('decided_at', 'desc')
    .orderBy('integration_id')
    .orderBy('fingerprint')
    .limit(args.limit + 1)
    .execute();
  const page = toPage(rows, args.limit, (last) =>
    encodeCursor(last.position, last.integrationId, last.fingerprint),
  );
  return { ...page, items: page.items.map(({ position: _, ...remembered }) => remembered) };
}

/** A decision belongs to whom its incident does, so that the incidents' policies hold for it. */
function ofSeenIncidents(tx: Tx) {
  return tx
    .selectFrom('correlation_memory')
    .innerJoin('incidents', (join) =>
      join
        .onRef('incidents.org_id', '=', 'correlation_memory.org_id')
        .onRef('incidents.number', '=', 'correlation_memory.incident_number'),
    );
}

/** Whose decision on the alert is remembered: the team of its incident. Undefined where the reader sees none. */
export async function findRemembered(
  tx: Tx,
  alert: { integrationId: string; fingerprint: string },
): Promise<{ teamId: string | null } | undefined> {
  return await ofSeenIncidents(tx)
    .select('incidents.team_id as teamId')
    .where('integration_id', '=', alert.integrationId)
    .where('fingerprint', '=', alert.fingerprint)
    .executeTakeFirst();
}

/** From its next sighting on the alert is correlated by the evidence alone. False where nothing is remembered of it. */
export async function forgetAlert(
  tx: Tx,
  alert: { orgId: string; integrationId: string; fingerprint: string; actor: string },
): Promise<boolean> {
  const { orgId, integrationId, fingerprint, actor } = alert;
  const forgotten = await tx
    .deleteFrom('correlation_memory')
    .where('integration_id', '=', integrationId)
    .where('fingerprint', '=', fingerprint)
    .returning(['name', 'service'])
    .executeTakeFirst();
  if (!forgotten) return false;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'correlation-memory.forgotten',
    subject: `alert:${forgotten.name}`,
    data: { integrationId, fingerprint, service: forgotten.service },
  });
  return true;
}

/** A query of alerts: id, integration_id, fingerprint, name, service. */
type Alerts = RawBuilder<unknown>;
const columns = sql`a.id, a.integration_id, a.fingerprint, a.name, a.service`;

async function putMembers(
  tx: Tx,
  { orgId, number, actor }: Decision,
  alerts: Alerts,
  place: { group: string; apartFrom: string[] },
): Promise<void> {
  await sql`
    insert into correlation_memory
      (org_id, integration_id, fingerprint, group_id, apart_from, name, service, incident_number, decided_by)
    select distinct on (a.integration_id, a.fingerprint) ${orgId}::uuid, a.integration_id, a.fingerprint,
      ${place.group}::uuid, ${place.apartFrom}::uuid[], a.name, a.service, ${number}::integer, ${actor}
    from (${alerts}) a
    order by a.integration_id, a.fingerprint, a.id desc
    limit ${membersLimit}
    on conflict (org_id, integration_id, fingerprint) do update set
      group_id = excluded.group_id,
      apart_from = array(select distinct unnest(correlation_memory.apart_from || excluded.apart_from)),
      name = excluded.name, service = excluded.service, incident_number = excluded.incident_number,
      decided_by = excluded.decided_by, decided_at = now()`.execute(tx);
}

/** The groups of these alerts become one, wherever they are named. */
async function renameGroups(tx: Tx, orgId: string, alerts: Alerts, group: string): Promise<void> {
  const { rows } = await sql<{ group_id: string }>`
    select distinct m.group_id from (${alerts}) a join correlation_memory m
      on m.org_id = ${orgId} and m.integration_id = a.integration_id and m.fingerprint = a.fingerprint`.execute(
    tx,
  );
  const old = rows.map((row) => row.group_id);
  if (old.length === 0) return;
  await sql`update correlation_memory set group_id = ${group} where group_id = any(${old}::uuid[])`.execute(
    tx,
  );
  await sql`
    update correlation_memory set apart_from = array(
      select distinct case when other = any(${old}::uuid[]) then ${group}::uuid else other end
      from unnest(apart_from) other)
    where apart_from && ${old}::uuid[]`.execute(tx);
  await sql`
    with renamed as (
      delete from incident_keys where org_id = ${orgId} and key = any(${old.map(groupKey)}::text[])
      returning incident_id, first_at, last_at
    )
    insert into incident_keys (org_id, key, incident_id, first_at, last_at)
    select ${orgId}, ${groupKey(group)}, incident_id, min(first_at), max(last_at) from renamed group by incident_id
    on conflict (org_id, key, incident_id) do nothing`.execute(tx);
}

/** As incidents are found by it. */
export function groupKey(group: string): string {
  return `group=${group}`;
}
