import { sql } from 'kysely';
import type { ExecutionStatus } from '../domain/incident-status.ts';
import type { RunbookDefinition, RunbookProblem } from '../domain/runbook/definition.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

export interface RunbookRecord {
  name: string;
  teamId: string | null;
  definition: RunbookDefinition;
  /** As it stands in the file. */
  source: string;
  file: string;
  version: number;
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
}

export interface RunbookDetail extends RunbookRecord {
  /** Newest first, the last 50. */
  versions: RunbookVersion[];
  /** Newest first, the last 10. */
  lastRuns: RunbookRun[];
}

export type RunbookProblemRecord = RunbookProblem & { foundAt: Date };

const holdfast = 'holdfast';

/** Held while a folder is written down, so that processes that read it at once do so one after the other. */
export async function lockRunbooks(tx: Tx, orgId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`runbooks:${orgId}`}, 0))`.execute(tx);
}

/** Keeps a runbook: a new version when its source changed, none when it did not. */
export async function saveRunbook(
  tx: Tx,
  args: { orgId: string; file: string; source: string; definition: RunbookDefinition },
): Promise<{ version: number; changed: boolean }> {
  const { orgId, file, source } = args;
  const { name } = args.definition;
  const known = await tx
    .selectFrom('runbooks')
    .select(['version', 'source', 'file', 'removed_at'])
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst();
  if (known?.source === source) {
    if (known.file !== file || known.removed_at !== null) {
      await tx.updateTable('runbooks').set({ file, removed_at: null }).where('name', '=', name).execute();
      await recordAudit(tx, {
        orgId,
        actor: holdfast,
        action: 'runbook.restored',
        subject: `runbook:${name}`,
        data: { file },
      });
    }
    return { version: known.version, changed: false };
  }
  const { rows } = await sql<{ version: number }>`
    select coalesce(max(version), 0) + 1 as version from runbook_versions where name = ${name}`.execute(tx);
  const version = rows[0]?.version ?? 1;
  const definition = JSON.stringify(args.definition);
  await tx
    .insertInto('runbook_versions')
    .values({ org_id: orgId, name, version, source, definition })
    .execute();
  await tx
    .insertInto('runbooks')
    .values({ org_id: orgId, name, version, file, source, definition })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'name'])
        .doUpdateSet({ version, file, source, definition, loaded_at: sql`now()`, removed_at: null }),
    )
    .execute();
  await recordAudit(tx, {
    orgId,
    actor: holdfast,
    action: known ? 'runbook.changed' : 'runbook.added',
    subject: `runbook:${name}`,
    data: { version, file },
  });
  return { version, changed: true };
}

/** Marks those as removed whose file is gone; what `kept` names by file stays (its file is broken just now). */
export async function removeRunbooksExcept(
  tx: Tx,
  args: { orgId: string; names: readonly string[]; keptFiles: readonly string[] },
): Promise<string[]> {
  const { rows } = await sql<{ name: string; file: string }>`
    update runbooks set removed_at = now()
    where removed_at is null and name <> all (${args.names}::text[]) and file <> all (${args.keptFiles}::text[])
    returning name, file`.execute(tx);
  for (const { name, file } of rows) {
    await recordAudit(tx, {
      orgId: args.orgId,
      actor: holdfast,
      action: 'runbook.removed',
      subject: `runbook:${name}`,
      data: { file },
    });
  }
  return rows.map(({ name }) => name);
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

/** What alerts are matched against: every runbook whose file is there, in its newest good version. */
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
    .select(['version', 'loaded_at as loadedAt'])
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

/** The source and definition that a version had. */
export async function getRunbookVersion(
  tx: Tx,
  args: { name: string; version: number },
): Promise<{ source: string; definition: RunbookDefinition; loadedAt: Date } | undefined> {
  const row = await tx
    .selectFrom('runbook_versions')
    .select(['source', 'definition', 'loaded_at as loadedAt'])
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
      'runbooks.version',
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
    version: row.version,
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
