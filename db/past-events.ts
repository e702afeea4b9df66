import { type RawBuilder, sql } from 'kysely';
import type { PastEvent } from '../domain/notification-rules/preview.ts';
import type { NotificationTrigger } from '../domain/notification-rules/rule.ts';
import type { TemplateFacts } from '../domain/notification-rules/template.ts';
import type { Severity } from '../domain/severity.ts';
import { type HeldBack, wasHeldBack } from '../domain/silences/held-back.ts';
import type { Tx } from './database.ts';
import { listHeldBack } from './held-back.ts';
import { namesLimit } from './incident-feed.ts';
import { ofVisibleIncident } from './visible-incident.ts';

interface Row {
  trigger: NotificationTrigger;
  at: Date;
  title: string;
  number: number | null;
  status: string | null;
  incident_severity: Severity | null;
  incident_service: string | null;
  cause: string | null;
  severity: Severity | null;
  service: string | null;
  team: string | null;
  labels: Record<string, string> | null;
  alerts: string[] | null;
  runbook: string | null;
  target: string | null;
  execution_status: string | null;
  reason: string | null;
}

/**
 * What happened since `since` of what `triggers` name, newest first, at most `limit` of each. What an incident is called
 * and how severe it is are as they stand now; what silences held back is marked. Nothing is read for 'forecast', of which
 * there is no record, nor alerts and clocks of incidents that the scope does not see.
 */
export async function listPastEvents(
  tx: Tx,
  args: { triggers: readonly NotificationTrigger[]; since: Date; limit: number },
): Promise<PastEvent[]> {
  const happened = [...new Set(args.triggers)].flatMap((trigger) => happenings(trigger, args));
  if (happened.length === 0) return [];
  const { rows } = await sql<Row>`
    with happened as (${sql.join(happened, sql` union all `)}),
    names as (
      select incident_id, (array_agg(distinct name))[1:${namesLimit}] as alerts
      from alerts where incident_id in (
        select incident_id from happened where alert_id is null and ${ofVisibleIncident('happened')})
      group by incident_id
    )
    select h.trigger, h.at, i.number, i.status, i.severity as incident_severity, i.service as incident_service,
      i.cause_service as cause, coalesce(a.severity, i.severity) as severity,
      case when a.id is null then i.service else a.service end as service, t.slug as team,
      coalesce(a.labels, i.labels) as labels,
      case when a.id is null then n.alerts else array[a.name] end as alerts,
      coalesce(i.title, a.name, e.runbook, r.subject, '') as title,
      e.runbook, e.target, e.status as execution_status, e.status_reason as reason
    from happened h
    left join alerts a on a.id = h.alert_id
    left join incidents i on i.id = h.incident_id
    left join executions e on e.id = h.execution_id
    left join reports r on r.id = h.report_id
    left join teams t on t.id = coalesce(i.team_id, a.team_id, e.team_id, r.team_id)
    left join names n on n.incident_id = h.incident_id
    order by h.at desc`.execute(tx);
  const held = await listHeldBack(tx, args.since);
  return rows.map((row) => eventOf(row, held));
}

function eventOf(row: Row, held: ReadonlyMap<number, readonly HeldBack[]>): PastEvent {
  const { trigger, severity, service, team, number, title } = row;
  const at = row.at.getTime();
  return {
    trigger,
    at,
    severity,
    service,
    team,
    labels: row.labels ?? {},
    alerts: row.alerts ?? [],
    title,
    incidentNumber: number,
    heldBack: number !== null && wasHeldBack({ trigger, at }, held.get(number) ?? []),
    facts: factsOf(row),
  };
}

function factsOf(row: Row): TemplateFacts {
  const facts: { [Field in keyof TemplateFacts]: string | null } = {
    alerts: row.alerts?.slice(0, 5).join(', ') ?? null,
    'incident.number': row.number === null ? null : String(row.number),
    'incident.title': row.number === null ? null : row.title,
    'incident.severity': row.incident_severity,
    'incident.service': row.incident_service,
    'incident.status': row.status?.replaceAll('_', ' ') ?? null,
    'incident.team': row.number === null ? null : row.team,
    'incident.cause': row.cause,
    'execution.runbook': row.runbook,
    'execution.target': row.target,
    'execution.status': row.execution_status?.replaceAll('_', ' ') ?? null,
    'execution.reason': row.reason,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== null)) as TemplateFacts;
}

/** What one kind of thing left in the record: when, and of which rows. */
function happenings(
  trigger: NotificationTrigger,
  { since, limit }: { since: Date; limit: number },
): RawBuilder<unknown>[] {
  const from = source(trigger, since);
  if (!from) return [];
  return [
    sql`(select ${trigger}::text as trigger, s.at, s.incident_id, s.alert_id, s.execution_id, s.report_id
      from (${from}) s order by s.at desc limit ${limit})`,
  ];
}

const none = sql`null::bigint as alert_id, null::uuid as execution_id, null::uuid as report_id`;

function source(trigger: NotificationTrigger, since: Date): RawBuilder<unknown> | null {
  switch (trigger) {
    case 'alert.received':
      return sql`select received_at as at, incident_id, id as alert_id, null::uuid as execution_id,
        null::uuid as report_id from alerts where received_at > ${since} and ${ofVisibleIncident('alerts')}`;
    case 'incident.opened':
      return sql`select opened_at as at, id as incident_id, ${none} from incidents where opened_at > ${since}`;
    case 'incident.acknowledged':
      return sql`select acknowledged_at as at, id as incident_id, ${none} from incidents
        where acknowledged_at > ${since}`;
    case 'incident.resolved':
      return sql`select resolved_at as at, id as incident_id, ${none} from incidents where resolved_at > ${since}`;
    case 'incident.root_cause_found':
      return sql`select l.at, l.incident_id, ${none} from incidents i
        join timeline l on l.incident_id = i.id and l.kind = 'root_cause'
        where i.opened_at > ${since} and i.cause_service is not null`;
    case 'sla.at_risk':
      return sql`select c.at_risk_at as at, c.incident_id, ${none} from incidents i
        join sla_clocks c on c.incident_id = i.id
        where i.opened_at > ${since}
          and (c.state in ('at_risk', 'breached') or (c.state = 'met' and c.ended_at > c.at_risk_at))`;
    case 'sla.breached':
      return sql`select due_at as at, incident_id, ${none} from sla_clocks
        where state = 'breached' and due_at > ${since} and ${ofVisibleIncident('sla_clocks')}`;
    case 'approval.needed':
      return sql`select requested_at as at, incident_id, null::bigint as alert_id, execution_id,
        null::uuid as report_id from approvals where requested_at > ${since}`;
    case 'execution.succeeded':
    case 'execution.failed':
    case 'execution.rolled_back':
      return sql`select finished_at as at, incident_id, null::bigint as alert_id, id as execution_id,
        null::uuid as report_id from executions
        where created_at > ${since} and finished_at is not null and status = ${trigger.slice('execution.'.length)}`;
    case 'report.sla':
    case 'report.capacity':
      return sql`select created_at as at, null::uuid as incident_id, null::bigint as alert_id,
        null::uuid as execution_id, id as report_id from reports
        where created_at > ${since} and kind = ${trigger.slice('report.'.length)}`;
    case 'forecast':
      return null;
  }
}
