import { sql } from 'kysely';
import { type AlertView, changeToReport } from '../domain/alert-lifecycle.ts';
import { type CorrelationCandidate, correlate, correlationKeys } from '../domain/correlation.ts';
import { matchesGlob } from '../domain/glob.ts';
import type { AlertStatus } from '../domain/incident-status.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { feedRest } from './incident-feed.ts';
import { correlationRulesOf } from './settings.ts';

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
  fingerprint: string;
  status: AlertStatus;
  name: string;
  severity: Severity;
  severity_rank: number;
  service: string | null;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  version: number;
  last_seen_at: Date;
  truncated: number;
  incident_id: string | null;
  correlation_reason: string | null;
  resend_interval_ms: number;
  alertmanager_url: string | null;
  now: Date;
  /** The organization's rules. */
  correlation: unknown;
}

/**
 * Looks at an alert's row, finds or makes its incident, and tells the incident's feed what has changed since
 * `before`. One short transaction; a second run of the same sighting changes nothing and owes the same signal.
 * What a storm waits for is this transaction's round trips (three of them under the organization's lock), so
 * joining is one statement.
 */
export async function observeAlert(
  tx: Tx,
  args: { orgId: string; alertId: number; before: Pick<AlertView, 'status' | 'severity'> | null },
): Promise<Sighting> {
  const { orgId } = args;
  const alert = await lockAlert(tx, args.alertId);
  const incident = alert.incident_id ? await holdIncident(tx, alert.incident_id) : null;
  // resolved by a person while it went on firing, and closed since: what fires is never dropped
  const isOver = incident?.closed && incident.status === 'resolved' && alert.status !== 'resolved';
  const told =
    !incident || isOver
      ? await joinIncident(tx, orgId, alert)
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

async function tellIncident(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  incident: HeldIncident,
  known: Pick<AlertView, 'status' | 'severity'> | null,
): Promise<Pick<Sighting, 'incident' | 'owesSignal'>> {
  const { id, number } = incident;
  const change = changeToReport(known ?? (await lastReported(tx, alert, id)), alert);
  const reported = change && !incident.closed ? await report(tx, orgId, alert, id, change) : null;
  const { feed_unread, feed_owed_by } = reported ?? incident;
  const owesSignal = !incident.closed && feed_unread && feed_owed_by === alert.id;
  return { incident: { id, number }, owesSignal };
}

/** What the incident knows of the alert, for a workflow that does not know what it told: it was begun again. */
async function lastReported(
  tx: Tx,
  alert: AlertRow,
  incidentId: string,
): Promise<Pick<AlertView, 'status' | 'severity'> | null> {
  const told = await tx
    .selectFrom('incident_feed')
    .select(['kind', 'alert_version'])
    .where('incident_id', '=', incidentId)
    .where('alert_id', '=', alert.id)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!told) return null;
  if (told.alert_version === alert.version) return alert;
  const { kind } = told;
  // what was resolved when it joined has no later version
  const status = kind === 'stale' || kind === 'resolved' ? kind : 'firing';
  return { status, severity: alert.severity };
}

/** Marks a firing alert as stale unless it was seen since `lastSeenAt`. False when it was, or is resolved. */
export async function markStale(tx: Tx, alertId: number, lastSeenAt: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('alerts')
    .set((eb) => ({
      status: 'stale',
      version: eb('version', '+', 1),
      dispatched_version: eb('version', '+', 1),
    }))
    .where('id', '=', alertId)
    .where('status', '=', 'firing')
    // the column has microseconds, the workflow's clock milliseconds
    .where('last_seen_at', '<', new Date(lastSeenAt + 1))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * What Alertmanager said when it was asked about an alert that had not been seen since `lastSeenAt`. An alert that
 * came again meanwhile says more than that answer.
 */
export async function recordProbe(
  tx: Tx,
  alertId: number,
  lastSeenAt: number,
  firing: boolean,
): Promise<void> {
  await tx
    .updateTable('alerts')
    .set((eb) =>
      firing
        ? { last_seen_at: sql<Date>`now()` }
        : {
            status: 'resolved',
            resolved_at: sql<Date>`now()`,
            ends_at: sql<Date>`now()`,
            version: eb('version', '+', 1),
            dispatched_version: eb('version', '+', 1),
          },
    )
    .where('id', '=', alertId)
    .where('status', '<>', 'resolved')
    .where('last_seen_at', '<', new Date(lastSeenAt + 1))
    .execute();
}

async function lockAlert(tx: Tx, alertId: number): Promise<AlertRow> {
  const { rows } = await sql<AlertRow>`
    select a.id, a.integration_id, a.fingerprint, a.status, a.name, a.severity, a.severity_rank, a.service, a.labels,
      a.annotations, a.version, a.last_seen_at, a.truncated, a.incident_id, a.correlation_reason, i.resend_interval_ms, i.alertmanager_url,
      now() as now, (select definition from correlation_rules where team_id is null) as correlation
    from alerts a join integrations i on i.id = a.integration_id
    where a.id = ${alertId}
    for update of a`.execute(tx);
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
}

/** Keeps an open incident from being closed until this transaction ends. */
async function holdIncident(tx: Tx, incidentId: string): Promise<HeldIncident> {
  const { rows } = await sql<HeldIncident>`
    select id, number, status, closed_at is not null as closed, feed_unread, feed_owed_by
    from incidents where id = ${incidentId} for no key update`.execute(tx);
  const row = rows[0];
  if (!row) throw new Error(`there is no incident ${incidentId} in this organization`);
  return row;
}

/**
 * Chooses or creates. The lock is the organization's and is held to the end of this transaction, which is a matter
 * of milliseconds: two alerts of one outage must not open two incidents.
 */
async function joinIncident(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
): Promise<Pick<Sighting, 'incident' | 'owesSignal'>> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`correlate:${orgId}`}, 0))`.execute(tx);
  const rules = correlationRulesOf(alert.correlation);
  const keys = correlationKeys(
    {
      integrationId: alert.integration_id,
      fingerprint: alert.fingerprint,
      service: alert.service,
      labels: alert.labels,
    },
    rules,
  );
  // a candidate may be closed between being found and being joined: then it is none when they are looked for again
  for (;;) {
    const decision = correlate(await findCandidates(tx, orgId, keys), rules, alert.now.getTime());
    const { reason } = decision;
    const { id, number } =
      decision.action === 'join'
        ? { id: decision.incidentId, number: decision.number }
        : await createIncident(tx, orgId, alert);
    const joined = await report(tx, orgId, alert, id, 'joined', { keys, reason });
    if (!joined) continue;
    return { incident: { id, number }, owesSignal: joined.feed_unread && joined.feed_owed_by === alert.id };
  }
}

async function findCandidates(tx: Tx, orgId: string, keys: string[]): Promise<CorrelationCandidate[]> {
  const { rows } = await sql<{
    id: string;
    number: number;
    status: string;
    last_alert_at: Date;
    keys: string[];
  }>`
    select i.id, i.number, i.status, i.last_alert_at, array_agg(k.key) as keys
    from incident_keys k join incidents i on i.id = k.incident_id
    where k.org_id = ${orgId} and k.key = any(${keys}::text[]) and i.closed_at is null
    group by i.id
    order by i.last_alert_at desc
    limit 50`.execute(tx);
  return rows.map((row) => ({
    incidentId: row.id,
    number: row.number,
    falsePositive: row.status === 'false_positive',
    lastAlertAt: row.last_alert_at.getTime(),
    sharedKeys: row.keys,
  }));
}

async function createIncident(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
): Promise<{ id: string; number: number }> {
  const { rows } = await sql<{ id: string; number: number }>`
    with numbered as (
      update organizations set next_incident_number = next_incident_number + 1
      where org_id = ${orgId} returning next_incident_number - 1 as number
    )
    insert into incidents (org_id, team_id, number, title, severity, severity_rank, service, labels)
    select ${orgId}, ${await teamFor(tx, alert)}, number, ${titleOf(alert)}, ${alert.severity},
      ${alert.severity_rank}, ${alert.service}, ${JSON.stringify(alert.labels)}
    from numbered
    returning id, number`.execute(tx);
  const created = rows[0];
  if (!created) throw new Error(`there is no organization ${orgId}`);
  return created;
}

function titleOf(alert: AlertRow): string {
  const summary = alert.annotations.summary?.trim();
  const title = summary || (alert.service ? `${alert.name} on ${alert.service}` : alert.name);
  return title.length > 200 ? `${title.slice(0, 199)}…` : title;
}

/** The first team, by name, all of whose label globs the alert matches. */
async function teamFor(tx: Tx, alert: AlertRow): Promise<string | null> {
  const teams = await tx.selectFrom('teams').select(['id', 'match']).orderBy('slug').execute();
  const team = teams.find(({ match }) => {
    const rules = Object.entries(match);
    return rules.length > 0 && rules.every(([label, glob]) => matchesGlob(glob, alert.labels[label] ?? ''));
  });
  return team?.id ?? null;
}

/**
 * Appends to the incident's feed under its row lock, and keeps what follows from its alerts alone: counts,
 * worst severity, the timeline; for an alert that joins, by which keys it is found and why it is there. Only the
 * flip from read to unread is worth a signal; who flipped it is written down, so that a sighting that runs twice
 * still sends it. A feed that was read a moment ago is owed by nobody: the dispatcher's sweep signals it, so that
 * a storm costs the incident's workflow a message a second and not one for every alert or two.
 * @returns null when the incident is closed
 */
async function report(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  incidentId: string,
  change: FeedChange,
  joining: { keys: string[]; reason: string } | null = null,
): Promise<FeedState | null> {
  const firing = change === 'resolved' ? -1 : change === 'joined' && alert.status !== 'resolved' ? 1 : 0;
  const { rows } = await sql<FeedState>`
    with incident as (
      select id, feed_seq, feed_unread, feed_owed_by from incidents
      where id = ${incidentId} and closed_at is null for no key update
    ), keyed as (
      insert into incident_keys (org_id, key, incident_id)
      select ${orgId}, key, incident.id from incident, unnest(${joining?.keys ?? []}::text[]) as key
      on conflict do nothing
    ), joined as (
      update alerts set incident_id = incident.id, correlation_reason = ${joining?.reason ?? null}
      from incident where alerts.id = ${alert.id} and ${joining !== null}
    ), appended as (
      insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version)
      select ${orgId}, id, feed_seq + 1, ${change}, ${alert.id}, ${alert.version} from incident
      on conflict (incident_id, alert_id, alert_version, kind) do nothing
      returning seq
    ), told as (
      insert into timeline (org_id, incident_id, kind, actor, summary, data, dedup_key)
      select ${orgId}, ${incidentId}, ${`alert_${change}`}, 'Alertmanager', ${summaryOf(alert, change)},
        ${JSON.stringify({ alertId: alert.id, severity: alert.severity, reason: joining?.reason ?? alert.correlation_reason })}::jsonb,
        ${`alert:${alert.id}:${alert.version}:${change}`}
      from appended
      on conflict (incident_id, dedup_key) do nothing
    ), changed as (
      update incidents i set
        feed_seq = appended.seq,
        feed_owed_by = case
          when i.feed_unread then i.feed_owed_by
          when i.feed_read_at > now() - ${feedRest} then null
          else ${alert.id} end,
        feed_owed_since = case when i.feed_unread then i.feed_owed_since else now() end,
        feed_unread = true,
        alert_count = i.alert_count + ${change === 'joined' ? 1 : 0},
        firing_count = greatest(0, i.firing_count + ${firing}),
        truncated_count = greatest(i.truncated_count, ${alert.truncated}),
        last_alert_at = case when ${change === 'joined' || change === 'firing'} then now() else i.last_alert_at end,
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

type FeedChange = NonNullable<ReturnType<typeof changeToReport>>;

const changeWords = {
  joined: 'fired',
  resolved: 'resolved',
  stale: 'is stale: it was not seen again when it should have been',
  firing: 'fires again',
  updated: 'changed severity',
} as const;

function summaryOf(alert: AlertRow, change: FeedChange): string {
  const where = alert.service ? ` on ${alert.service}` : '';
  const truncated = alert.truncated > 0 ? ` (its sender left out ${alert.truncated} more of its group)` : '';
  const words = `${changeWords[change]}${change === 'updated' ? ` to ${alert.severity}` : ''}`;
  return `${alert.name}${where} ${words}${truncated}`;
}
