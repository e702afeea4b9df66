import { sql } from 'kysely';
import type { FeedDigest } from '../domain/incident/events.ts';
import type { IncidentPlan } from '../domain/incident/state.ts';
import { type PolicySubject, selectEscalation } from '../domain/policy-match.ts';
import type { Severity } from '../domain/severity.ts';
import { readRulesInForce, rulesForAlert } from './correlation-rules.ts';
import type { Tx } from './database.ts';
import { listAnnouncedTriggers } from './notification-rules.ts';
import { listEscalationPolicies } from './policies.ts';
import { activeSilence } from './silences.ts';
import { readSlaTimes } from './sla-policies.ts';

/** A feed entry's alert, as runbooks are matched against. */
export interface JoinedAlert {
  id: number;
  name: string;
  severity: Severity;
  labels: Record<string, string>;
  firing: boolean;
  /** It joined since, and is not one that was known and fires again. */
  isNew: boolean;
  receivedAt: number;
}

/** Alerts that one reading looks at for runbooks: so many of each name and severity, so many in all. */
const joinedOfAKind = 50;
const joinedLimit = 1_000;
/** Of these, so many are told one by one to rules that wait for each alert. */
const receivedLimit = 50;
/** Different names of its alerts that an incident's policies are chosen by. */
export const namesLimit = 1_000;

/**
 * A feed that was read less long ago than this is left to the dispatcher's sweep (claim_unread_feeds), which signals
 * once for all of it. The more alerts an incident `i` has, the less one more of them says, and in a storm reading the
 * feeds of all of them each second would take as much as the alerts themselves. What is urgent is signalled at once.
 */
export const feedRest = sql<unknown>`least(interval '8 seconds', interval '1 second' * (1 + i.alert_count / 50))`;

/**
 * Reads what the feed brought since `afterSeq` and marks it read, under the incident's row lock. Reading again
 * with the same cursor gives the same and more, so a reading that was lost is simply repeated.
 */
export async function readFeed(
  tx: Tx,
  args: {
    incidentId: string;
    afterSeq: number;
    /** Where the rules of correlation say none. */
    reopenWindowMs: number;
  },
): Promise<{ digest: Omit<FeedDigest, 'matches'>; joined: JoinedAlert[] }> {
  const { rows } = await sql<{
    feed_seq: number;
    title: string;
    service: string | null;
    severity: Severity;
    opened_at: Date;
    now: Date;
    alert_count: number;
    firing_count: number;
    labels: Record<string, string>;
    team_id: string | null;
    team: string | null;
    merge_wanted: string | null;
    merge_reason: string | null;
  }>`
    update incidents set feed_unread = false, feed_owed_by = null, feed_owed_since = null, feed_read_at = now()
    where id = ${args.incidentId}
    returning feed_seq, title, service, severity, opened_at, now() as now, alert_count, firing_count, labels, team_id,
      (select slug from teams t where t.id = incidents.team_id) as team, merge_wanted, merge_reason`.execute(
    tx,
  );
  const incident = rows[0];
  if (!incident) throw new Error(`there is no incident ${args.incidentId} in this organization`);
  const joined = await joinedSince(tx, args.incidentId, args.afterSeq);
  const subject = {
    severity: incident.severity,
    service: incident.service,
    team: incident.team,
    labels: incident.labels,
    alerts: await alertNames(tx, args.incidentId),
  };
  const { rules } = rulesForAlert(await readRulesInForce(tx), incident.labels, incident.team_id);
  const { quietMs } = rules.flapping;
  const mergeInto = await mergeTarget(tx, incident);
  const announces = await listAnnouncedTriggers(tx);
  const received = announces.includes('alert.received')
    ? joined.filter(({ firing, isNew }) => firing && isNew).slice(0, receivedLimit)
    : [];
  const silence = await activeSilence(tx, args.incidentId, incident.now.getTime());
  const plan: IncidentPlan = {
    escalation: selectEscalation(await listEscalationPolicies(tx), subject),
    sla: await readSlaTimes(tx, subject, incident.opened_at.getTime()),
    reopenWindowMs: rules.reopenWindowMs ?? args.reopenWindowMs,
    resolves: true,
    pattern: patternOf(subject),
    announces,
  };
  return {
    digest: {
      seq: incident.feed_seq,
      title: incident.title,
      service: incident.service,
      severity: incident.severity,
      openedAt: incident.opened_at.getTime(),
      alertCount: incident.alert_count,
      firingCount: incident.firing_count,
      firingJoined: joined.some((alert) => alert.firing),
      plan,
      ...(silence ? { silence } : {}),
      ...(received.length > 0 ? { received: received.map(({ id }) => id) } : {}),
      ...(mergeInto ? { mergeInto } : {}),
      ...((await haveFlapped(tx, args.incidentId, quietMs)) ? { flapping: { quietMs } } : {}),
    },
    joined,
  };
}

/** Alert and service, by which messages are counted: an incident of many alerts goes by the first of their names. */
function patternOf({ alerts, service }: PolicySubject): string {
  return `${alerts.toSorted()[0] ?? ''} ${service ?? ''}`.trim();
}

/** Undefined where no merge is wanted, and where the other incident has come to its end without being merged itself. */
async function mergeTarget(
  tx: Tx,
  { merge_wanted: id, merge_reason: reason }: { merge_wanted: string | null; merge_reason: string | null },
): Promise<FeedDigest['mergeInto']> {
  if (id === null) return undefined;
  const target = await tx
    .selectFrom('incidents')
    .select('number')
    .where('id', '=', id)
    .where((eb) => eb.or([eb('closed_at', 'is', null), eb('merged_into', 'is not', null)]))
    .executeTakeFirst();
  return target && { number: target.number, reason: reason ?? '' };
}

/** Whether an alert that flaps fires, or fired less than `quietMs` ago. */
async function haveFlapped(tx: Tx, incidentId: string, quietMs: number): Promise<boolean> {
  const { rows } = await sql`
    select 1 from alerts where incident_id = ${incidentId} and flapping
      and (status <> 'resolved' or resolved_at > now() - ${quietMs} * interval '1 millisecond')
    limit 1`.execute(tx);
  return rows.length > 0;
}

async function joinedSince(tx: Tx, incidentId: string, afterSeq: number): Promise<JoinedAlert[]> {
  const { rows } = await sql<{
    id: number;
    name: string;
    severity: Severity;
    labels: Record<string, string>;
    firing: boolean;
    isNew: boolean;
    received_at: Date;
  }>`
    select id, name, severity, labels, firing, "isNew", received_at from (
      select a.id, a.name, a.severity, a.severity_rank, a.labels, a.status <> 'resolved' as firing, f."isNew", a.received_at,
        row_number() over (partition by a.name, a.severity order by (a.status = 'resolved'), a.id) as place
      from (
        select alert_id, bool_or(kind = 'joined') as "isNew" from incident_feed
        where incident_id = ${incidentId} and seq > ${afterSeq} and kind in ('joined', 'firing', 'updated')
        group by alert_id
      ) f join alerts a on a.id = f.alert_id and a.incident_id = ${incidentId}
    ) ranked
    where place <= ${joinedOfAKind}
    order by firing desc, place, severity_rank, id
    limit ${joinedLimit}`.execute(tx);
  return rows.map(({ received_at, ...row }) => ({ ...row, receivedAt: received_at.getTime() }));
}

/** The alerts of an incident that are not over, oldest first, up to a thousand; `now` is the database's clock. */
export async function listFiringAlerts(
  tx: Tx,
  incidentId: string,
): Promise<(JoinedAlert & { now: number })[]> {
  const { rows } = await sql<Omit<JoinedAlert, 'receivedAt'> & { received_at: Date; now: Date }>`
    select id, name, severity, labels, true as firing, false as "isNew", received_at, now() as now
    from alerts where incident_id = ${incidentId} and status <> 'resolved'
    order by id limit ${joinedLimit}`.execute(tx);
  return rows.map(({ received_at, now, ...alert }) => ({
    ...alert,
    receivedAt: received_at.getTime(),
    now: now.getTime(),
  }));
}

/** Of all of its alerts, and not only of those that are new: a policy that held goes on holding. */
export async function alertNames(tx: Tx, incidentId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('alerts')
    .select('name')
    .distinct()
    .where('incident_id', '=', incidentId)
    .limit(namesLimit)
    .execute();
  return rows.map(({ name }) => name);
}

/** Closes the incident for good unless the feed has moved past `afterSeq`; then new alerts open another one. */
export async function closeIfDrained(
  tx: Tx,
  args: { incidentId: string; afterSeq: number },
): Promise<boolean> {
  const { rows } = await sql`
    update incidents set closed_at = now(), deadlines = '[]'
    where id = ${args.incidentId} and (closed_at is not null or (feed_seq <= ${args.afterSeq} and not feed_unread))
    returning 1`.execute(tx);
  if (rows.length === 0) return false;
  await tx.deleteFrom('incident_keys').where('incident_id', '=', args.incidentId).execute();
  return true;
}
