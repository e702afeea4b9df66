import { randomBytes } from 'node:crypto';
import { type SelectQueryBuilder, sql } from 'kysely';
import type { RunbookProblem } from '../domain/runbook/definition.ts';
import type { Commit } from '../domain/runbook-import/commit.ts';
import type { GitSourceSettings } from '../domain/runbook-import/git-source.ts';
import { recordAudit } from './audit.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestByMoment } from './newest-page.ts';
import { lockRunbooks, removeRunbooksExcept } from './runbooks.ts';
import type { Schema } from './schema.ts';
import { storable } from './storable.ts';

export interface GitSource extends GitSourceSettings {
  id: string;
  teamId: string | null;
  /** '': its runbooks carry their own names. */
  environment: string;
  /** Of the newest push that was taken over. */
  importedCommit: string | null;
  importedAt: Date | null;
  /** Of the newest look at the branch. */
  checkedCommit: string | null;
  checkedAt: Date | null;
  /** Why the newest look failed; null when it did not. */
  error: string | null;
  createdAt: Date;
  createdBy: string;
}

export interface GitSourceStanding extends GitSource {
  /** What came of the newest commit that was looked at; null before the first. */
  lastImport: GitImport | null;
  /** That are there now. */
  runbooks: number;
}

export interface GitImport {
  id: string;
  sourceId: string;
  commit: string;
  author: string;
  authorEmail: string;
  committedAt: Date;
  subject: string;
  status: 'imported' | 'refused';
  problems: RunbookProblem[];
  changes: ImportChanges;
  at: Date;
}

/** Names of runbooks. */
export interface ImportChanges {
  added: string[];
  changed: string[];
  removed: string[];
}

/** The environment (or the place of runbooks without one) has a source already. */
export class EnvironmentTakenError extends Error {
  override name = 'EnvironmentTakenError';
}

const sourceColumns = [
  'git_sources.id',
  'git_sources.team_id as teamId',
  'git_sources.environment',
  'git_sources.url',
  'git_sources.branch',
  'git_sources.path',
  'git_sources.credential',
  'git_sources.interval_ms as intervalMs',
  'git_sources.imported_commit as importedCommit',
  'git_sources.imported_at as importedAt',
  'git_sources.checked_commit as checkedCommit',
  'git_sources.checked_at as checkedAt',
  'git_sources.error',
  'git_sources.created_at as createdAt',
  'git_sources.created_by as createdBy',
] as const;

const importColumns = [
  'id',
  'source_id as sourceId',
  'commit',
  'author',
  'author_email as authorEmail',
  'committed_at as committedAt',
  'subject',
  'status',
  'problems',
  'changes',
  'at',
] as const;

/** Opens the source's webhook: what the host signs or sends with each push. */
const newWebhookSecret = (): string => randomBytes(32).toString('hex');

function present(tx: Tx) {
  return tx.selectFrom('git_sources').select(sourceColumns).where('git_sources.removed_at', 'is', null);
}

/** By environment; without those that were removed. */
export async function listGitSources(tx: Tx): Promise<GitSourceStanding[]> {
  const sources = await withRunbooks(present(tx)).orderBy('git_sources.environment').execute();
  const standing: GitSourceStanding[] = [];
  for (const source of sources) standing.push(await withLastImport(tx, source));
  return standing;
}

export async function getGitSource(tx: Tx, id: string): Promise<GitSourceStanding | undefined> {
  const source = await withRunbooks(present(tx)).where('git_sources.id', '=', id).executeTakeFirst();
  return source && (await withLastImport(tx, source));
}

function withRunbooks<O>(query: SelectQueryBuilder<Schema, 'git_sources', O>) {
  return query.select((eb) =>
    eb
      .selectFrom('runbooks')
      .select((count) => count.fn.countAll<number>().as('count'))
      .whereRef('runbooks.source_id', '=', 'git_sources.id')
      .where('runbooks.removed_at', 'is', null)
      .as('runbooks'),
  );
}

async function withLastImport(
  tx: Tx,
  source: GitSource & { runbooks: number | null },
): Promise<GitSourceStanding> {
  const lastImport =
    source.checkedCommit === null ? undefined : await findImport(tx, source.id, source.checkedCommit);
  return { ...source, runbooks: source.runbooks ?? 0, lastImport: lastImport ?? null };
}

/** Shows the webhook's secret, this once. Throws EnvironmentTakenError. */
export async function createGitSource(
  tx: Tx,
  args: { orgId: string; environment: string; settings: GitSourceSettings; actor: string },
): Promise<{ id: string; webhookSecret: string }> {
  const { orgId, environment, settings, actor } = args;
  const webhookSecret = newWebhookSecret();
  const row = await tx
    .insertInto('git_sources')
    .values({
      org_id: orgId,
      environment,
      ...columnsOf(settings),
      webhook_secret: webhookSecret,
      created_by: actor,
    })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'environment']).where('removed_at', 'is', null).doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  if (!row) {
    throw new EnvironmentTakenError(
      environment === ''
        ? 'there is a source without an environment already: give this one an environment, or change that one'
        : `the environment ${environment} has a source already: change that one, or choose another environment`,
    );
  }
  await audit(tx, { orgId, id: row.id, action: 'created', actor, data: { environment, ...settings } });
  return { id: row.id, webhookSecret };
}

/** The next look imports whatever the branch holds then. False when there is no such source. */
export async function changeGitSource(
  tx: Tx,
  args: { orgId: string; id: string; settings: GitSourceSettings; actor: string },
): Promise<boolean> {
  const { orgId, id, settings, actor } = args;
  const changed = await tx
    .updateTable('git_sources')
    .set({ ...columnsOf(settings), imported_commit: null, error: null })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return false;
  await audit(tx, { orgId, id, action: 'changed', actor, data: { ...settings } });
  return true;
}

/** Its runbooks go with it; executions go on. False when there is no such source. */
export async function removeGitSource(
  tx: Tx,
  args: { orgId: string; id: string; actor: string },
): Promise<boolean> {
  const { orgId, id, actor } = args;
  await lockRunbooks(tx, orgId);
  const removed = await tx
    .updateTable('git_sources')
    .set({ removed_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (removed.numUpdatedRows === 0n) return false;
  const runbooks = await removeRunbooksExcept(tx, { orgId, names: [], keptFiles: [], sourceId: id });
  await audit(tx, { orgId, id, action: 'removed', actor, data: { runbooks } });
  return true;
}

/** The new secret, shown this once; the old one opens nothing any more. Undefined when there is no such source. */
export async function rotateWebhookSecret(
  tx: Tx,
  args: { orgId: string; id: string; actor: string },
): Promise<string | undefined> {
  const webhookSecret = newWebhookSecret();
  const changed = await tx
    .updateTable('git_sources')
    .set({ webhook_secret: webhookSecret })
    .where('id', '=', args.id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return undefined;
  await audit(tx, { ...args, action: 'webhook_secret_rotated', data: {} });
  return webhookSecret;
}

/** Before the organization is known: whose source a webhook's address names, and what opens it. */
export async function findWebhookSource(
  tx: Tx,
  id: string,
): Promise<{ orgId: string; branch: string; webhookSecret: string } | undefined> {
  const { rows } = await sql<{ orgId: string; branch: string; webhookSecret: string }>`
    select org_id as "orgId", branch, webhook_secret as "webhookSecret" from find_git_source(${id}::uuid)`.execute(
    tx,
  );
  return rows[0];
}

/** The branch could not be read; what was imported goes on to hold. */
export async function recordGitFailure(tx: Tx, args: { id: string; error: string }): Promise<void> {
  await tx
    .updateTable('git_sources')
    .set({ checked_at: sql<Date>`now()`, error: storable(args.error) })
    .where('id', '=', args.id)
    .execute();
}

/** The branch stands where the newest import left it. */
export async function recordGitCheck(tx: Tx, args: { id: string; commit: string }): Promise<void> {
  await tx
    .updateTable('git_sources')
    .set({ checked_at: sql<Date>`now()`, checked_commit: args.commit, error: null })
    .where('id', '=', args.id)
    .execute();
}

/** What came of a commit; looked at again, the newest outcome stands, with the time that it was first known at. */
export async function recordImport(
  tx: Tx,
  args: { orgId: string; sourceId: string; commit: Commit } & (
    | { status: 'imported'; changes: ImportChanges }
    | { status: 'refused'; problems: RunbookProblem[] }
  ),
): Promise<{ id: string }> {
  const { orgId, sourceId, status } = args;
  const commit = storable(args.commit);
  const outcome = {
    status,
    problems: JSON.stringify(args.status === 'refused' ? storable(args.problems) : []),
    changes: JSON.stringify(args.status === 'imported' ? args.changes : {}),
  };
  const row = await tx
    .insertInto('git_imports')
    .values({
      org_id: orgId,
      source_id: sourceId,
      commit: commit.id,
      author: commit.author,
      author_email: commit.authorEmail,
      committed_at: commit.committedAt,
      subject: commit.subject,
      ...outcome,
    })
    .onConflict((conflict) =>
      conflict.columns(['source_id', 'commit']).doUpdateSet({
        ...outcome,
        at: sql<Date>`case
          when (git_imports.status, git_imports.problems, git_imports.changes)
            = (excluded.status, excluded.problems, excluded.changes) then git_imports.at
          else now() end`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('git_sources')
    .set({
      checked_at: sql<Date>`now()`,
      checked_commit: commit.id,
      error: null,
      ...(status === 'imported' ? { imported_at: sql<Date>`now()`, imported_commit: commit.id } : {}),
    })
    .where('id', '=', sourceId)
    .execute();
  return row;
}

export async function findImport(tx: Tx, sourceId: string, commit: string): Promise<GitImport | undefined> {
  const row = await tx
    .selectFrom('git_imports')
    .select(importColumns)
    .where('source_id', '=', sourceId)
    .where('commit', '=', commit)
    .executeTakeFirst();
  return row && toImport(row);
}

export async function getImport(tx: Tx, id: string): Promise<GitImport | undefined> {
  const row = await tx
    .selectFrom('git_imports')
    .select(importColumns)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toImport(row);
}

/** Newest first. Throws InvalidCursorError. */
export async function listImports(
  tx: Tx,
  args: { sourceId: string; limit: number; cursor?: string | undefined },
): Promise<Page<GitImport>> {
  const imports = tx.selectFrom('git_imports').select(importColumns).where('source_id', '=', args.sourceId);
  const page = await newestByMoment(imports, { at: 'at', id: 'id', kind: 'uuid' }, args);
  return { ...page, items: page.items.map(toImport) };
}

function toImport(row: Omit<GitImport, 'changes'> & { changes: Record<string, unknown> }): GitImport {
  const names = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  const { added, changed, removed } = row.changes;
  return { ...row, changes: { added: names(added), changed: names(changed), removed: names(removed) } };
}

function columnsOf({ url, branch, path, credential, intervalMs }: GitSourceSettings) {
  return { url, branch, path, credential, interval_ms: intervalMs };
}

async function audit(
  tx: Tx,
  entry: { orgId: string; id: string; action: string; actor: string; data: Record<string, unknown> },
): Promise<void> {
  await recordAudit(tx, {
    orgId: entry.orgId,
    actor: entry.actor,
    action: `git-source.${entry.action}`,
    subject: `git-source:${entry.id}`,
    data: entry.data,
  });
}
