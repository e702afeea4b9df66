import { sql } from 'kysely';
import type { IncidentState } from '../domain/incident/state.ts';
import type { Deadline } from '../domain/incident-status.ts';
import { explainedBreach, saveBreach } from './breaches.ts';
import type { Tx } from './database.ts';
import { saveCause, saveVerdict, verdictSentence } from './judgements.ts';
import { storable } from './storable.ts';

/** What an incident's workflow makes readable: its standing, and the lines of the story since the last time. */
export interface IncidentRecord {
  orgId: string;
  incidentId: string;
  seq: number;
  deadlines: Deadline[];
  standing: Pick<
    IncidentState,
    | 'status'
    | 'acknowledged'
    | 'assignedTo'
    | 'snoozedUntil'
    | 'escalationFrom'
    | 'resolved'
    | 'clocks'
    | 'cause'
    | 'openings'
  > & {
    silencedUntil: number | null;
    escalationPolicy: string | null;
  };
  entries: IncidentState['outbox'];
}

/** Idempotent: entries go by their number, and an older record never overwrites a newer standing. */
export async function recordIncident(tx: Tx, given: IncidentRecord): Promise<void> {
  const record = storable(given);
  const { orgId, incidentId, standing } = record;
  const { numUpdatedRows } = await tx
    .updateTable('incidents')
    .set({
      status: standing.status,
      acknowledged_at: toDate(standing.acknowledged?.at),
      acknowledged_by: standing.acknowledged?.by ?? null,
      first_acknowledged_at: sql`coalesce(first_acknowledged_at, ${toDate(standing.acknowledged?.at)}::timestamptz)`,
      assigned_to: standing.assignedTo,
      snoozed_until: toDate(standing.snoozedUntil),
      opening: standing.openings,
      silenced_until: toDate(standing.silencedUntil),
      escalation_from: toDate(standing.escalationFrom),
      resolved_at: toDate(standing.resolved?.at),
      resolved_by: standing.resolved?.by ?? null,
      escalation_policy: standing.escalationPolicy,
      deadlines: JSON.stringify(record.deadlines),
      recorded_seq: record.seq,
    })
    .where('id', '=', incidentId)
    .where('recorded_seq', '<=', record.seq)
    .executeTakeFirst();
  if (numUpdatedRows > 0n && standing.cause?.by) {
    await saveCause(tx, { orgId, incidentId, service: standing.cause.service, by: standing.cause.by });
  }
  const entries = await withVerdicts(tx, record);
  if (entries.length > 0) {
    await sql`
      with entries as (
        select * from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb)
          as x(seq integer, at double precision, kind text, actor text, summary text, data jsonb, audit text)
      ), told as (
        insert into timeline (org_id, incident_id, at, kind, actor, summary, data, dedup_key)
        select ${orgId}, ${incidentId}, to_timestamp(at / 1000), kind, actor, summary, data, 'incident:' || seq from entries
        order by seq
        on conflict (incident_id, dedup_key) do nothing
        returning dedup_key
      )
      insert into audit_log (org_id, at, actor, action, subject, data)
      select ${orgId}, to_timestamp(e.at / 1000), e.actor, e.audit, 'incident:' || i.number, e.data
      from entries e
      join told on told.dedup_key = 'incident:' || e.seq
      join incidents i on i.id = ${incidentId}
      where e.audit is not null`.execute(tx);
  }
  if (numUpdatedRows > 0n && standing.clocks.length > 0) {
    await tx
      .insertInto('sla_clocks')
      .values(
        standing.clocks.map((clock) => ({
          org_id: orgId,
          incident_id: incidentId,
          kind: clock.kind,
          policy: clock.policy,
          started_at: new Date(clock.startedAt),
          at_risk_at: new Date(clock.atRiskAt),
          due_at: new Date(clock.dueAt),
          state: clock.state,
          ended_at: toDate(clock.endedAt),
          pauses: JSON.stringify(clock.pauses ?? []),
          calendar: calendarOf(clock.policy),
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['incident_id', 'kind']).doUpdateSet((eb) => ({
          policy: eb.ref('excluded.policy'),
          started_at: eb.ref('excluded.started_at'),
          at_risk_at: eb.ref('excluded.at_risk_at'),
          due_at: eb.ref('excluded.due_at'),
          state: eb.ref('excluded.state'),
          ended_at: eb.ref('excluded.ended_at'),
          pauses: eb.ref('excluded.pauses'),
          // one that is edited since is for other clocks
          calendar: sql<string>`case when sla_clocks.policy = excluded.policy then sla_clocks.calendar
            else excluded.calendar end`,
        })),
      )
      .execute();
  }
  await saveBreaches(tx, record);
}

/** That of a policy as it is now; the workflow has no more of it than its pauses until the clocks are due. */
function calendarOf(policy: string) {
  return sql<string>`(select coalesce(c.definition, '{}') from sla_policies p
    left join sla_calendars c on c.org_id = p.org_id and c.name = p.definition ->> 'calendar' where p.name = ${policy})`;
}

/** What was said of a breach stands at its clock, which is written by then. */
async function saveBreaches(tx: Tx, { incidentId, entries }: IncidentRecord): Promise<void> {
  for (const { kind, data, actor: by, at } of entries) {
    if (kind !== 'breach_explained') continue;
    const { clock, reason, note } = explainedBreach.parse(data);
    await saveBreach(tx, { incidentId, clock, reason, note, by, at: new Date(at) });
  }
}

/** What was said of changes is written to them; the workflow knows them by their ids alone, people by their words. */
async function withVerdicts(tx: Tx, { orgId, incidentId, entries }: IncidentRecord) {
  const told: IncidentState['outbox'] = [];
  for (const entry of entries) {
    const { changeId, verdict } = entry.data;
    const judged = (verdict === 'confirmed' || verdict === 'dismissed') && typeof changeId === 'number';
    const change = judged
      ? await saveVerdict(tx, {
          orgId,
          incidentId,
          changeId,
          verdict,
          by: entry.actor,
          at: new Date(entry.at),
        })
      : undefined;
    told.push(
      change === undefined || !judged ? entry : { ...entry, summary: verdictSentence(verdict, change) },
    );
  }
  return told;
}

function toDate(ms: number | null | undefined): Date | null {
  return ms === null || ms === undefined ? null : new Date(ms);
}
