import { sql } from 'kysely';
import type { IncidentMetric, SimilarIncident } from '../domain/incident/analysis.ts';
import type { Cause } from '../domain/root-cause/cause.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { saveCauseTrait } from './judgements.ts';
import { storable } from './storable.ts';

/** What an analysis looks at of one alert. Times are epoch milliseconds. */
export interface AnalysedAlert {
  id: number;
  name: string;
  service: string | null;
  severity: Severity;
  labels: Record<string, string>;
  generatorUrl: string | null;
  startsAt: number;
  receivedAt: number;
}

/** Of the same name and service: the first ones, for those say when it began. */
const ofAKind = 5;
const alertLimit = 1_000;

/** The alerts of an incident by age: of each name and service the first five, at most a thousand. */
export async function listAnalysedAlerts(tx: Tx, incidentId: string): Promise<AnalysedAlert[]> {
  const { rows } = await sql<
    Omit<AnalysedAlert, 'startsAt' | 'receivedAt'> & { starts_at: Date; received_at: Date }
  >`
    select id, name, service, severity, labels, generator_url as "generatorUrl", starts_at, received_at from (
      select id, name, service, severity, labels, generator_url, starts_at, received_at,
        row_number() over (partition by name, service order by id) as place
      from alerts where incident_id = ${incidentId}
    ) ranked
    where place <= ${ofAKind}
    order by id limit ${alertLimit}`.execute(tx);
  return rows.map(({ starts_at, received_at, ...alert }) => ({
    ...alert,
    startsAt: starts_at.getTime(),
    receivedAt: received_at.getTime(),
  }));
}

/**
 * Whether anything tells of traces or changes, which reach Holdfast some time after what they are about. Spans are kept
 * for minutes, the calls that were learned from them for days.
 */
export async function hasLateSources(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from change_sources) or exists (select from changes) or exists (select from spans)
      or exists (select from service_dependencies where observed_in = 'traces') as found`.execute(tx);
  return rows[0]?.found === true;
}

/** Templates of what its logs tell of failures, what is new first; empty where no logs were read. */
export async function listFailurePatterns(tx: Tx, incidentId: string, limit = 20): Promise<string[]> {
  const { rows } = await sql<{ template: string }>`
    select p.template from incident_logs l, jsonb_to_recordset(l.patterns)
      as p(template text, level text, "isNew" boolean, count double precision)
    where l.incident_id = ${incidentId} and p.level in ('fatal', 'error', 'warn') and p.template is not null
    order by p."isNew" desc nulls last, p.count desc limit ${limit}`.execute(tx);
  return rows.map(({ template }) => template);
}

/** What people have said already, which an analysis goes by: verdicts by the ids of the changes. */
export async function readVerdicts(
  tx: Tx,
  incidentId: string,
): Promise<Map<number, 'confirmed' | 'dismissed'>> {
  const rows = await tx
    .selectFrom('incident_changes')
    .select(['change_id', 'verdict'])
    .where('incident_id', '=', incidentId)
    .where('verdict', 'is not', null)
    .execute();
  return new Map(rows.flatMap(({ change_id, verdict }) => (verdict ? [[change_id, verdict]] : [])));
}

/** The service that a person called the cause; null where none has. */
export async function readJudgedCause(tx: Tx, incidentId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('incidents')
    .select('cause_service')
    .where('id', '=', incidentId)
    .where('cause_by', 'is not', null)
    .executeTakeFirst();
  return row?.cause_service ?? null;
}

export interface AnalysisRecord {
  orgId: string;
  incidentId: string;
  /** Best first. */
  causes: Cause[];
  /** The one that stands on the incident, unless a person has said which it is; null leaves what stands there. */
  cause: { service: string; confidence: number } | null;
  similar: SimilarIncident[];
  metrics: IncidentMetric[];
  changes: { id: number; score: number; reasons: string[] }[];
  traits: string[];
  /** What could not be looked at. */
  notes: string[];
}

/** Puts what this analysis made of the evidence in the place of an earlier one's; a person's words stay. */
export async function saveAnalysis(tx: Tx, given: AnalysisRecord): Promise<void> {
  const record = storable(given);
  const { orgId, incidentId, cause } = record;
  const found = {
    causes: JSON.stringify(record.causes),
    similar_incidents: JSON.stringify(record.similar),
    metrics: JSON.stringify(record.metrics),
    notes: JSON.stringify(record.notes),
  };
  await tx
    .insertInto('incident_analyses')
    .values({ org_id: orgId, incident_id: incidentId, ...found })
    .onConflict((conflict) =>
      conflict.column('incident_id').doUpdateSet({ ...found, analysed_at: sql`now()` }),
    )
    .execute();
  await saveTraits(tx, record);
  await saveRelatedChanges(tx, record);
  if (cause === null) return;
  const { numUpdatedRows } = await tx
    .updateTable('incidents')
    .set({ cause_service: cause.service, cause_confidence: cause.confidence })
    .where('id', '=', incidentId)
    .where('cause_by', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await saveCauseTrait(tx, { orgId, incidentId, service: cause.service });
}

/** All but the cause's, which goes by who said it. */
async function saveTraits(tx: Tx, { orgId, incidentId, traits }: AnalysisRecord): Promise<void> {
  await sql`
    with wanted as materialized (select unnest(${traits}::text[]) as trait), gone as (
      delete from incident_traits t where t.incident_id = ${incidentId} and t.trait not like 'cause=%'
        and not exists (select from wanted w where w.trait = t.trait)
    )
    insert into incident_traits (org_id, trait, incident_id)
    select ${orgId}, trait, ${incidentId} from wanted where trait not like 'cause=%'
    on conflict do nothing`.execute(tx);
}

/** What is not related any more goes, unless a person has said something of it. */
async function saveRelatedChanges(tx: Tx, { orgId, incidentId, changes }: AnalysisRecord): Promise<void> {
  await sql`
    with related as materialized (
      select r.id, r.score, r.reasons
      from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as r(id bigint, score real, reasons jsonb)
      join changes c on c.id = r.id
    ), gone as (
      delete from incident_changes ic where ic.incident_id = ${incidentId} and ic.verdict is null
        and not exists (select from related r where r.id = ic.change_id)
    )
    insert into incident_changes (org_id, incident_id, change_id, score, reasons)
    select ${orgId}, ${incidentId}, id, score, reasons from related order by id
    on conflict (incident_id, change_id) do update set score = excluded.score, reasons = excluded.reasons`.execute(
    tx,
  );
}
