import { sql } from 'kysely';
import { findApart } from './apart-incidents.ts';
import { recordAudit } from './audit.ts';
import { keyByGroups, rememberApart, rememberTogether } from './correlation-memory.ts';
import { readRulesInForce, rulesForAlert } from './correlation-rules.ts';
import type { Tx } from './database.ts';
import { openIncident } from './incident-opening.ts';
import { moveKeys, splitKeys } from './regrouped-keys.ts';

/** The alerts cannot be moved like this; the message says why, for the person who asked. Asking again is futile. */
export class RegroupRefusedError extends Error {
  override name = 'RegroupRefusedError';
}

export interface Regrouping {
  orgId: string;
  /** The same key again does nothing and answers as before. */
  key: string;
  /** Id of the incident that has the alerts. */
  fromIncident: string;
  /** null: all of them, which merges the incident into the other one. */
  alertIds: number[] | null;
  /** Number of an open incident; of one that was merged, where it went. null: a new incident. */
  into: number | null;
  /** For people to read: a mail address, or 'Holdfast'. */
  actor: string;
  /** What a person decides is remembered for the next sightings of these alerts, and audited. */
  byPerson: boolean;
  /** A sentence; null when nothing is to be said. */
  reason: string | null;
}

interface Ref {
  id: string;
  number: number;
}

/**
 * Moves alerts from one incident to another: the alerts, what finds them, counts, feeds ('joined' there, 'left' here)
 * and a line in both timelines. Both feeds are unread afterwards, owed by nobody: the dispatcher's sweep tells both
 * workflows unless the caller does. Locks alerts in the intake's order, then incidents by id.
 * Throws RegroupRefusedError, and changes nothing then: also where Holdfast itself would put together what people
 * split, page those again who are at work, or open again what was over.
 */
export async function regroup(tx: Tx, args: Regrouping): Promise<{ into: Ref }> {
  const done = await findDone(tx, args);
  if (done) return { into: done };
  const found = await lockAlerts(tx, args);
  const isMerge = args.alertIds === null;
  const { source, target } = await lockIncidents(tx, args.fromIncident, () =>
    args.into === null ? openForAlerts(tx, args, found) : findTarget(tx, args.into),
  );
  if (!args.byPerson) await refuseUnasked(tx, source, target);
  // what joined while the incidents' locks were waited for is left behind by no merge; from here on nothing joins
  const alertIds = isMerge ? await lockAlerts(tx, args) : found;
  const firing = await moveFeeds(tx, args.orgId, alertIds, source, target);
  await moveAlerts(tx, alertIds, target, `moved from #${source.number} by ${args.actor}`);
  await adjustSource(tx, source, target, { moved: alertIds.length, firing, isMerge });
  await adjustTarget(tx, source, target, { moved: alertIds.length, firing, alertIds });
  if (isMerge) await moveKeys(tx, args.orgId, source, target);
  else await splitKeys(tx, args.orgId, source, target);
  if (args.byPerson) await remember(tx, args, alertIds, source, target);
  await keyByGroups(tx, args.orgId, [source.id, target.id]);
  await tell(tx, args, alertIds, source, target);
  await tx
    .insertInto('regroupings')
    .values({
      org_id: args.orgId,
      key: args.key,
      from_incident: source.id,
      into_incident: target.id,
      alert_ids: args.alertIds,
      actor: args.actor,
      reason: args.reason,
    })
    .execute();
  return { into: { id: target.id, number: target.number } };
}

/** An attempt of the same that is under way is waited for: what it does must not be taken for a refusal. */
async function findDone(tx: Tx, { orgId, key }: Regrouping): Promise<Ref | undefined> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`regroup:${orgId}:${key}`}, 0))`.execute(tx);
  return await tx
    .selectFrom('regroupings')
    .innerJoin('incidents', 'incidents.id', 'regroupings.into_incident')
    .select(['incidents.id', 'incidents.number'])
    .where('regroupings.key', '=', key)
    .executeTakeFirst();
}

/**
 * The ids of the alerts that move, none of which changes until the transaction ends. In the order in which the intake
 * takes them: the one would wait for the other and be waited for.
 */
async function lockAlerts(tx: Tx, { fromIncident, alertIds }: Regrouping): Promise<number[]> {
  const chosen = alertIds === null ? sql`true` : sql`id = any(${alertIds}::bigint[])`;
  const { rows } = await sql<{ id: number }>`
    select id from alerts where incident_id = ${fromIncident} and ${chosen}
    order by org_id, integration_id, fingerprint, id for no key update`.execute(tx);
  if (rows.length === 0) throw new RegroupRefusedError('none of these alerts is in this incident any more');
  return rows.map(({ id }) => id);
}

/** Follows what was merged to where it went. */
async function findTarget(tx: Tx, number: number): Promise<Ref> {
  const { rows } = await sql<Ref>`
    with recursive way as (
      select id, number, merged_into, 0 as steps from incidents where number = ${number}
      union all
      select i.id, i.number, i.merged_into, way.steps + 1
      from way join incidents i on i.number = way.merged_into where way.steps < 100
    )
    select id, number from way order by steps desc limit 1`.execute(tx);
  const target = rows[0];
  if (!target) throw new RegroupRefusedError(`there is no incident #${number}`);
  return target;
}

/** A new incident for some of the alerts, named after the worst of them, among those after the oldest. */
async function openForAlerts(tx: Tx, args: Regrouping, alertIds: number[]): Promise<Ref> {
  if (args.alertIds === null) throw new RegroupRefusedError('all alerts of an incident need no new one');
  const { rows: staying } = await sql`
    select 1 from alerts where incident_id = ${args.fromIncident} and id <> all(${alertIds}::bigint[]) limit 1`.execute(
    tx,
  );
  if (staying.length === 0) throw new RegroupRefusedError('these are all alerts of the incident');
  const alert = await tx
    .selectFrom('alerts')
    .select(['name', 'severity', 'severity_rank', 'service', 'labels', 'annotations', 'team_id'])
    .where('id', 'in', alertIds)
    .orderBy('severity_rank')
    .orderBy('id')
    .limit(1)
    .executeTakeFirstOrThrow();
  const { teamId } = rulesForAlert(await readRulesInForce(tx), alert.labels, alert.team_id);
  return await openIncident(tx, { orgId: args.orgId, teamId, alert });
}

interface LockedIncident extends Ref {
  status: string;
  closed: boolean;
  resolved: boolean;
  acknowledged: boolean;
  merged_into: number | null;
  feed_seq: number;
}

/** Of a target that is merged while its lock is waited for, the one that it went to is looked for again. */
async function lockIncidents(
  tx: Tx,
  fromId: string,
  findInto: () => Promise<Ref>,
): Promise<{ source: LockedIncident; target: LockedIncident }> {
  for (;;) {
    const into = await findInto();
    if (into.id === fromId) throw new RegroupRefusedError(`they are in #${into.number} already`);
    const { rows } = await sql<LockedIncident>`
      select id, number, status, closed_at is not null as closed, resolved_at is not null as resolved,
        acknowledged_at is not null as acknowledged, merged_into, feed_seq
      from incidents where id in (${fromId}, ${into.id}) order by id for no key update`.execute(tx);
    const source = rows.find(({ id }) => id === fromId);
    const target = rows.find(({ id }) => id === into.id);
    if (!source || !target)
      throw new Error(`there is no incident ${fromId} or ${into.id} in this organization`);
    if (source.merged_into !== null)
      throw new RegroupRefusedError(`#${source.number} was merged into #${source.merged_into}`);
    if (target.merged_into !== null) continue;
    for (const { number, closed } of [source, target])
      if (closed) throw new RegroupRefusedError(`#${number} is closed`);
    if (target.status === 'false_positive')
      throw new RegroupRefusedError(`#${target.number} was called a false positive`);
    return { source, target };
  }
}

/** What only a person may do. */
async function refuseUnasked(tx: Tx, source: LockedIncident, target: LockedIncident): Promise<void> {
  if (target.resolved) throw new RegroupRefusedError(`#${target.number} is resolved`);
  if (source.acknowledged && !source.resolved && !target.acknowledged)
    throw new RegroupRefusedError(`#${source.number} is acknowledged, and #${target.number} is not`);
  const apart = await findApart(tx, source.id, [target.id]);
  if (apart.length > 0)
    throw new RegroupRefusedError(
      `a person split alerts of #${source.number} from those of #${target.number}`,
    );
}

/**
 * Each alert leaves the one feed and joins the other as it was last told, so that what its workflow has yet to tell
 * counts there. Answers how many of them the incident knew as firing.
 */
async function moveFeeds(
  tx: Tx,
  orgId: string,
  alertIds: number[],
  source: LockedIncident,
  target: LockedIncident,
): Promise<number> {
  const append = (incident: LockedIncident, kind: 'left' | 'joined') => sql`
    insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version)
    select ${orgId}, ${incident.id}, ${incident.feed_seq}::bigint + place, ${kind}, id, told_version from moved
    on conflict (incident_id, alert_id, alert_version, kind) do update set seq = excluded.seq, at = now()`;
  const { rows } = await sql<{ firing: number }>`
    with moved as materialized (
      select a.id, row_number() over (order by a.id) as place, coalesce(told.alert_version, a.version) as told_version,
        coalesce(told.kind, 'joined') <> 'resolved'
          and not (told.kind = 'joined' and told.alert_version = a.version and a.status = 'resolved') as firing
      from alerts a left join lateral (
        select kind, alert_version from incident_feed f where f.incident_id = ${source.id} and f.alert_id = a.id
        order by seq desc limit 1
      ) told on true
      where a.id = any(${alertIds}::bigint[])
    ),
    departed as (${append(source, 'left')}),
    arrived as (${append(target, 'joined')})
    select count(*) filter (where firing) as firing from moved`.execute(tx);
  return rows[0]?.firing ?? 0;
}

async function moveAlerts(tx: Tx, alertIds: number[], target: Ref, reason: string): Promise<void> {
  await sql`
    update alerts a set incident_id = i.id, correlation_reason = ${reason},
      team_id = case when a.team_id = i.team_id then a.team_id end
    from incidents i where i.id = ${target.id} and a.id = any(${alertIds}::bigint[])`.execute(tx);
}

const unread = sql`
  feed_owed_by = case when feed_unread then feed_owed_by end,
  feed_owed_since = case when feed_unread then feed_owed_since else now() end,
  feed_unread = true`;

async function adjustSource(
  tx: Tx,
  source: Ref,
  target: Ref,
  { moved, firing, isMerge }: { moved: number; firing: number; isMerge: boolean },
): Promise<void> {
  await sql`
    update incidents set feed_seq = feed_seq + ${moved}::bigint,
      alert_count = greatest(0, alert_count - ${moved}::integer),
      firing_count = ${isMerge ? sql`0` : sql`greatest(0, firing_count - ${firing}::integer)`},
      merged_into = ${isMerge ? target.number : null}::integer, merge_wanted = null,
      ${unread}
    where id = ${source.id}`.execute(tx);
  if (isMerge) return;
  await sql`
    update incidents i set severity = worst.severity, severity_rank = worst.severity_rank
    from (select severity, severity_rank from alerts where incident_id = ${source.id} order by severity_rank limit 1) worst
    where i.id = ${source.id}`.execute(tx);
}

async function adjustTarget(
  tx: Tx,
  source: Ref,
  target: Ref,
  { moved, firing, alertIds }: { moved: number; firing: number; alertIds: number[] },
): Promise<void> {
  await sql`
    update incidents set feed_seq = feed_seq + ${moved}::bigint, alert_count = alert_count + ${moved}::integer,
      firing_count = firing_count + ${firing}::integer,
      truncated_count = greatest(truncated_count, came.truncated),
      last_alert_at = greatest(last_alert_at, came.last_at),
      severity = case when came.severity_rank < incidents.severity_rank then came.severity else incidents.severity end,
      severity_rank = least(incidents.severity_rank, came.severity_rank),
      merge_wanted = nullif(merge_wanted, ${source.id}::uuid),
      ${unread}
    from (
      select max(truncated) as truncated, max(received_at) as last_at, min(severity_rank) as severity_rank,
        (array_agg(severity order by severity_rank))[1] as severity
      from alerts where id = any(${alertIds}::bigint[])
    ) came
    where incidents.id = ${target.id}`.execute(tx);
}

async function remember(
  tx: Tx,
  args: Regrouping,
  alertIds: number[],
  source: Ref,
  target: Ref,
): Promise<void> {
  const { orgId, actor } = args;
  const isMerge = args.alertIds === null;
  if (!isMerge) {
    await rememberApart(tx, { orgId, actor, number: source.number, incidentId: source.id, alertIds });
  }
  if (args.into !== null) {
    await rememberTogether(tx, { orgId, actor, number: target.number, incidentId: target.id });
  }
  await recordAudit(tx, {
    orgId,
    actor,
    action: isMerge ? 'incident.merged' : 'incident.split',
    subject: `incident:${source.number}`,
    data: {
      into: target.number,
      alerts: alertIds.length,
      ...(isMerge ? {} : { alertIds: alertIds.slice(0, 100) }),
    },
  });
}

async function tell(
  tx: Tx,
  { orgId, key, actor, reason, alertIds: chosen }: Regrouping,
  alertIds: number[],
  source: Ref,
  target: Ref,
): Promise<void> {
  const alerts = alertIds.length === 1 ? '1 alert' : `${alertIds.length} alerts`;
  const isMerge = chosen === null;
  const why = reason === null ? '' : `: ${reason}`;
  const lines = [
    {
      incident: source,
      summary: isMerge
        ? `merged into #${target.number} with ${alerts}${why}`
        : `${alerts} moved to #${target.number}${why}`,
    },
    {
      incident: target,
      summary: isMerge
        ? `#${source.number} was merged into this incident with ${alerts}${why}`
        : `${alerts} moved here from #${source.number}${why}`,
    },
  ];
  const data = { from: source.number, into: target.number, alerts: alertIds.length, merged: isMerge };
  await tx
    .insertInto('timeline')
    .values(
      lines.map(({ incident, summary }) => ({
        org_id: orgId,
        incident_id: incident.id,
        kind: 'regrouped',
        actor,
        summary,
        data: JSON.stringify(data),
        dedup_key: `regroup:${key}`,
      })),
    )
    .execute();
}
