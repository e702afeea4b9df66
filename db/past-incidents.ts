import { sql } from 'kysely';
import type { Answer, FeedEntry } from '../domain/rehearsal/situation.ts';
import type { PastIncident } from '../domain/rehearsal/week.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';

/** Of one incident; what joined it later changes little, since it does not get better. */
const alertsOfOne = 200;

/**
 * The incidents that opened between two moments, oldest first and at most `limit`: their alerts' times and severities,
 * what people did, and the pages that were really sent. One that was merged away has no alerts and is left out.
 */
export async function listPastIncidents(
  tx: Tx,
  args: { from: Date; to: Date; limit: number },
): Promise<PastIncident[]> {
  const { rows } = await sql<{
    number: number;
    title: string;
    openedAt: number;
    team: string | null;
    alerts: {
      id: number;
      name: string;
      severity: Severity;
      service: string | null;
      labels: Record<string, string>;
      from: number;
      to: number | null;
    }[];
    acts: { kind: string; by: string; at: number; until: string | null }[];
    pages: { at: number; who: string }[];
  }>`
    with chosen as (
      select id, number, title, opened_at, team_id from incidents
      where opened_at >= ${args.from} and opened_at < ${args.to} and merged_into is null
      order by opened_at, id limit ${args.limit}
    )
    select i.number, i.title, (extract(epoch from i.opened_at) * 1000)::bigint as "openedAt", t.slug as team,
      (select coalesce(jsonb_agg(to_jsonb(a) order by a."from", a.id), '[]') from (
        select id, name, severity, service, labels,
          greatest((extract(epoch from received_at) * 1000)::bigint, (extract(epoch from i.opened_at) * 1000)::bigint)
            as "from",
          (extract(epoch from resolved_at) * 1000)::bigint as "to"
        from alerts where incident_id = i.id order by id limit ${alertsOfOne}) a) as alerts,
      (select coalesce(jsonb_agg(jsonb_build_object('kind', l.kind, 'by', l.actor,
          'at', (extract(epoch from l.at) * 1000)::bigint, 'until', l.data ->> 'until') order by l.at, l.id), '[]')
        from timeline l where l.incident_id = i.id and l.actor <> 'Holdfast'
          and l.kind in ('acknowledged', 'resolved', 'false_positive', 'snoozed')) as acts,
      (select coalesce(jsonb_agg(jsonb_build_object('at', (extract(epoch from n.created_at) * 1000)::bigint,
          'who', coalesce(n.person, n.destination)) order by n.id), '[]')
        from notifications n where n.incident_id = i.id and n.type = 'escalation.page' and n.status = 'sent') as pages
    from chosen i left join teams t on t.id = i.team_id
    order by i.opened_at, i.id`.execute(tx);
  return rows
    .filter(({ alerts }) => alerts.length > 0)
    .map(({ alerts, acts, openedAt, ...incident }) => ({
      ...incident,
      openedAt: Number(openedAt),
      feed: feedOf(alerts),
      answers: acts.flatMap((act) => answerOf(act) ?? []),
    }));
}

function feedOf(alerts: (FeedEntry['alert'] & { from: number; to: number | null })[]): FeedEntry[] {
  return alerts
    .flatMap(({ from, to, ...alert }) => [
      { at: from, firing: true, alert },
      ...(to === null ? [] : [{ at: Math.max(to, from), firing: false, alert }]),
    ])
    .sort((a, b) => a.at - b.at || Number(b.firing) - Number(a.firing));
}

function answerOf({
  kind,
  by,
  at,
  until,
}: {
  kind: string;
  by: string;
  at: number;
  until: string | null;
}): Answer | undefined {
  switch (kind) {
    case 'acknowledged':
      return { at, by, what: 'acknowledge' };
    case 'resolved':
      return { at, by, what: 'resolve' };
    case 'false_positive':
      return { at, by, what: 'false_positive' };
    default:
      return until === null ? undefined : { at, by, what: 'snooze', until: Date.parse(until) };
  }
}
