import { sql } from 'kysely';
import type { ExecutionStatus } from '../domain/incident-status.ts';
import type { RunbookDefinition, RunbookProblem } from '../domain/runbook/definition.ts';
import type { Commit } from '../domain/runbook-import/commit.ts';
import type { OtherRunbook } from '../domain/runbook-import/read-import.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

export interface RunbookRecord {
  name: string;
  teamId: string | null;
  definition: RunbookDefinition;
  /** As it stands in the file. */
  source: string;
  file: string;
  /** '' for those of the folder and of sources without an environment. */
  environment: string;
  /** The Git source that it comes from; null: the folder. */
  sourceId: string | null;
  /** The one in force: `source` and `definition` are this version's. */
  version: number;
  /** The newest good one; another than `version` only while the runbook is pinned. */
  latestVersion: number;
  pinnedAt: Date | null;
  pinnedBy: string | null;
  loadedAt: Date;
  /** Set when its file is gone: it can be looked at, not run. */
  removedAt: Date | null;
  /** Executions of the last 30 days. */
  runs: RunStatistics;
  lastRun: RunbookRun | null;
}

export interface RunStatistics {
  /** That came to an end after they began. */
  finished: number;
  succeeded: number;
  /** From 0 to 1; null while none has finished. */
  successRate: number | null;
}

export interface RunbookRun {
  id: string;
  status: ExecutionStatus;
  target: string;
  requestedBy: string;
  incidentNumber: number | null;
  createdAt: Date;
  finishedAt: Date | null;
}

export interface RunbookVersion {
  version: number;
  loadedAt: Date;
  /** Of the push that brought it; null for one that was read from the folder. */
  commit: string | null;
  author: string | null;
  committedAt: Date | null;
}

/** Where a runbook comes from that does not stand in the folder. */
export interface RunbookOrigin {
  sourceId: string;
  teamId: string | null;
  environment: string;
  commit: Pick<Commit, 'id' | 'author' | 'committedAt'>;
}

export interface RunbookDetail extends RunbookRecord {
  /** Newest first, the last 50. */
  versions: RunbookVersion[];
  /** Newest first, the last 10. */
  lastRuns: RunbookRun[];
}

export type RunbookProblemRecord = RunbookProblem & { foundAt: Date };

const holdfast = 'holdfast';

/** Held while runbooks are written down, so that those who read the folder or a source do so one after the other. */
export async function lockRunbooks(tx: Tx, orgId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`runbooks:${orgId}`}, 0))`.execute(tx);
}

/**
 * Keeps a runbook: a new version when its newest one says something else, none when it does not. While the runbook
 * is pinned the new version is only added; the pinned one stays in force.
 */
export async function saveRunbook(
  tx: Tx,
  args: {
    orgId: string;
    file: string;
    source: string;
    definition: RunbookDefinition;
    origin?: RunbookOrigin;
  },
): Promise<{ version: number; changed: boolean; added: boolean }> {
  const { orgId, file, source, origin } = args;
  const { name } = args.definition;
  const definition = JSON.stringify(args.definition);
  const place = {
    file,
    source_id: origin?.sourceId ?? null,
    team_id: origin?.teamId ?? null,
    environment: origin?.environment ?? '',
    removed_at: null,
  };
  const known = await findLatest(tx, { name, source, definition });
  const added = known === undefined || known.removed_at !== null;
  if (known?.same) {
    if (added || known.file !== file || known.source_id !== place.source_id) {
      await tx.updateTable('runbooks').set(place).where('name', '=', name).execute();
      await audit(tx, { orgId, name, action: 'restored', data: { file, ...commitOf(origin) } });
    }
    return { version: known.latest_version, changed: false, added };
  }
  const { rows } = await sql<{ version: number }>`
    select coalesce(max(version), 0) + 1 as version from runbook_versions where name = ${name}`.execute(tx);
  const version = rows[0]?.version ?? 1;
  await tx
    .insertInto('runbook_versions')
    .values({
      org_id: orgId,
      name,
      version,
      source,
      definition,
      commit: origin?.commit.id ?? null,
      author: origin?.commit.author ?? null,
      committed_at: origin?.commit.committedAt ?? null,
    })
    .execute();
  const inForce = known?.pinned_at ? {} : { version, source, definition, loaded_at: sql<Date>`now()` };
  await tx
    .insertInto('runbooks')
    .values({ org_id: orgId, name, ...place, latest_version: version, version, source, definition })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'name']).doUpdateSet({ ...place, latest_version: version, ...inForce }),
    )
    .execute();
  await audit(tx, {
    orgId,
    name,
    action: known ? 'changed' : 'added',
    data: { version, file, ...commitOf(origin) },
  });
  return { version, changed: true, added };
}

async function findLatest(tx: Tx, args: { name: string; source: string; definition: string }) {
  return await tx
    .selectFrom('runbooks')
    .innerJoin('runbook_versions as latest', (join) =>
      join
        .onRef('latest.org_id', '=', 'runbooks.org_id')
        .onRef('latest.name', '=', 'runbooks.name')
        .onRef('latest.version', '=', 'runbooks.latest_version'),
    )
    .select([
      'runbooks.latest_version',
      'runbooks.file',
      'runbooks.source_id',
      'runbooks.removed_at',
      'runbooks.pinned_at',
      // what a file means depends on its neighbours, too: a nested runbook may have come or gone
      sql<boolean>`latest.source = ${args.source} and latest.definition = ${args.definition}::jsonb`.as(
        'same',
      ),
    ])
    .where('runbooks.name', '=', args.name)
    .forUpdate('runbooks')
    .executeTakeFirst();
}

function commitOf(origin: RunbookOrigin | undefined): { commit?: string } {
  return origin ? { commit: origin.commit.id } : {};
}

async function audit(
  tx: Tx,
  entry: {
    orgId: string;
    name: string;
    action: 'added' | 'changed' | 'restored' | 'removed' | 'pinned' | 'unpinned';
    actor?: string;
    data: Record<string, unknown>;
  },
): Promise<void> {
  await recordAudit(tx, {
    orgId: entry.orgId,
    actor: entry.actor ?? holdfast,
    action: `runbook.${entry.action}`,
    subject: `runbook:${entry.name}`,
    data: entry.data,
  });
}

/**
 * Marks those of a source (of the folder without one) as removed whose file is gone; what `keptFiles` names stays
 * (its file is broken just now).
 */
export async function removeRunbooksExcept(
  tx: Tx,
  args: { orgId: string; names: readonly string[]; keptFiles: readonly string[]; sourceId?: string },
): Promise<string[]> {
  const { rows } = await sql<{ name: string; file: string }>`
    update runbooks set removed_at = now()
    where removed_at is null and source_id is not distinct from ${args.sourceId ?? null}::uuid
      and name <> all (${args.names}::text[]) and file <> all (${args.keptFiles}::text[])
    returning name, file`.execute(tx);
  for (const { name, file } of rows) {
    await audit(tx, { orgId: args.orgId, name, action: 'removed', data: { file } });
  }
  return rows.map(({ name }) => name);
}

/** By name: the runbooks that do not come from this source (null: from the folder), and who has them. */
export async function readOtherRunbooks(tx: Tx, sourceId: string | null): Promise<Map<string, OtherRunbook>> {
  const rows = await tx
    .selectFrom('runbooks')
    .leftJoin('git_sources', 'git_sources.id', 'runbooks.source_id')
    .select(['runbooks.name', 'runbooks.file', 'runbooks.definition', 'git_sources.url'])
    .where('runbooks.removed_at', 'is', null)
    .where(sql<boolean>`runbooks.source_id is distinct from ${sourceId}::uuid`)
    .execute();
  return new Map(
    rows.map(({ name, file, definition, url }) => {
      const place = url === null ? 'the runbook folder' : `the Git source ${url}`;
      return [name, { owner: `the file ${file} of ${place}`, definition: asDefinition(definition) }];
    }),
  );
}

/** What is wrong now, in place of what was wrong before; a problem that stays keeps the time it was found at. */
export async function saveRunbookProblems(
  tx: Tx,
  args: { orgId: string; problems: readonly RunbookProblem[] },
): Promise<void> {
  const problems = JSON.stringify(args.problems);
  await sql`
    delete from runbook_problems p where not exists (
      select 1 from jsonb_to_recordset(${problems}::jsonb) as x(file text, line integer, col integer, message text)
      where (x.file, x.line, x.col, x.message) = (p.file, p.line, p.col, p.message))`.execute(tx);
  await sql`
    insert into runbook_problems (org_id, file, line, col, message)
    select distinct ${args.orgId}::uuid, file, line, col, message
    from jsonb_to_recordset(${problems}::jsonb) as x(file text, line integer, col integer, message text)
    on conflict do nothing`.execute(tx);
}

/** By file and line. */
export async function listRunbookProblems(tx: Tx): Promise<RunbookProblemRecord[]> {
  return await tx
    .selectFrom('runbook_problems')
    .select(['file', 'line', 'col', 'message', 'found_at as foundAt'])
    .orderBy('file')
    .orderBy('line')
    .orderBy('col')
    .execute();
}

/** What alerts are matched against: every runbook whose file is there, in the version in force. */
export async function listEnabledDefinitions(tx: Tx): Promise<RunbookDefinition[]> {
  const rows = await tx
    .selectFrom('runbooks')
    .select('definition')
    .where('removed_at', 'is', null)
    .orderBy('name')
    .execute();
  return rows.map(({ definition }) => asDefinition(definition));
}

/** By name, without those that were removed. */
export async function listRunbooks(tx: Tx): Promise<RunbookRecord[]> {
  const rows = await selectRunbooks(tx).where('runbooks.removed_at', 'is', null).execute();
  return rows.map(toRecord);
}

/** Undefined when there never was one of this name. */
export async function getRunbook(tx: Tx, name: string): Promise<RunbookDetail | undefined> {
  const row = await selectRunbooks(tx).where('runbooks.name', '=', name).executeTakeFirst();
  if (!row) return undefined;
  const versions = await tx
    .selectFrom('runbook_versions')
    .select(['version', 'loaded_at as loadedAt', 'commit', 'author', 'committed_at as committedAt'])
    .where('name', '=', name)
    .orderBy('version', 'desc')
    .limit(50)
    .execute();
  const lastRuns = await tx
    .selectFrom('executions')
    .leftJoin('incidents', 'incidents.id', 'executions.incident_id')
    .select([
      'executions.id',
      'executions.status',
      'executions.target',
      'executions.requested_by as requestedBy',
      'incidents.number as incidentNumber',
      'executions.created_at as createdAt',
      'executions.finished_at as finishedAt',
    ])
    .where('executions.runbook', '=', name)
    .orderBy('executions.created_at', 'desc')
    .limit(10)
    .execute();
  return { ...toRecord(row), versions, lastRuns };
}

/** The source and definition that a version had, and who brought it. */
export async function getRunbookVersion(
  tx: Tx,
  args: { name: string; version: number },
): Promise<(RunbookVersion & { source: string; definition: RunbookDefinition }) | undefined> {
  const row = await tx
    .selectFrom('runbook_versions')
    .select([
      'version',
      'source',
      'definition',
      'loaded_at as loadedAt',
      'commit',
      'author',
      'committed_at as committedAt',
    ])
    .where('name', '=', args.name)
    .where('version', '=', args.version)
    .executeTakeFirst();
  return row && { ...row, definition: asDefinition(row.definition) };
}

function selectRunbooks(tx: Tx) {
  return tx
    .selectFrom('runbooks')
    .leftJoinLateral(
      (query) =>
        query
          .selectFrom('executions')
          .select([
            sql<number>`count(*) filter (where started_at is not null and finished_at is not null)`.as(
              'finished',
            ),
            sql<number>`count(*) filter (where status = 'succeeded')`.as('succeeded'),
          ])
          .whereRef('executions.org_id', '=', 'runbooks.org_id')
          .whereRef('executions.runbook', '=', 'runbooks.name')
          .where('executions.created_at', '>', sql<Date>`now() - interval '30 days'`)
          .as('runs'),
      (join) => join.onTrue(),
    )
    .leftJoinLateral(
      (query) =>
        query
          .selectFrom('executions')
          .leftJoin('incidents', 'incidents.id', 'executions.incident_id')
          .select([
            'executions.id as lastId',
            'executions.status as lastStatus',
            'executions.target as lastTarget',
            'executions.requested_by as lastRequestedBy',
            'incidents.number as lastIncidentNumber',
            'executions.created_at as lastCreatedAt',
            'executions.finished_at as lastFinishedAt',
          ])
          .whereRef('executions.org_id', '=', 'runbooks.org_id')
          .whereRef('executions.runbook', '=', 'runbooks.name')
          .orderBy('executions.created_at', 'desc')
          .limit(1)
          .as('last'),
      (join) => join.onTrue(),
    )
    .select([
      'runbooks.name',
      'runbooks.team_id',
      'runbooks.file',
      'runbooks.environment',
      'runbooks.source_id',
      'runbooks.version',
      'runbooks.latest_version',
      'runbooks.pinned_at',
      'runbooks.pinned_by',
      'runbooks.source',
      'runbooks.definition',
      'runbooks.loaded_at',
      'runbooks.removed_at',
      'runs.finished',
      'runs.succeeded',
      'last.lastId',
      'last.lastStatus',
      'last.lastTarget',
      'last.lastRequestedBy',
      'last.lastIncidentNumber',
      'last.lastCreatedAt',
      'last.lastFinishedAt',
    ])
    .orderBy('runbooks.name');
}

type RunbookRow = Awaited<ReturnType<ReturnType<typeof selectRunbooks>['execute']>>[number];

function toRecord(row: RunbookRow): RunbookRecord {
  const finished = row.finished ?? 0;
  const succeeded = row.succeeded ?? 0;
  return {
    name: row.name,
    teamId: row.team_id,
    definition: asDefinition(row.definition),
    source: row.source,
    file: row.file,
    environment: row.environment,
    sourceId: row.source_id,
    version: row.version,
    latestVersion: row.latest_version,
    pinnedAt: row.pinned_at,
    pinnedBy: row.pinned_by,
    loadedAt: row.loaded_at,
    removedAt: row.removed_at,
    runs: { finished, succeeded, successRate: finished === 0 ? null : succeeded / finished },
    lastRun:
      row.lastId === null || row.lastStatus === null || row.lastCreatedAt === null
        ? null
        : {
            id: row.lastId,
            status: row.lastStatus,
            target: row.lastTarget ?? '',
            requestedBy: row.lastRequestedBy ?? '',
            incidentNumber: row.lastIncidentNumber,
            createdAt: row.lastCreatedAt,
            finishedAt: row.lastFinishedAt,
          },
  };
}

/** The column is written by saveRunbook alone, from a validated definition. */
function asDefinition(stored: unknown): RunbookDefinition {
  return stored as RunbookDefinition;
}
