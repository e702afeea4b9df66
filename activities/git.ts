import { setImmediate } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Database, Tx } from '../db/database.ts';
import {
  type GitSource,
  getGitSource,
  type ImportChanges,
  recordGitCheck,
  recordGitFailure,
  recordImport,
} from '../db/git-sources.ts';
import { isNotificationKnown } from '../db/notifications.ts';
import { lockRunbooks, readOtherRunbooks, removeRunbooksExcept, saveRunbook } from '../db/runbooks.ts';
import { addressOf, type Commit } from '../domain/runbook-import/commit.ts';
import {
  checkImport,
  type ImportedRunbook,
  type ReadFile,
  readImportFile,
} from '../domain/runbook-import/read-import.ts';
import { importRefusedKey } from '../workflows/messages.ts';
import { GitError } from './git/git-error.ts';
import { fetchBranch, readCommit } from './git/repository.ts';
import { readRunbookFiles } from './git/runbook-files.ts';
import { type SecretSource, SecretUnavailableError } from './secrets/secret-source.ts';
import { EgressRules } from './steps/egress.ts';

export interface GitActivityDeps {
  db: Pick<Database, 'read' | 'write'>;
  secrets: SecretSource;
  /** Where the mirrors are kept. */
  folder: string;
  /** Bytes that a branch may have, packed; default 256 MB. */
  sizeLimit?: number;
  /** Whether file:// may be read. */
  allowFile: boolean;
  /** File of the keys that ssh hosts have. */
  knownHosts: string;
  /** HOLDFAST_EGRESS_ALLOW: repositories may be at these addresses, even where clouds keep their metadata. */
  egressAllow: readonly string[];
  /** Of the worker; git gets little of it. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Takes the schedule of a source away that is there no more. */
  removeSchedule(orgId: string, sourceId: string): Promise<void>;
}

const usualSizeLimit = 256 * 1024 * 1024;

export interface SyncGitSourceInput {
  orgId: string;
  sourceId: string;
}

export type GitSyncOutcome =
  /** The source was removed: there is nothing to do. */
  | { status: 'gone' }
  | { status: 'unchanged'; commit: string }
  | { status: 'imported'; commit: string; added: number; changed: number; removed: number }
  | {
      status: 'refused';
      commit: string;
      importId: string;
      problems: number;
      /** Who is to be told, once; null where the commit names no address, or this was seen before. */
      tell: string | null;
    };

export type GitActivities = ReturnType<typeof createGitActivities>;

export function createGitActivities(deps: GitActivityDeps) {
  return {
    /**
     * Looks at the branch and takes over what changed, all of it or nothing. Throws the retryable failure
     * GitUnavailable, and the non-retryable GitRefused where somebody has to change something first; either stands on
     * the source until a look succeeds.
     */
    async syncGitSource({ orgId, sourceId }: SyncGitSourceInput): Promise<GitSyncOutcome> {
      const source = await deps.db.read({ orgId }, (tx) => getGitSource(tx, sourceId));
      if (!source) {
        await deps.removeSchedule(orgId, sourceId);
        return { status: 'gone' };
      }
      try {
        return await sync(deps, orgId, source);
      } catch (error) {
        const failure = failureOf(error);
        if (!failure) throw error;
        await deps.db.write({ orgId }, (tx) =>
          recordGitFailure(tx, { id: sourceId, error: failure.message }),
        );
        throw failure;
      }
    },
  };
}

async function sync(deps: GitActivityDeps, orgId: string, source: GitSource): Promise<GitSyncOutcome> {
  const { folder, allowFile, knownHosts, environment, sizeLimit = usualSizeLimit } = deps;
  const secret = source.credential === null ? null : await deps.secrets.read(source.credential);
  const { id: sourceId, url, branch } = source;
  const mirror = await fetchBranch(
    { sourceId, url, branch, secret },
    {
      folder,
      allowFile,
      knownHosts,
      egress: new EgressRules(deps.egressAllow),
      environment,
      sizeLimit,
      signal: Context.current().cancellationSignal,
    },
  );
  if (mirror.commit === source.importedCommit) {
    await deps.db.write({ orgId }, (tx) => recordGitCheck(tx, { id: sourceId, commit: mirror.commit }));
    return { status: 'unchanged', commit: mirror.commit };
  }
  const commit = await readCommit(mirror);
  const files: ReadFile[] = [];
  for (const file of await readRunbookFiles(mirror, source.path)) {
    files.push(readImportFile(file, source.environment));
    // the worker has other things to do between two files
    await setImmediate();
  }
  return await deps.db.write({ orgId }, async (tx) => {
    await lockRunbooks(tx, orgId);
    const now = await getGitSource(tx, sourceId);
    if (!now) return { status: 'gone' };
    if (now.url !== url || now.branch !== branch || now.path !== source.path) {
      throw new GitError('away', 'the source was changed while it was read');
    }
    return await importFiles(tx, { orgId, source: now, commit, files });
  });
}

async function importFiles(
  tx: Tx,
  args: { orgId: string; source: GitSource; commit: Commit; files: ReadFile[] },
): Promise<GitSyncOutcome> {
  const { orgId, source, commit } = args;
  const { id: sourceId, environment, teamId } = source;
  const others = await readOtherRunbooks(tx, sourceId);
  const read = checkImport(args.files, others);
  if ('problems' in read) {
    const { problems } = read;
    const { id: importId } = await recordImport(tx, { orgId, sourceId, commit, status: 'refused', problems });
    const told = await isNotificationKnown(tx, importRefusedKey(sourceId, commit.id));
    const tell = told ? null : (addressOf(commit) ?? null);
    return { status: 'refused', commit: commit.id, importId, problems: problems.length, tell };
  }
  const origin = { sourceId, teamId, environment, commit };
  const changes = await takeOver(tx, { orgId, origin, runbooks: read.runbooks });
  await recordImport(tx, { orgId, sourceId, commit, status: 'imported', changes });
  const { added, changed, removed } = changes;
  return {
    status: 'imported',
    commit: commit.id,
    added: added.length,
    changed: changed.length,
    removed: removed.length,
  };
}

async function takeOver(
  tx: Tx,
  args: {
    orgId: string;
    origin: NonNullable<Parameters<typeof saveRunbook>[1]['origin']>;
    runbooks: ImportedRunbook[];
  },
): Promise<ImportChanges> {
  const { orgId, origin, runbooks } = args;
  const changes: ImportChanges = { added: [], changed: [], removed: [] };
  for (const { file, source, definition } of runbooks) {
    const saved = await saveRunbook(tx, { orgId, file, source, definition, origin });
    if (saved.added) changes.added.push(definition.name);
    else if (saved.changed) changes.changed.push(definition.name);
  }
  const names = runbooks.map(({ definition }) => definition.name);
  changes.removed = await removeRunbooksExcept(tx, {
    orgId,
    names,
    keptFiles: [],
    sourceId: origin.sourceId,
  });
  return changes;
}

function failureOf(error: unknown): ApplicationFailure | undefined {
  if (error instanceof SecretUnavailableError) {
    return ApplicationFailure.nonRetryable(error.message, 'GitRefused');
  }
  if (!(error instanceof GitError)) return undefined;
  return error.kind === 'refused'
    ? ApplicationFailure.nonRetryable(error.message, 'GitRefused')
    : ApplicationFailure.retryable(error.message, 'GitUnavailable');
}
