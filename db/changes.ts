import { sql } from 'kysely';
import type { ChangeSourceKind, ChangeStatus } from '../domain/changes/change.ts';
import type { ChangeReport } from '../domain/changes/report.ts';
import {
  type CandidateChange,
  type ChangeHistory,
  clockSkewMs,
  lookBackMs,
  servicesTouchedBy,
} from '../domain/changes/score.ts';
import { recordAudit } from './audit.ts';
import type { CorrelationContext } from './correlation-context.ts';
import { rulesForAlert } from './correlation-rules.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** Changes that one look at an incident scores; the newest of the window. */
const candidateLimit = 500;
/** What people said longer ago says little of how a service is changed today. */
const historyDays = 365;

/** Whether the row of `changes` is another team's than the incident: whoever sees the incident may not see it. */
export const ofOtherTeam = (incidentId: string) =>
  sql<boolean>`(changes.team_id is not null and changes.team_id is distinct from (
    select i.team_id from incidents i where i.id = ${incidentId}))`;

/**
 * The changes between two times of these services, in whatever case they are written, and those that name none, for
 * one incident; newest first, at most 500.
 */
export async function candidateChanges(
  tx: Tx,
  args: { incidentId: string; from: Date; to: Date; services: readonly string[] },
): Promise<CandidateChange[]> {
  const services = args.services.map(lowerCase);
  const rows = await tx
    .selectFrom('changes')
    .select([
      'id',
      'type',
      'status',
      'service',
      'environment',
      'title',
      'version',
      'previous_version as previousVersion',
      'at',
    ])
    .select(ofOtherTeam(args.incidentId).as('ofOtherTeam'))
    .where('at', '>=', args.from)
    .where('at', '<=', args.to)
    .where(sql<boolean>`(service is null or lower(service) = any(${services}::text[]))`)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(candidateLimit)
    .execute();
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}

/**
 * How often people confirmed and dismissed changes of these services (as the changes write them), by service; on other
 * incidents, for what was said on this one is not to speak for itself.
 */
export async function confirmationHistory(
  tx: Tx,
  { incidentId, services }: { incidentId: string; services: readonly string[] },
): Promise<Map<string, ChangeHistory>> {
  const { rows } = await sql<{ service: string; confirmed: number; dismissed: number }>`
    select c.service, count(*) filter (where ic.verdict = 'confirmed') as confirmed,
      count(*) filter (where ic.verdict = 'dismissed') as dismissed
    from incident_changes ic join changes c on c.id = ic.change_id
    where ic.verdict is not null and ic.judged_at > now() - make_interval(days => ${historyDays})
      and ic.incident_id <> ${incidentId} and c.service = any(${[...services]}::text[])
    group by c.service`.execute(tx);
  return new Map(rows.map(({ service, confirmed, dismissed }) => [service, { confirmed, dismissed }]));
}

/** Where a change was told of. */
export interface ChangeOrigin {
  source: ChangeSourceKind;
  /** Of a webhook's source; null for an ingest key's and for a person's. */
  sourceId: string | null;
  /** Whose the source is; null: the change is that of its service. */
  teamId: string | null;
}

/** The team that owns the service, as its row says, else the first by slug that matches alerts of it; null: none. */
export async function teamOfService(
  tx: Tx,
  service: string | null,
  { inForce }: Pick<CorrelationContext, 'inForce'>,
): Promise<string | null> {
  if (service === null) return null;
  const { rows } = await sql<{ team_id: string }>`
    select team_id from services where lower(name) = lower(${storable(service)}) and team_id is not null
    order by name limit 1`.execute(tx);
  return rows[0]?.team_id ?? rulesForAlert(inForce, { service }).teamId;
}

/**
 * Keeps what a message says of a change: a new one, or the next step of one that is known by its external id. What
 * arrives late or twice never takes a change back. Open incidents that it may concern are looked at again.
 */
export async function recordChange(
  tx: Tx,
  args: { orgId: string; origin: ChangeOrigin; report: ChangeReport; context: CorrelationContext },
): Promise<{ id: number; isNew: boolean }> {
  const { orgId, origin, context } = args;
  const report = storable(args.report);
  const { service, environment, version } = report;
  const teamId = origin.teamId ?? (await teamOfService(tx, service, context));
  // a sender's clock that runs ahead must not hide the change from an incident that is there already
  const at = sql<Date>`least(now(), coalesce(${report.at === null ? null : new Date(report.at)}::timestamptz, now()))`;
  const previous =
    service === null || version === null
      ? sql<null>`null`
      : sql<string | null>`(
          select c.version from changes c
          where c.service = ${service} and c.environment is not distinct from ${environment}
            and c.type = ${report.type} and c.version is not null and c.version <> ${version}
            and c.status in ('started', 'succeeded') and c.at < ${at}
          order by c.at desc, c.id desc limit 1)`;
  const { rows } = await sql<{ id: number; is_new: boolean; status: ChangeStatus; at: Date }>`
    insert into changes as known (org_id, team_id, source, source_id, external_id, type, status, service, environment,
      title, version, previous_version, author, url, at, data)
    values (${orgId}, ${teamId}, ${origin.source}, ${origin.sourceId}, ${report.externalId}, ${report.type},
      ${report.status}, ${service}, ${environment}, ${report.title}, ${version},
      coalesce(${report.previousVersion}::text, ${previous}), ${report.author}, ${report.url}, ${at},
      ${JSON.stringify(report.data)}::jsonb)
    on conflict (org_id, source, source_id, external_id) do update set
      status = case
        when ${rankOf(sql`excluded.status`)} >= ${rankOf(sql`known.status`)} then excluded.status
        else known.status end,
      team_id = coalesce(excluded.team_id, known.team_id),
      type = excluded.type,
      title = excluded.title,
      service = coalesce(excluded.service, known.service),
      environment = coalesce(excluded.environment, known.environment),
      version = coalesce(excluded.version, known.version),
      previous_version = coalesce(known.previous_version, excluded.previous_version),
      author = coalesce(known.author, excluded.author),
      url = coalesce(excluded.url, known.url),
      at = case
        when ${report.begins} and known.status = 'started' then excluded.at
        else least(known.at, excluded.at) end,
      data = known.data || excluded.data
    returning id, xmax = 0 as is_new, status, at`.execute(tx);
  const stored = rows[0];
  if (!stored) throw new Error('PostgreSQL kept no change');
  if (stored.status === 'succeeded') await markRolledBack(tx, { ...report, id: stored.id, at: stored.at });
  await markIncidentsUnread(tx, service, stored.at, context);
  return { id: stored.id, isNew: stored.is_new };
}

/** A change goes from started to its end, and may be rolled back after that. */
const rankOf = (status: ReturnType<typeof sql>) =>
  sql`(case ${status} when 'started' then 0 when 'rolled_back' then 2 else 1 end)`;

/** A deployment that brings back the version before the last one says that the last one was rolled back. */
async function markRolledBack(
  tx: Tx,
  now: Pick<ChangeReport, 'type' | 'service' | 'environment' | 'version'> & { id: number; at: Date },
): Promise<void> {
  if (now.type !== 'deployment' || now.service === null || now.version === null) return;
  await sql`
    update changes set status = 'rolled_back'
    where status = 'succeeded' and previous_version = ${now.version} and version <> ${now.version} and id = (
      select c.id from changes c
      where c.service = ${now.service} and c.environment is not distinct from ${now.environment}
        and c.type = 'deployment' and c.version is not null and c.at <= ${now.at} and c.id <> ${now.id}
      order by c.at desc, c.id desc limit 1)`.execute(tx);
}

/** Open incidents that one change is compared with; the newest. */
const incidentLimit = 500;

/**
 * A change may be told of after the incident that it caused has opened: the incidents that began within the look-back
 * after it, on services that it may touch, are owed a look. The dispatcher's sweep sends the signal.
 */
async function markIncidentsUnread(
  tx: Tx,
  service: string | null,
  at: Date,
  { graph }: Pick<CorrelationContext, 'graph'>,
): Promise<void> {
  const touched = service === null ? null : servicesTouchedBy(service, graph).map(lowerCase);
  const isTouched =
    touched === null
      ? sql`true`
      : sql`exists (
          select from (
            select k.key from incident_keys k where k.incident_id = recent.id and k.key like 'service=%' limit 1000
          ) named where lower(substr(named.key, 9)) = any(${touched}::text[]))`;
  const { rows } = await sql<{ id: string }>`
    with recent as materialized (
      select i.id from incidents i
      where i.closed_at is null and not i.feed_unread and i.opened_at >= ${new Date(at.getTime() - clockSkewMs)}
        and i.opened_at <= ${new Date(at.getTime() + lookBackMs)}
      order by i.opened_at desc limit ${incidentLimit}
    )
    select id from recent where ${isTouched}`.execute(tx);
  if (rows.length === 0) return;
  await sql`
    update incidents set feed_unread = true, feed_owed_by = null, feed_owed_since = now()
    where not feed_unread and id in (
      select id from incidents where id = any(${rows.map(({ id }) => id)}::uuid[]) and closed_at is null
      order by id for no key update)`.execute(tx);
}

const lowerCase = (name: string): string => name.toLowerCase();

/** A change that a person writes down, for the team that owns its service, with its audit entry. */
export async function recordManualChange(
  tx: Tx,
  args: { orgId: string; report: ChangeReport; actor: string; context: CorrelationContext },
): Promise<{ id: number }> {
  const { orgId, actor, context } = args;
  const report = storable(args.report);
  const origin: ChangeOrigin = { source: 'manual', sourceId: null, teamId: null };
  const { id } = await recordChange(tx, { orgId, origin, report, context });
  const { type, service, environment, title, version } = report;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'change.recorded',
    subject: `change:${id}`,
    data: { type, service, environment, title, version },
  });
  return { id };
}
