import { sql } from 'kysely';
import type {
  ChangeFacts,
  ChangeSourceKind,
  ChangeStatus,
  ChangeType,
  ChangeVerdict,
} from '../domain/changes/change.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestByMoment } from './newest-page.ts';

/** What every list of changes shows of one. */
export interface Change extends ChangeFacts {
  id: number;
  teamId: string | null;
  source: ChangeSourceKind;
  at: Date;
}

export interface ChangeSummary extends Change {
  /** Incidents whose cause people say it was. */
  confirmed: number;
}

export interface ChangeDetail extends ChangeSummary {
  externalId: string;
  receivedAt: Date;
  /** Name of the source that told of it; null for an ingest key's and a person's. */
  sourceName: string | null;
  data: Record<string, unknown>;
  /** That it may be behind, likeliest first, at most 50. */
  incidents: ChangeIncident[];
}

export interface ChangeIncident {
  number: number;
  title: string;
  teamId: string | null;
  openedAt: Date;
  /** What a person's verdict is given as of. */
  recordedSeq: number;
  /** 0 to 1. */
  score: number;
  reasons: string[];
  verdict: ChangeVerdict | null;
  judgedBy: string | null;
  judgedAt: Date | null;
}

export interface ChangeFilter {
  service?: string;
  environment?: string;
  type?: ChangeType[];
  status?: ChangeStatus[];
  source?: ChangeSourceKind[];
  /** Failed, rolled back, or confirmed as a cause. */
  risky?: boolean;
  since?: Date;
  until?: Date;
}

export const changeColumns = [
  'changes.id',
  'changes.team_id as teamId',
  'changes.source',
  'changes.type',
  'changes.status',
  'changes.service',
  'changes.environment',
  'changes.title',
  'changes.version',
  'changes.previous_version as previousVersion',
  'changes.author',
  'changes.url',
  'changes.at',
] as const;

const confirmed = sql<number>`(
  select count(*) from incident_changes ic where ic.change_id = changes.id and ic.verdict = 'confirmed')`;

function filtered(tx: Tx, filter: ChangeFilter) {
  let query = tx.selectFrom('changes');
  if (filter.service !== undefined) query = query.where('service', '=', filter.service);
  if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment);
  if (filter.type) query = query.where('type', 'in', filter.type);
  if (filter.status) query = query.where('status', 'in', filter.status);
  if (filter.source) query = query.where('source', 'in', filter.source);
  if (filter.since) query = query.where('at', '>=', filter.since);
  if (filter.until) query = query.where('at', '<', filter.until);
  if (filter.risky) {
    query = query.where((where) =>
      where.or([where('status', 'in', ['failed', 'rolled_back']), where(confirmed, '>', 0)]),
    );
  }
  return query;
}

/** Newest first. Throws InvalidCursorError. */
export async function listChanges(
  tx: Tx,
  args: ChangeFilter & { limit: number; cursor?: string },
): Promise<Page<ChangeSummary>> {
  const changes = filtered(tx, args).select([...changeColumns, confirmed.as('confirmed')]);
  return await newestByMoment(changes, { at: 'at', id: 'id', kind: 'integer' }, args);
}

/** Of the filter, counted up to `most`. */
export async function countChanges(tx: Tx, filter: ChangeFilter, most: number): Promise<number> {
  const counted = filtered(tx, filter).select('id').limit(most).as('counted');
  const row = await tx
    .selectFrom(counted)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirst();
  return row?.count ?? 0;
}

const incidentsShown = 50;

export async function getChange(tx: Tx, id: number): Promise<ChangeDetail | undefined> {
  const row = await tx
    .selectFrom('changes')
    .leftJoin('change_sources', 'change_sources.id', 'changes.source_id')
    .select([
      ...changeColumns,
      confirmed.as('confirmed'),
      'changes.external_id as externalId',
      'changes.received_at as receivedAt',
      'changes.data',
      'change_sources.name as sourceName',
    ])
    .where('changes.id', '=', id)
    .executeTakeFirst();
  if (!row) return undefined;
  const incidents = await tx
    .selectFrom('incident_changes')
    .innerJoin('incidents', 'incidents.id', 'incident_changes.incident_id')
    .select([
      'incidents.number',
      'incidents.title',
      'incidents.team_id as teamId',
      'incidents.opened_at as openedAt',
      'incidents.recorded_seq as recordedSeq',
      'incident_changes.score',
      'incident_changes.reasons',
      'incident_changes.verdict',
      'incident_changes.judged_by as judgedBy',
      'incident_changes.judged_at as judgedAt',
    ])
    .where('incident_changes.change_id', '=', id)
    // its alerts, and with them the question, went to another incident
    .where((eb) =>
      eb.or([eb('incidents.merged_into', 'is', null), eb('incident_changes.verdict', 'is not', null)]),
    )
    .orderBy('incident_changes.score', 'desc')
    .orderBy('incidents.number', 'desc')
    .limit(incidentsShown)
    .execute();
  return { ...row, incidents };
}

export interface ServiceChanges {
  /** Null: of changes that name none. */
  service: string | null;
  changes: number;
  /** Failed or rolled back. */
  failed: number;
  /** As causes of incidents. */
  confirmed: number;
}

/** How often each service is changed, most first; the code that waits for its deployment does not count. */
export async function changeFrequency(
  tx: Tx,
  args: { since: Date; limit: number },
): Promise<ServiceChanges[]> {
  // whoever judges a change does it after it came
  const { rows } = await sql<ServiceChanges>`
    with causes as (
      select distinct change_id from incident_changes where verdict = 'confirmed' and judged_at >= ${args.since})
    select c.service, count(*) as changes,
      count(*) filter (where c.status in ('failed', 'rolled_back')) as failed,
      count(causes.change_id) as confirmed
    from changes c left join causes on causes.change_id = c.id
    where c.at >= ${args.since} and c.type <> 'code'
    group by c.service
    order by changes desc, c.service
    limit ${args.limit}`.execute(tx);
  return rows;
}

/** Names to choose from in filters: those of the newest changes. */
export async function changeNames(tx: Tx): Promise<{ services: string[]; environments: string[] }> {
  const { rows } = await sql<{ services: string[]; environments: string[] }>`
    with newest as (select service, environment from changes order by at desc, id desc limit 2000)
    select array(select distinct service from newest where service is not null order by 1 limit 300) as services,
      array(select distinct environment from newest where environment is not null order by 1 limit 50) as environments`.execute(
    tx,
  );
  return rows[0] ?? { services: [], environments: [] };
}
