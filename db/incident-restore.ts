import { sql } from 'kysely';
import type { RestoredIncident } from '../domain/incident/restored.ts';
import type { Tx } from './database.ts';

const mostPages = 1_000;
const mostChanges = 100;

/** What is recorded of an incident, for a workflow that begins anew; undefined when nothing is yet. */
export async function readRecorded(tx: Tx, incidentId: string): Promise<RestoredIncident | undefined> {
  const incident = await tx
    .selectFrom('incidents')
    .selectAll()
    .where('id', '=', incidentId)
    .where('recorded_seq', '>', 0)
    .executeTakeFirst();
  if (!incident) return undefined;
  const beginnings = await tx
    .selectFrom('timeline')
    .select(['at', 'kind', 'data', 'dedup_key'])
    .where('incident_id', '=', incidentId)
    .where('kind', 'in', ['reopened', 'unacknowledged', 'policy_reapplied'])
    .orderBy('at', 'desc')
    .execute();
  const reopenings = beginnings.filter(({ kind }) => kind === 'reopened');
  const paged = await pagesOf(tx, incidentId);
  return {
    seq: incident.recorded_seq,
    status: incident.status,
    acknowledged: whenAndWho(incident.acknowledged_at, incident.acknowledged_by),
    assignedTo: incident.assigned_to,
    snoozedUntil: incident.snoozed_until?.getTime() ?? null,
    silencedUntil: incident.silenced_until?.getTime() ?? null,
    // not recorded by an older Holdfast
    escalationFrom: (incident.escalation_from ?? reopenings[0]?.at ?? incident.opened_at).getTime(),
    resolved: whenAndWho(incident.resolved_at, incident.resolved_by),
    firesSinceResolved:
      incident.resolved_at !== null && (await firesSince(tx, incidentId, incident.resolved_at)),
    clocks: await clocksOf(tx, incidentId),
    cause:
      incident.cause_service === null
        ? null
        : {
            service: incident.cause_service,
            confidence: incident.cause_confidence ?? 0,
            by: incident.cause_by,
          },
    mergedInto: incident.merged_into,
    openings: Math.max(incident.opening, reopenings.length + 1),
    rounds: Math.max(1, ...beginnings.map(({ data }) => Number(data.round) || 1)),
    renewedSeq: Math.max(
      0,
      ...beginnings.flatMap(({ kind, dedup_key }) => (kind === 'policy_reapplied' ? [] : [seqOf(dedup_key)])),
    ),
    pages: paged.map(({ key }) => key),
    people: Object.fromEntries(
      paged.flatMap(({ key, person }) =>
        person === null ? [] : [[key, { type: 'contact', email: person, method: { type: 'email' } }]],
      ),
    ),
    executions: await executionsOf(tx, incidentId),
    changesTold: await changesToldOf(tx, incidentId),
    regroupings: await regroupingsOf(tx, incidentId),
  };
}

/** Lines of the story that its workflow has told are 'incident:<number>'. */
function seqOf(dedupKey: string): number {
  return Number(dedupKey.slice('incident:'.length)) || 0;
}

function whenAndWho(at: Date | null, by: string | null): { at: number; by: string } | null {
  return at === null ? null : { at: at.getTime(), by: by ?? '' };
}

/** By what the feed tells after that time, of alerts that are still here and still fire. */
async function firesSince(tx: Tx, incidentId: string, time: Date): Promise<boolean> {
  const { rows } = await sql`
    select 1 from incident_feed f
    join alerts a on a.id = f.alert_id and a.incident_id = f.incident_id and a.status <> 'resolved'
    where f.incident_id = ${incidentId} and f.at > ${time} and f.kind in ('joined', 'firing', 'updated')
    limit 1`.execute(tx);
  return rows.length > 0;
}

async function clocksOf(tx: Tx, incidentId: string): Promise<RestoredIncident['clocks']> {
  const rows = await tx
    .selectFrom('sla_clocks')
    .select(['kind', 'policy', 'started_at', 'at_risk_at', 'due_at', 'state', 'ended_at', 'pauses'])
    .where('incident_id', '=', incidentId)
    .orderBy('kind')
    .execute();
  return rows.map(({ kind, policy, state, pauses, ...times }) => ({
    kind,
    policy,
    state,
    startedAt: times.started_at.getTime(),
    atRiskAt: times.at_risk_at.getTime(),
    dueAt: times.due_at.getTime(),
    endedAt: times.ended_at?.getTime() ?? null,
    ...(pauses.length > 0 ? { pauses } : {}),
    // a clock is told to be at risk before it pauses
    ...(state === 'paused' && times.at_risk_at.getTime() <= Date.now() ? { atRisk: true as const } : {}),
  }));
}

/**
 * Those that need not be begun again: what a snooze called off must be, and what was called off otherwise is called off
 * again. The ledger's keys are 'incident:<id>:<key of the move>'.
 */
async function pagesOf(tx: Tx, incidentId: string): Promise<{ key: string; person: string | null }[]> {
  const rows = await tx
    .selectFrom('notifications')
    .select(['key', 'person'])
    .where('incident_id', '=', incidentId)
    .where('type', '=', 'escalation.page')
    .where((eb) => eb.or([eb('status', '=', 'sent'), eb('consolidated_into', 'is not', null)]))
    .orderBy('id', 'desc')
    .limit(mostPages)
    .execute();
  return rows.map(({ key, person }) => ({ key: key.slice(`incident:${incidentId}:`.length), person }));
}

async function executionsOf(tx: Tx, incidentId: string): Promise<RestoredIncident['executions']> {
  return await tx
    .selectFrom('executions')
    .distinctOn('runbook')
    .select(['runbook', 'mode', 'id as executionId', 'status'])
    .where('incident_id', '=', incidentId)
    .orderBy('runbook')
    .orderBy('created_at', 'desc')
    .execute();
}

async function changesToldOf(tx: Tx, incidentId: string): Promise<number[]> {
  const rows = await tx
    .selectFrom('timeline')
    .select('data')
    .where('incident_id', '=', incidentId)
    .where('kind', '=', 'change')
    .orderBy('id', 'desc')
    .limit(mostChanges)
    .execute();
  return rows.flatMap(({ data }) => (typeof data.changeId === 'number' ? [data.changeId] : []));
}

/** One more than the highest that was used: what was refused has a number as well, and no row. */
async function regroupingsOf(tx: Tx, incidentId: string): Promise<number> {
  const { rows } = await sql<{ next: number }>`
    select coalesce(max(substring(key from '([0-9]+)$')::integer) + 1, 0) as next
    from regroupings where from_incident = ${incidentId} and key like ${`incident:${incidentId}:regroup:%`}`.execute(
    tx,
  );
  return rows[0]?.next ?? 0;
}
