import { sql } from 'kysely';
import { type AlertView, changeToReport } from '../domain/alert-lifecycle.ts';
import {
  type CorrelationCandidate,
  type CorrelationRules,
  correlate,
  correlationKeys,
} from '../domain/correlation.ts';
import { matchesGlob } from '../domain/glob.ts';
import type { AlertStatus } from '../domain/incident-status.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { readCorrelationRules } from './settings.ts';

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
  resend_interval_ms: number;
  alertmanager_url: string | null;
  now: Date;
}

/**
 * Looks at an alert's row, finds or makes its incident, and tells the incident's feed what has changed since
 * `before`. One short transaction; a second run of the same sighting changes nothing and owes the same signal.
 */
export async function observeAlert(
  tx: Tx,
  args: { orgId: string; alertId: number; before: Pick<AlertView, 'status' | 'severity'> | null },
): Promise<Sighting> {
  const alert = await lockAlert(tx, args.alertId);
  let incident = alert.incident_id ? await incidentOf(tx, alert.incident_id) : null;
  let before = args.before;
  // resolved by a person while it went on firing, and closed since: what fires is never dropped
  if (incident?.closed && incident.status === 'resolved' && alert.status !== 'resolved') incident = null;
  let joined = false;
  if (!incident) {
    incident = await chooseOrCreate(tx, args.orgId, alert);
    joined = true;
    before = null;
  }
  before ??= joined ? null : await lastReported(tx, alert, incident.id);
  const change = changeToReport(before, alert);
  const owesSignal = incident.closed ? false : await report(tx, args.orgId, alert, incident.id, change);
  return {
    version: alert.version,
    status: alert.status,
    severity: alert.severity,
    lastSeenAt: alert.last_seen_at.getTime(),
    resendIntervalMs: alert.resend_interval_ms,
    name: alert.name,
    fingerprint: alert.fingerprint,
    alertmanagerUrl: alert.alertmanager_url,
    incident: { id: incident.id, number: incident.number },
    owesSignal,
  };
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
      a.annotations, a.version, a.last_seen_at, a.truncated, a.incident_id, i.resend_interval_ms, i.alertmanager_url,
      now() as now
    from alerts a join integrations i on i.id = a.integration_id
    where a.id = ${alertId}
    for update of a`.execute(tx);
  const row = rows[0];
  if (!row) throw new Error(`there is no alert ${alertId} in this organization`);
  return row;
}

interface IncidentRef {
  id: string;
  number: number;
  status: string;
  closed: boolean;
}

async function incidentOf(tx: Tx, incidentId: string): Promise<IncidentRef> {
  const isOpen = await holdOpen(tx, incidentId);
  const row = await tx
    .selectFrom('incidents')
    .select(['id', 'number', 'status'])
    .where('id', '=', incidentId)
    .executeTakeFirstOrThrow();
  return { ...row, closed: !isOpen };
}

/** Keeps the incident from being closed until this transaction ends; false when it is closed already. */
async function holdOpen(tx: Tx, incidentId: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from incidents where id = ${incidentId} and closed_at is null for no key update`.execute(tx);
  return rows.length > 0;
}

/**
 * The lock is the organization's and is held to the end of this transaction, which is a matter of milliseconds:
 * two alerts of one outage must not open two incidents.
 */
async function chooseOrCreate(tx: Tx, orgId: string, alert: AlertRow): Promise<IncidentRef> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`correlate:${orgId}`}, 0))`.execute(tx);
  const rules = await readCorrelationRules(tx);
  const keys = correlationKeys(
    {
      integrationId: alert.integration_id,
      fingerprint: alert.fingerprint,
      service: alert.service,
      labels: alert.labels,
    },
    rules,
  );
  const { incident, reason } = await decide(tx, orgId, alert, keys, rules);
  await sql`
    insert into incident_keys (org_id, key, incident_id)
    select ${orgId}, key, ${incident.id} from unnest(${keys}::text[]) as key
    on conflict do nothing`.execute(tx);
  await tx
    .updateTable('alerts')
    .set({ incident_id: incident.id, correlation_reason: reason })
    .where('id', '=', alert.id)
    .execute();
  return incident;
}

/** A candidate may be closed between being found and being held: then it is not one when they are looked for again. */
async function decide(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  keys: string[],
  rules: CorrelationRules,
): Promise<{ incident: IncidentRef; reason: string }> {
  for (;;) {
    const decision = correlate(await findCandidates(tx, orgId, keys), rules, alert.now.getTime());
    if (decision.action === 'create') {
      return { incident: await createIncident(tx, orgId, alert), reason: decision.reason };
    }
    const { incidentId: id, number, reason } = decision;
    if (await holdOpen(tx, id)) return { incident: { id, number, status: '', closed: false }, reason };
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

async function createIncident(tx: Tx, orgId: string, alert: AlertRow): Promise<IncidentRef> {
  const { rows } = await sql<{ number: number }>`
    update organizations set next_incident_number = next_incident_number + 1
    where org_id = ${orgId} returning next_incident_number - 1 as number`.execute(tx);
  const number = rows[0]?.number;
  if (number === undefined) throw new Error(`there is no organization ${orgId}`);
  const created = await tx
    .insertInto('incidents')
    .values({
      org_id: orgId,
      team_id: await teamFor(tx, alert),
      number,
      title: titleOf(alert),
      severity: alert.severity,
      severity_rank: alert.severity_rank,
      service: alert.service,
      labels: JSON.stringify(alert.labels),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id: created.id, number, status: 'created', closed: false };
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
 * worst severity. Only the flip from read to unread is worth a signal; who flipped it is written down, so that
 * a sighting that runs twice still sends it.
 */
async function report(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  incidentId: string,
  change: ReturnType<typeof changeToReport>,
): Promise<boolean> {
  const firing = change === 'resolved' ? -1 : change === 'joined' && alert.status !== 'resolved' ? 1 : 0;
  if (change) {
    const { rows } = await sql<{ seq: number }>`
      with incident as (
        select id, feed_seq from incidents where id = ${incidentId} for no key update
      ), appended as (
        insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version)
        select ${orgId}, id, feed_seq + 1, ${change}, ${alert.id}, ${alert.version} from incident
        on conflict (incident_id, alert_id, alert_version, kind) do nothing
        returning seq
      )
      update incidents i set
        feed_seq = appended.seq,
        feed_owed_by = case when i.feed_unread then i.feed_owed_by else ${alert.id} end,
        feed_owed_since = case when i.feed_unread then i.feed_owed_since else now() end,
        feed_unread = true,
        alert_count = i.alert_count + ${change === 'joined' ? 1 : 0},
        firing_count = greatest(0, i.firing_count + ${firing}),
        truncated_count = greatest(i.truncated_count, ${alert.truncated}),
        last_alert_at = case when ${change === 'joined' || change === 'firing'} then now() else i.last_alert_at end,
        severity = case when ${alert.severity_rank} < i.severity_rank then ${alert.severity} else i.severity end,
        severity_rank = least(i.severity_rank, ${alert.severity_rank})
      from appended where i.id = ${incidentId}
      returning appended.seq`.execute(tx);
    if (rows.length > 0) await tellTimeline(tx, orgId, alert, incidentId, change);
  }
  const incident = await tx
    .selectFrom('incidents')
    .select(['feed_unread', 'feed_owed_by'])
    .where('id', '=', incidentId)
    .executeTakeFirstOrThrow();
  return incident.feed_unread && incident.feed_owed_by === alert.id;
}

const changeWords = {
  joined: 'fired',
  resolved: 'resolved',
  stale: 'is stale: it was not seen again when it should have been',
  firing: 'fires again',
  updated: 'changed severity',
} as const;

async function tellTimeline(
  tx: Tx,
  orgId: string,
  alert: AlertRow,
  incidentId: string,
  change: keyof typeof changeWords,
): Promise<void> {
  const where = alert.service ? ` on ${alert.service}` : '';
  const truncated = alert.truncated > 0 ? ` (its sender left out ${alert.truncated} more of its group)` : '';
  await sql`
    insert into timeline (org_id, incident_id, kind, actor, summary, data, dedup_key)
    select ${orgId}, ${incidentId}, ${`alert_${change}`}, 'Alertmanager',
      ${`${alert.name}${where} ${changeWords[change]}${change === 'updated' ? ` to ${alert.severity}` : ''}${truncated}`},
      jsonb_build_object('alertId', a.id, 'severity', a.severity, 'reason', a.correlation_reason),
      ${`alert:${alert.id}:${alert.version}:${change}`}
    from alerts a where a.id = ${alert.id}
    on conflict (incident_id, dedup_key) do nothing`.execute(tx);
}
