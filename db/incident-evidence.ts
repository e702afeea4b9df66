import { sql } from 'kysely';
import type { ChangeVerdict } from '../domain/changes/change.ts';
import type { IncidentMetric, SimilarIncident } from '../domain/incident/analysis.ts';
import type { ExecutionStatus, IncidentStatus } from '../domain/incident-status.ts';
import type { LogPattern, RelevantLine, StackTraceEvidence } from '../domain/logs/log-evidence.ts';
import type { Cause } from '../domain/root-cause/cause.ts';
import type { Dependency, ServiceKind } from '../domain/topology/service.ts';
import { type Change, changeColumns } from './changes-read.ts';
import type { Tx } from './database.ts';
import { dependencyLifetimeMs } from './topology.ts';

/** How much there is to see of each kind of evidence, before any of it is read. */
export interface EvidenceCounts {
  timeline: number;
  logPatterns: number;
  metrics: number;
  changes: number;
  similar: number;
}

export async function countEvidence(tx: Tx, incidentId: string): Promise<EvidenceCounts> {
  const { rows } = await sql<EvidenceCounts>`
    select
      (select count(*) from timeline where incident_id = ${incidentId}) as timeline,
      coalesce((select jsonb_array_length(patterns) from incident_logs where incident_id = ${incidentId}), 0)
        as "logPatterns",
      coalesce((select jsonb_array_length(metrics) from incident_analyses where incident_id = ${incidentId}), 0)
        as metrics,
      (select count(*) from incident_changes ic join changes c on c.id = ic.change_id
        where ic.incident_id = ${incidentId}) as changes,
      coalesce((select jsonb_array_length(similar_incidents) from incident_analyses
        where incident_id = ${incidentId}), 0) as similar
  `.execute(tx);
  return rows[0] ?? { timeline: 0, logPatterns: 0, metrics: 0, changes: 0, similar: 0 };
}

export interface IncidentLogs {
  source: string;
  query: Record<string, unknown>;
  /** To the full query in the log system, where it has pages. */
  link: string | null;
  total: number;
  patterns: LogPattern[];
  stackTraces: StackTraceEvidence[];
  /** Most relevant first. */
  lines: RelevantLine[];
  /** Why the last look failed; what an earlier one found stays. */
  error: string | null;
  /** When a source that failed is asked again; null: none failed, or it is not asked again. */
  retryAt: Date | null;
  fetchedAt: Date;
}

export async function getIncidentLogs(tx: Tx, incidentId: string): Promise<IncidentLogs | undefined> {
  const row = await tx
    .selectFrom('incident_logs')
    .select([
      'source',
      'query',
      'link',
      'total',
      'patterns',
      'stack_traces as stackTraces',
      'lines',
      'error',
      'retry_at as retryAt',
      'fetched_at as fetchedAt',
    ])
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    ...row,
    // jsonb arrays, written by the evidence activity alone
    patterns: row.patterns as unknown as LogPattern[],
    stackTraces: row.stackTraces as unknown as StackTraceEvidence[],
    lines: row.lines as unknown as RelevantLine[],
  };
}

/** What the ranking made of the evidence. */
export interface IncidentAnalysis {
  /** Best first. */
  causes: Cause[];
  /** What could not be looked at, sentences. */
  notes: string[];
  /** Null until it was looked at for the first time. */
  analysedAt: Date | null;
}

export async function readAnalysis(tx: Tx, incidentId: string): Promise<IncidentAnalysis> {
  const row = await tx
    .selectFrom('incident_analyses')
    .select(['causes', 'notes', 'analysed_at as analysedAt'])
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  return row ?? { causes: [], notes: [], analysedAt: null };
}

export async function readMetrics(tx: Tx, incidentId: string): Promise<IncidentMetric[]> {
  const row = await tx
    .selectFrom('incident_analyses')
    .select('metrics')
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  return row?.metrics ?? [];
}

/** A change that may be behind the incident. */
export interface IncidentChange extends Change {
  /** 0 to 1. */
  score: number;
  reasons: string[];
  verdict: ChangeVerdict | null;
  judgedBy: string | null;
  judgedAt: Date | null;
}

/** Confirmed ones first, then by score, the dismissed ones last; at most 100. */
export async function listIncidentChanges(tx: Tx, incidentId: string): Promise<IncidentChange[]> {
  return await tx
    .selectFrom('incident_changes')
    .innerJoin('changes', 'changes.id', 'incident_changes.change_id')
    .select([
      ...changeColumns,
      'incident_changes.score',
      'incident_changes.reasons',
      'incident_changes.verdict',
      'incident_changes.judged_by as judgedBy',
      'incident_changes.judged_at as judgedAt',
    ])
    .where('incident_changes.incident_id', '=', incidentId)
    .orderBy(sql`case verdict when 'confirmed' then 0 when 'dismissed' then 2 else 1 end`)
    .orderBy('incident_changes.score', 'desc')
    .orderBy('changes.at', 'desc')
    .orderBy('changes.id', 'desc')
    .limit(100)
    .execute();
}

/** An incident of the past that looks like this one, as it stands now. */
export interface SimilarIncidentRecord extends SimilarIncident {
  title: string;
  status: IncidentStatus;
  service: string | null;
  openedAt: Date;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  causeService: string | null;
  /** What ran for it, oldest first. */
  executions: { id: string; runbook: string; status: ExecutionStatus }[];
}

/** Most similar first; those that this scope does not see are left out. */
export async function readSimilar(tx: Tx, incidentId: string): Promise<SimilarIncidentRecord[]> {
  const row = await tx
    .selectFrom('incident_analyses')
    .select('similar_incidents as similar')
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  if (!row || row.similar.length === 0) return [];
  const numbers = row.similar.map(({ number }) => number);
  const incidents = await tx
    .selectFrom('incidents')
    .select([
      'id',
      'number',
      'title',
      'status',
      'service',
      'opened_at as openedAt',
      'resolved_at as resolvedAt',
      'resolved_by as resolvedBy',
      'cause_service as causeService',
    ])
    .where('number', 'in', numbers)
    .execute();
  const executions = await tx
    .selectFrom('executions')
    .innerJoin('incidents', 'incidents.id', 'executions.incident_id')
    .select(['executions.id', 'executions.runbook', 'executions.status', 'incidents.number'])
    .where('incidents.number', 'in', numbers)
    .orderBy('executions.created_at')
    .execute();
  return row.similar.flatMap((similar) => {
    const incident = incidents.find(({ number }) => number === similar.number);
    if (!incident) return [];
    const { id: _, ...known } = incident;
    return [
      {
        ...similar,
        ...known,
        executions: executions
          .filter(({ number }) => number === similar.number)
          .map(({ number: _number, ...execution }) => execution),
      },
    ];
  });
}

/** How the services of an incident call each other, with the silent services between them. */
export interface Surroundings {
  dependencies: Dependency[];
  /** Of those that are known. */
  kinds: ReadonlyMap<string, ServiceKind>;
}

const mostCalls = 400;

/** What calls `services` and is called by them, and the calls among those. */
export async function readSurroundings(tx: Tx, services: readonly string[]): Promise<Surroundings> {
  if (services.length === 0) return { dependencies: [], kinds: new Map() };
  const calls = () =>
    tx
      .selectFrom('service_dependencies')
      .select(['caller as from', 'callee as to'])
      .where((eb) =>
        eb.or([
          eb('declared', '=', true),
          eb('last_seen_at', '>', new Date(Date.now() - dependencyLifetimeMs)),
        ]),
      )
      .limit(mostCalls);
  const touching = await calls()
    .where((eb) => eb.or([eb('caller', 'in', services), eb('callee', 'in', services)]))
    .execute();
  const silent = [...new Set(touching.flatMap(({ from, to }) => [from, to]))].filter(
    (service) => !services.includes(service),
  );
  const between =
    silent.length === 0
      ? []
      : await calls().where('caller', 'in', silent).where('callee', 'in', silent).execute();
  const kinds = await tx
    .selectFrom('services')
    .select(['name', 'kind'])
    .where('name', 'in', [...services, ...silent])
    .execute();
  return {
    dependencies: [...touching, ...between],
    kinds: new Map(kinds.map(({ name, kind }) => [name, kind])),
  };
}
