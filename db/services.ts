import { sql } from 'kysely';
import type { Severity } from '../domain/severity.ts';
import type { ServiceKind } from '../domain/topology/service.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';
import { dependencyLifetimeMs } from './topology.ts';

export interface ServiceRecord {
  name: string;
  kind: ServiceKind;
  description: string;
  teamId: string | null;
  /** Its slug. */
  team: string | null;
  /** By a person or by YAML. */
  declared: boolean;
  firstSeenAt: Date;
  lastSeenAt: Date;
}

export interface ServiceSummary extends ServiceRecord {
  /** How many call it, and how many it calls. */
  callers: number;
  callees: number;
}

/** By name; `q` is part of a name. Throws InvalidCursorError. */
export async function listServices(
  tx: Tx,
  args: { q?: string; cursor?: string; limit: number },
): Promise<Page<ServiceSummary>> {
  const since = new Date(Date.now() - dependencyLifetimeMs);
  let query = services(tx).select([
    sql<number>`(select count(*) from service_dependencies d where d.callee = services.name
      and (d.declared or d.last_seen_at > ${since}))`.as('callers'),
    sql<number>`(select count(*) from service_dependencies d where d.caller = services.name
      and (d.declared or d.last_seen_at > ${since}))`.as('callees'),
  ]);
  if (args.q) query = query.where(sql<boolean>`strpos(lower(services.name), ${args.q.toLowerCase()}) > 0`);
  if (args.cursor !== undefined) {
    const [name] = decodeCursor(args.cursor, ['text']);
    query = query.where('services.name', '>', name);
  }
  const rows = await query
    .orderBy('services.name')
    .limit(args.limit + 1)
    .execute();
  return toPage(rows, args.limit, (last) => encodeCursor(last.name));
}

export async function getService(tx: Tx, name: string): Promise<ServiceRecord | undefined> {
  return await services(tx).where('services.name', '=', name).executeTakeFirst();
}

/** The kinds of those of `names` that this scope sees. */
export async function kindsOf(tx: Tx, names: readonly string[]): Promise<Map<string, ServiceKind>> {
  if (names.length === 0) return new Map();
  const rows = await tx
    .selectFrom('services')
    .select(['name', 'kind'])
    .where(sql<boolean>`name = any(${[...names]})`)
    .execute();
  return new Map(rows.map(({ name, kind }) => [name, kind]));
}

function services(tx: Tx) {
  return tx
    .selectFrom('services')
    .leftJoin('teams', 'teams.id', 'services.team_id')
    .select([
      'services.name',
      'services.kind',
      'services.description',
      'services.team_id as teamId',
      'teams.slug as team',
      'services.declared',
      'services.first_seen_at as firstSeenAt',
      'services.last_seen_at as lastSeenAt',
    ]);
}

/** A call and how it is known. */
export interface DependencyRecord {
  from: string;
  to: string;
  declared: boolean;
  /** Null: declared only. */
  observedIn: 'traces' | 'labels' | null;
  calls: number;
  errors: number;
  lastSeenAt: Date | null;
}

/** More neighbours nobody reads. */
const neighboursRead = 500;

/** Calls to and from a service, by name. */
export async function callsOf(
  tx: Tx,
  name: string,
): Promise<{ callers: DependencyRecord[]; callees: DependencyRecord[] }> {
  const side = (column: 'caller' | 'callee', other: 'caller' | 'callee') =>
    dependencies(tx).where(column, '=', name).orderBy(other).limit(neighboursRead).execute();
  return { callers: await side('callee', 'caller'), callees: await side('caller', 'callee') };
}

/** As `readGraph` with how each call is known; up to 20,000. */
export async function listDependencies(tx: Tx): Promise<DependencyRecord[]> {
  return await dependencies(tx).orderBy('caller').orderBy('callee').limit(20_000).execute();
}

function dependencies(tx: Tx) {
  return tx
    .selectFrom('service_dependencies')
    .select([
      'caller as from',
      'callee as to',
      'declared',
      'observed_in as observedIn',
      'calls',
      'errors',
      'last_seen_at as lastSeenAt',
    ])
    .where((where) =>
      where.or([
        where('declared', '=', true),
        where('last_seen_at', '>', new Date(Date.now() - dependencyLifetimeMs)),
      ]),
    );
}

/** An incident that is not resolved, at one of the services that it concerns. */
export interface ServiceIncident {
  service: string;
  number: number;
  title: string;
  severity: Severity;
  openedAt: Date;
  /** Whether the service is what is taken to be the cause. */
  isCause: boolean;
}

/** Unresolved incidents that are looked at: the newest. */
const incidentsRead = 200;
const servicesOfIncident = 200;

/**
 * Which services unresolved incidents concern, by their alerts and by what was found to be the cause; the newest
 * incident first. With `service` only at that one.
 */
export async function listTrouble(tx: Tx, service?: string): Promise<ServiceIncident[]> {
  const only = service === undefined ? sql`true` : sql`t.service = ${service}`;
  const { rows } = await sql<ServiceIncident>`
    with active as (
      select id, number, title, severity, opened_at, cause_service from incidents
      where resolved_at is null and status <> 'false_positive' order by number desc limit ${incidentsRead}
    )
    select t.service, a.number, a.title, a.severity, a.opened_at as "openedAt",
      coalesce(t.service = a.cause_service, false) as "isCause"
    from active a cross join lateral (
      (select substr(k.key, 9) as service from incident_keys k
        where k.incident_id = a.id and k.key like 'service=%' order by 1 limit ${servicesOfIncident})
      union select a.cause_service where a.cause_service is not null
    ) t
    where ${only}
    order by a.number desc, t.service
  `.execute(tx);
  return rows;
}
