import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Database, Tx } from '../db/database.ts';
import { listOrganizations } from '../db/organizations.ts';
import {
  lockRunbooks,
  readOtherRunbooks,
  removeRunbooksExcept,
  saveRunbook,
  saveRunbookProblems,
} from '../db/runbooks.ts';
import { checkCatalog, type LocatedRunbook } from '../domain/runbook/catalog.ts';
import type { RunbookProblem } from '../domain/runbook/definition.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import type { OtherRunbook } from '../domain/runbook-import/read-import.ts';

export interface RunbookFolderOptions {
  db: Database;
  /** HOLDFAST_RUNBOOKS_DIR: its *.yaml and *.yml files, those of its sub-folders too. */
  directory: string;
  logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  /** How long the folder has to be quiet before it is read. */
  debounceMs?: number;
  /** For what the system does not report: network folders, swapped mounts. */
  pollMs?: number;
}

export interface RunbookFolder {
  /** Reads the folder now. Throws what the database throws when it is away. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

interface Loaded extends LocatedRunbook {
  source: string;
}

interface FolderContent {
  runbooks: Loaded[];
  problems: RunbookProblem[];
  /** Files that are there and cannot be read as runbooks: what they said last goes on to hold. */
  brokenFiles: string[];
  /** The folder itself could not be read: nothing in it counts as removed. */
  away: boolean;
  fingerprint: string;
}

/**
 * Keeps the runbooks of every organization as they stand in the folder, beside those of Git sources. A broken file is
 * reported with line and column and keeps its last good version; a removed file removes its runbook, running
 * executions go on with theirs.
 */
export async function startRunbookFolder(options: RunbookFolderOptions): Promise<RunbookFolder> {
  const { db, directory, logger, debounceMs = 200, pollMs = 30_000 } = options;
  let written = '';
  let running: Promise<void> = Promise.resolve();
  let debounce: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;

  async function load(): Promise<void> {
    const content = await readFolder(directory);
    const organizations = await listOrganizations(db);
    const fingerprint = `${content.fingerprint} ${organizations.map(({ orgId }) => orgId).join()}`;
    if (fingerprint === written) return;
    let contested = false;
    for (const { orgId } of organizations) {
      const { changed, removed, clashes } = await db.write({ orgId }, (tx) => writeDown(tx, orgId, content));
      for (const name of changed) logger.debug({ runbook: name }, 'runbook loaded');
      for (const name of removed) logger.debug({ runbook: name }, 'runbook removed');
      for (const { file, message } of clashes) logger.debug(`runbook problem in ${file}: ${message}`);
      contested ||= clashes.length > 0;
    }
    for (const { file, line, col, message } of content.problems) {
      logger.warn(`runbook problem in ${file}:${line}:${col}: ${message}`);
    }
    // a name that a source gives up becomes free without a change in the folder
    written = contested ? '' : fingerprint;
  }

  /** One after the other: a change while the folder is read is read afterwards. */
  function reload(): Promise<void> {
    const next = running.then(load);
    running = next.catch(() => undefined);
    return next;
  }

  function reloadInBackground(): void {
    reload().catch((error: unknown) =>
      logger.error({ err: error }, 'the runbooks could not be loaded; trying again'),
    );
  }

  /** A folder that is not there yet, or was replaced, is watched from the next poll on. */
  function watchFolder(): void {
    if (watcher) return;
    try {
      watcher = watch(directory, { recursive: true, persistent: false }, () => {
        clearTimeout(debounce);
        debounce = setTimeout(reloadInBackground, debounceMs);
      });
      watcher.on('error', () => {
        watcher?.close();
        watcher = undefined;
      });
    } catch {
      watcher = undefined;
    }
  }

  watchFolder();
  const poll = setInterval(() => {
    watchFolder();
    reloadInBackground();
  }, pollMs);
  await reload();
  return {
    reload,
    async stop() {
      clearInterval(poll);
      clearTimeout(debounce);
      watcher?.close();
      await running;
    },
  };
}

async function writeDown(
  tx: Tx,
  orgId: string,
  content: FolderContent,
): Promise<{ changed: string[]; removed: string[]; clashes: RunbookProblem[] }> {
  await lockRunbooks(tx, orgId);
  const others = await readOtherRunbooks(tx, null);
  const clashes = clashesOf(content.runbooks, others);
  const refused = new Set(clashes.map(({ file }) => file));
  const changed: string[] = [];
  for (const { file, source, definition } of content.runbooks) {
    if (refused.has(file)) continue;
    const { name } = definition;
    const saved = await saveRunbook(tx, { orgId, file, source, definition });
    if (saved.changed) changed.push(`${name} (version ${saved.version})`);
  }
  const removed = content.away
    ? []
    : await removeRunbooksExcept(tx, {
        orgId,
        names: content.runbooks.map(({ definition }) => definition.name),
        keptFiles: content.brokenFiles,
      });
  await saveRunbookProblems(tx, { orgId, problems: [...content.problems, ...clashes] });
  return { changed, removed, clashes };
}

/** What only shows beside the runbooks of Git sources: names that they have, and nested runbooks that nobody has. */
function clashesOf(runbooks: readonly Loaded[], others: ReadonlyMap<string, OtherRunbook>): RunbookProblem[] {
  const clashes = runbooks.flatMap(({ file, definition: { name }, locate }) => {
    const owner = others.get(name)?.owner;
    if (owner === undefined) return [];
    const message = `the name '${name}' belongs to ${owner} already; give one of them another name`;
    return [{ file, ...locate(['name']), message }];
  });
  const known = new Map([...others].map(([name, { definition }]) => [name, definition]));
  return [...clashes, ...checkCatalog(runbooks, known)];
}

async function readFolder(directory: string): Promise<FolderContent> {
  const content: FolderContent = {
    runbooks: [],
    problems: [],
    brokenFiles: [],
    away: false,
    fingerprint: '',
  };
  const hash = createHash('sha256');
  let files: string[];
  try {
    files = await runbookFiles(directory);
  } catch (error) {
    const message = `the folder of runbooks cannot be read (${reasonOf(error)}); make it, or set HOLDFAST_RUNBOOKS_DIR`;
    content.problems.push({ file: directory, line: 1, col: 1, message });
    return { ...content, away: true, fingerprint: message };
  }
  const fileOf = new Map<string, string>();
  for (const file of files) {
    const read = await readRunbook(directory, file);
    hash.update(`${file}\0${read.source}\0`);
    if ('problems' in read) {
      content.problems.push(...read.problems);
      content.brokenFiles.push(file);
      continue;
    }
    const { name } = read.definition;
    const taken = fileOf.get(name);
    if (taken !== undefined) {
      const message = `another file, ${taken}, has a runbook of the name '${name}' too; give one of them another name`;
      content.problems.push({ file, line: 1, col: 1, message });
      continue;
    }
    fileOf.set(name, file);
    content.runbooks.push(read);
  }
  return { ...content, fingerprint: hash.digest('hex') };
}

async function readRunbook(
  directory: string,
  file: string,
): Promise<Loaded | { source: string; problems: RunbookProblem[] }> {
  let source: string;
  try {
    source = await readFile(join(directory, file), 'utf8');
  } catch (error) {
    const message = `the file cannot be read: ${reasonOf(error)}`;
    return { source: message, problems: [{ file, line: 1, col: 1, message }] };
  }
  const parsed = parseRunbook(source, file);
  return 'problems' in parsed ? { source, ...parsed } : { file, source, ...parsed };
}

/** Relative paths, sorted; hidden files and folders are left out (editors and mounted volumes keep theirs so). */
async function runbookFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true });
  return entries
    .filter((path) => /\.ya?ml$/i.test(path) && !path.split(/[\\/]/).some((part) => part.startsWith('.')))
    .sort();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
