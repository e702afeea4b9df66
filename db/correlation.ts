import { type RawBuilder, sql } from 'kysely';
import { type AlertView, changeToReport } from '../domain/alert-lifecycle.ts';
import { correlate } from '../domain/correlation/correlate.ts';
import { type Episode, isFlapping } from '../domain/correlation/flapping.ts';
import { correlationKeys, identityKeys, rememberedKeys } from '../domain/correlation/keys.ts';
import type { AlertStatus } from '../domain/incident-status.ts';
import type { Severity } from '../domain/severity.ts';
import { type CandidateQuestion, findCandidates } from './correlation-candidates.ts';
import { asCorrelated, type CorrelationContext, readCorrelationContext } from './correlation-context.ts';
import { groupKey } from './correlation-memory.ts';
import { rulesForAlert } from './correlation-rules.ts';
import type { Tx } from './database.ts';
import { feedRest } from './incident-feed.ts';
import { openIncident } from './incident-opening.ts';
import { holdIncidents, wantMerges } from './wanted-merges.ts';

/** What the workflow of an alert learns when it looks at its row. */
export interface Sighting extends AlertView {
  name: string;
  fingerprint: string;
  alertmanagerUrl: string | null;
  incident: { id: string; number: number };
  /** Whether the incident's feed went from read to unread by this sighting: then it owes the signal. */
  owesSignal: boolean;
}

interface AlertRow {
  id: number;
  integration_id: string;
  /** That it came with. */
  team_id: string | null;
  fingerprint: string;
  status: AlertStatus;
  name: string;
  severity: Severity;
  severity_rank: number;
  service: string | null;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  version: number;
  received_at: Date;
  last_seen_at: Date;
  truncated: number;
  incident_id: string | null;
  correlation_reason: string | null;
  resend_interval_ms: number;
  alertmanager_url: string | null;
  now: Date;
  /** What people decided on it: the group that it belongs to, and those that it was split from. */
  group_id: string | null;
  apart_from: string[];
  /** Its episodes of the last day, for one that has no incident yet; epoch milliseconds. */
  episodes: { started: number; ended: number }[];
}

/** How long the organization's lock was waited for and since when it is held, for those who measure. */
export interface LockTimes {
  waitedMs?: number;
  /** By `performance.now()`; the lock is given back with the end of the transaction. */
  takenAt?: number;
}

export interface ObserveArgs {
  orgId: string;
  alertId: number;
  before: Pick<AlertView, 'status' | 'severity'> | null;
  /** Read from the database where it is not given. */
  context?: CorrelationContext;
  /** Filled in where the lock was needed. */
  lock?: LockTimes;
}

/**
 * Looks at an alert's row, finds or makes its incident, and tells the incident's feed what has changed since
 * `before`. One short transaction; a second run of the same sighting changes nothing and owes the same signal.
 * What a storm waits for is this transaction's round trips (looking for incidents and joining one are a statement
 * each), of which only what opens an incident makes others wait.
 */
export async function observeAlert(tx: Tx, args: ObserveArgs): Promise<Sighting> {
  const { orgId } = args;
  const alert = await lockAlert(tx, args.alertId);
  const incident = alert.incident_id ? await holdIncident(tx, alert.incident_id, alert.id) : null;
  const told =
    !incident || (alert.status !== 'resolved' && drops(incident))
      ? await joinIncident(
          tx,
          { ...args, context: args.context ?? (await readCorrelationContext(tx)) },
          alert,
        )
      : await tellIncident(tx, orgId, alert, incident, args.before);
  return {
    version: alert.version,
    status: alert.status,
    severity: alert.severity,
    lastSeenAt: alert.last_seen_at.getTime(),
    resendIntervalMs: alert.resend_interval_ms,
    name: alert.name,
    fingerprint: alert.fingerprint,
    alertmanagerUrl: alert.alertmanager_url,
    ...told,
  };
}

/**
 * Whether the incident can do nothing for an alert that fires: resolved by a person while it went on firing, and closed
 * since; called a false positive before the alert came; merged without it. What fires is never dropped.
 */
function drops({ closed, status, merged, came_after: cameAfter }: HeldIncident): boolean {
  return merged || (closed && (status === 'resolved' || (status === 'false_positive' && cameAfter)));
}

async function tellIncident(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  incident: HeldIncident,
  known: Pick<AlertView, 'status' | 'severity'> | null,
): Promise<Pick<Sighting, 'incident' | 'owesSignal'>> {
  const { id, number } = incident;
  const told = lastReported(alert, incident);
  // this sighting was told already, perhaps in another incident from which the alert came with what it had told
  const change = changeToReport(told === alert ? alert : (known ?? told), alert);
  const reported = change && !incident.closed ? await report(tx, orgId, alert, id, change) : null;
  const { feed_unread, feed_owed_by } = reported ?? incident;
  const owesSignal = !incident.closed && feed_unread && feed_owed_by === alert.id;
  return { incident: { id, number }, owesSignal };
}

/** What the incident knows of the alert: the alert itself where all of it was told, null where nothing was. */
function lastReported(
  alert: AlertRow,
  { told_kind: kind, told_version: version }: HeldIncident,
): Pick<AlertView, 'status' | 'severity'> | null {
  if (kind === null || version === null) return null;
  if (version >= alert.version) return alert;
  // what was resolved when it joined has no later version
  const status = kind === 'stale' || kind === 'resolved' ? kind : 'firing';
  return { status, severity: alert.severity };
}

/** What rules of flapping can ask for at most. */
const episodesLimit = 500;

/**
 * Keeps the row as it is until the transaction ends, and writes down that this version of it was looked at; for one
 * that has no incident yet, joining writes it with the rest, so that the row is written once.
 */
async function lockAlert(tx: Tx, alertId: number): Promise<AlertRow> {
  const { rows } = await sql<AlertRow>`
    with locked as materialized (
      select * from alerts where id = ${alertId} for update
    ), seen as (
      update alerts a set seen_version = locked.version
      from locked where a.id = locked.id and locked.incident_id is not null
    )
    select a.id, a.integration_id, a.team_id, a.fingerprint, a.status, a.name, a.severity, a.severity_rank, a.service, a.labels,
      a.annotations, a.version, a.received_at, a.last_seen_at, a.truncated, a.incident_id, a.correlation_reason,
      i.resend_interval_ms, i.alertmanager_url, now() as now, m.group_id, coalesce(m.apart_from, '{}') as apart_from,
      case when a.incident_id is null then (
        select coalesce(json_agg(json_build_object('started', extract(epoch from received_at) * 1000,
          'ended', extract(epoch from resolved_at) * 1000)), '[]')
        from (select received_at, resolved_at from alerts e
          where e.org_id = a.org_id and e.integration_id = a.integration_id and e.fingerprint = a.fingerprint
            and e.status = 'resolved' and e.id < a.id and e.resolved_at > now() - interval '1 day'
          order by e.id desc limit ${episodesLimit}) earlier
      ) else '[]' end as episodes
    from locked a
    join integrations i on i.id = a.integration_id
    left join correlation_memory m on m.org_id = a.org_id and m.integration_id = a.integration_id
      and m.fingerprint = a.fingerprint`.execute(tx);
  const row = rows[0];
  if (!row) throw new Error(`there is no alert ${alertId} in this organization`);
  return row;
}

interface FeedState {
  feed_unread: boolean;
  feed_owed_by: number | null;
}

interface HeldIncident extends FeedState {
  id: string;
  number: number;
  status: string;
  closed: boolean;
  merged: boolean;
  /** Kind and version of what its feed has last of the alert; null where it has nothing. */
  told_kind: string | null;
  told_version: number | null;
  /** Whether the alert joined after the incident was resolved. */
  came_after: boolean;
}

/**
 * Keeps an open incident from being closed until this transaction ends. Nobody else writes of the alert into its feed
 * meanwhile: that needs the alert's lock.
 */
async function holdIncident(tx: Tx, incidentId: string, alertId: number): Promise<HeldIncident> {
  const { rows } = await sql<HeldIncident>`
    select i.id, i.number, i.status, i.closed_at is not null as closed, i.merged_into is not null as merged,
      i.feed_unread, i.feed_owed_by, told.kind as told_kind, told.alert_version as told_version,
      coalesce(told.joined_at > i.resolved_at, false) as came_after
    from incidents i left join lateral (
      select kind, alert_version, max(at) filter (where kind = 'joined') over () as joined_at
      from incident_feed f where f.incident_id = ${incidentId} and f.alert_id = ${alertId}
      order by seq desc limit 1
    ) told on true
    where i.id = ${incidentId} for no key update of i`.execute(tx);
  const row = rows[0];
  if (!row) throw new Error(`there is no incident ${incidentId} in this organization`);
  return row;
}

/**
 * Chooses or creates. Two alerts of one outage must not open two incidents, so whatever finds nothing to join looks
 * again under the organization's lock, which is held to the end of this transaction: a matter of milliseconds. What
 * joins needs no lock but the incident's own: however many more incidents are opened beside it, this one is open.
 */
async function joinIncident(
  tx: Tx,
  { orgId, context, lock }: ObserveArgs & { context: CorrelationContext },
  alert: AlertRow,
): Promise<Pick<Sighting, 'incident' | 'owesSignal'>> {
  const { teamId, rules } = rulesForAlert(context.inForce, alert.labels, alert.team_id);
  // of an alert that has been going on since before its last incident was closed, it is the last sight that counts
  const at = (alert.incident_id === null ? alert.received_at : alert.last_seen_at).getTime();
  const { service, name, labels } = alert;
  const newAlert = asCorrelated(context, { service, name, labels, at });
  const identity = identityKeys({
    integrationId: alert.integration_id,
    fingerprint: alert.fingerprint,
    groupId: alert.group_id,
  });
  const keys = [...identity, ...rememberedKeys(newAlert, rules)];
  const question: CandidateQuestion = {
    orgId,
    fingerprint: identity[0] ?? '',
    group: identity[1] ?? null,
    apart: alert.apart_from.map(groupKey),
    evidence: correlationKeys(newAlert, context.graph, rules),
    since: new Date(at - rules.lookBackMs),
    labels: Object.keys(rules.labelWeights).flatMap((name) => {
      const key = keys.find((remembered) => remembered.startsWith(`label.${name}=`));
      return key === undefined ? [] : [{ name, key }];
    }),
  };
  const flaps = isFlapping(episodesOf(alert), rules.flapping, alert.now.getTime());
  const decide = async () =>
    correlate(
      { candidates: await findCandidates(tx, question), graph: context.graph, rules, now: at },
      newAlert,
    );
  let decision = await decide();
  // a candidate may be closed, merged or called a false positive between being found and being joined: then it is none
  // when they are looked for again
  for (let isLocked = false; ; decision = await decide()) {
    if (decision.action === 'create' && !isLocked) {
      await takeLock(tx, orgId, lock);
      isLocked = true;
      continue;
    }
    const { id, number } =
      decision.action === 'join'
        ? { id: decision.incidentId, number: decision.number }
        : await openIncident(tx, { orgId, teamId, alert });
    if (decision.action === 'join' && decision.merge.length > 0) {
      await holdIncidents(tx, [id, ...decision.merge.map(({ incidentId }) => incidentId)]);
    }
    const { reason } = decision;
    const joined = await report(tx, orgId, alert, id, 'joined', { keys, reason, flaps, at: new Date(at) });
    if (!joined) continue;
    if (decision.action === 'join') await wantMerges(tx, { id, number }, decision.merge);
    return { incident: { id, number }, owesSignal: joined.feed_unread && joined.feed_owed_by === alert.id };
  }
}

async function takeLock(tx: Tx, orgId: string, lock: LockTimes | undefined): Promise<void> {
  const askedAt = performance.now();
  await sql`select pg_advisory_xact_lock(hashtextextended(${`correlate:${orgId}`}, 0))`.execute(tx);
  if (!lock) return;
  lock.takenAt = performance.now();
  lock.waitedMs = lock.takenAt - askedAt;
}

/** This episode and those before it, as far as they may be of one flapping. */
function episodesOf(alert: AlertRow): Episode[] {
  return [
    { startedAt: alert.received_at.getTime(), endedAt: null },
    ...alert.episodes.map(({ started, ended }) => ({ startedAt: started, endedAt: ended })),
  ];
}

/**
 * Appends to the incident's feed under its row lock, and keeps what follows from its alerts alone: counts,
 * worst severity, the timeline; for an alert that joins, by which keys it is found and why it is there. Only the
 * flip from read to unread is worth a signal; who flipped it is written down, so that a sighting that runs twice
 * still sends it. A feed that was read a moment ago is owed by nobody unless it is urgent: the dispatcher's sweep
 * signals it, so that a storm costs the incident's workflow a message a second or less and not one for every alert.
 * @returns null when the incident is closed or merged, or a false positive that an alert was to join
 */
async function report(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  incidentId: string,
  change: FeedChange,
  joining: { keys: string[]; reason: string; flaps: boolean; at: Date } | null = null,
): Promise<FeedState | null> {
  const firing = change === 'resolved' ? -1 : change === 'joined' && alert.status !== 'resolved' ? 1 : 0;
  const { rows } = await sql<FeedState>`
    with incident as (
      select id, team_id, feed_seq, feed_unread, feed_owed_by from incidents
      where id = ${incidentId} and closed_at is null and merged_into is null
        and (${joining === null} or status <> 'false_positive')
      for no key update
    ), keyed as (
      insert into incident_keys (org_id, key, incident_id, first_at, last_at)
      select ${orgId}, key, incident.id, ${joining?.at ?? null}::timestamptz, ${joining?.at ?? null}::timestamptz
      from incident, unnest(${joining?.keys ?? []}::text[]) as key
      on conflict (org_id, key, incident_id) do update
        set first_at = least(incident_keys.first_at, excluded.first_at),
          last_at = greatest(incident_keys.last_at, excluded.last_at)
        where excluded.first_at < incident_keys.first_at
          or excluded.last_at > incident_keys.last_at + ${keyGrain}
    ), joined as (
      update alerts set incident_id = incident.id, correlation_reason = ${joining?.reason ?? null},
        flapping = ${joining?.flaps ?? false}, seen_version = ${alert.version},
        -- whoever sees the incident sees its alerts, whatever team one came with
        team_id = case when alerts.team_id = incident.team_id then alerts.team_id end
      from incident where alerts.id = ${alert.id} and ${joining !== null}
    ), appended as (
      insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version)
      select ${orgId}, id, feed_seq + 1, ${change}, ${alert.id}, ${alert.version} from incident
      on conflict (incident_id, alert_id, alert_version, kind) do nothing
      returning seq
    ), told as (
      insert into timeline (org_id, incident_id, kind, actor, summary, data, dedup_key)
      select ${orgId}, ${incidentId}, ${`alert_${change}`}, 'Alertmanager', ${summaryOf(alert, change, joining?.flaps ?? false)},
        ${JSON.stringify({ alertId: alert.id, severity: alert.severity, reason: joining?.reason ?? alert.correlation_reason })}::jsonb,
        ${`alert:${alert.id}:${alert.version}:${change}`}
      from appended
      on conflict (incident_id, dedup_key) do nothing
    ), changed as (
      update incidents i set
        feed_seq = appended.seq,
        feed_owed_by = case
          when ${isUrgent(alert, firing)} then ${alert.id}
          when i.feed_unread then i.feed_owed_by
          when i.feed_read_at > now() - ${feedRest} then null
          else ${alert.id} end,
        feed_owed_since = case when i.feed_unread then i.feed_owed_since else now() end,
        feed_unread = true,
        alert_count = i.alert_count + ${change === 'joined' ? 1 : 0},
        firing_count = greatest(0, i.firing_count + ${firing}),
        truncated_count = greatest(i.truncated_count, ${alert.truncated}),
        last_alert_at = greatest(i.last_alert_at, ${change === 'firing' ? sql`now()` : (joining?.at ?? null)}::timestamptz),
        severity = case when ${alert.severity_rank} < i.severity_rank then ${alert.severity} else i.severity end,
        severity_rank = least(i.severity_rank, ${alert.severity_rank})
      from appended where i.id = ${incidentId}
      returning i.feed_unread, i.feed_owed_by
    )
    select coalesce(changed.feed_unread, incident.feed_unread) as feed_unread,
      case when changed.feed_unread then changed.feed_owed_by else incident.feed_owed_by end as feed_owed_by
    from incident left join changed on true`.execute(tx);
  return rows[0] ?? null;
}

/** It gets worse, it is over, or it begins again: none of that waits until the feed has rested. */
function isUrgent(alert: AlertRow, firing: number): RawBuilder<boolean> {
  return sql<boolean>`(${alert.severity_rank} < i.severity_rank
    or (${firing} < 0 and i.firing_count <= 1)
    or (${firing} > 0 and i.resolved_at is not null and (not i.feed_unread or i.feed_owed_by is null)))`;
}

/** In a storm the same keys come again and again: when they came last need not be known more exactly. */
const keyGrain = sql`interval '1 second'`;

type FeedChange = NonNullable<ReturnType<typeof changeToReport>>;

const changeWords = {
  joined: 'fired',
  resolved: 'resolved',
  stale: 'is stale: it was not seen again when it should have been',
  firing: 'fires again',
  updated: 'changed severity',
} as const;

function summaryOf(alert: AlertRow, change: FeedChange, flaps: boolean): string {
  const where = alert.service ? ` on ${alert.service}` : '';
  const truncated = alert.truncated > 0 ? ` (its sender left out ${alert.truncated} more of its group)` : '';
  const words = `${changeWords[change]}${change === 'updated' ? ` to ${alert.severity}` : ''}`;
  const flapping = flaps ? `; it flaps: ${alert.episodes.length} episodes came before within a day` : '';
  return `${alert.name}${where} ${words}${truncated}${flapping}`;
}
