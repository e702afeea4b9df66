import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findPort, loopback } from '../../stack/port.ts';
import { processIdentity } from '../../stack/process.ts';
import { temporaryFolder } from '../parts/server-part.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../..');

export const ownerToken = 'hft_owner-token-of-the-smoke-tests';
export const ingestKey = 'hfk_ingest-key-of-the-smoke-tests';
export const ownerEmail = 'ana@example.com';

/** Where one Holdfast lives over several starts: its folders and the port that links in mails name. */
export interface Place {
  folder: string;
  dataDir: string;
  runbooksDir: string;
  port: number;
  url: string;
  writeRunbook(name: string, yaml: string): Promise<void>;
  remove(): Promise<void>;
}

/** `node main/start.ts`, running. */
export interface Stack {
  pid: number;
  /** All that it has written, of earlier starts in the same place too. */
  output(): Promise<string>;
  /** SIGTERM, as Ctrl-C does; answers with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL to it and to its parts at once, but not to the commands of runbooks: nobody gets to tidy up. */
  kill(): Promise<void>;
  ended: Promise<number | null>;
}

export async function makePlace(): Promise<Place> {
  const folder = await temporaryFolder('smoke');
  const runbooksDir = join(folder, 'runbooks');
  await mkdir(runbooksDir);
  const port = await findPort();
  return {
    folder,
    dataDir: join(folder, 'data'),
    runbooksDir,
    port,
    url: `http://${loopback}:${port}`,
    writeRunbook: (name, yaml) => writeFile(join(runbooksDir, `${name}.yaml`), yaml),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }),
  };
}

const startLimitMs = 90_000;

/** What `npm start` runs, with the configuration of the test; resolves once it says that it runs. */
export async function startStack(place: Place, environment: Record<string, string> = {}): Promise<Stack> {
  const logFile = join(place.folder, 'output');
  const output = () => readFile(logFile, 'utf8').catch(() => '');
  const before = (await output()).length;
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, ['main/start.ts'], {
    cwd: repository,
    env: environmentOf(place, environment),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = child.pid ?? 0;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stack: Stack = {
    pid,
    output,
    ended,
    async stop() {
      child.kill('SIGTERM');
      return await ended;
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const parts = await partsOf(pid);
      for (const part of [...parts.filter(isGuard), { pid }, ...parts]) kill(part.pid);
      await waitFor('everything that was killed to be gone', async () => (await living(parts)) === 0);
      await ended;
    },
  };
  const runs = waitFor(
    'Holdfast to run',
    async () => (await output()).slice(before).includes('Holdfast is running.'),
    startLimitMs,
  );
  runs.catch(() => {});
  try {
    const outcome = await Promise.race([runs, ended]);
    if (outcome !== true) throw new Error(`Holdfast ended with ${outcome}`);
  } catch (error) {
    await stack.kill();
    throw new Error(`${String(error)}; it said:\n${(await output()).slice(before).slice(-4000)}`);
  }
  return stack;
}

/** Nothing of the surroundings but what programs need to be found and run. */
function environmentOf(place: Place, more: Record<string, string>): Record<string, string> {
  const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(inherited),
    PORT: String(place.port),
    PUBLIC_URL: place.url,
    HOLDFAST_DATA_DIR: place.dataDir,
    HOLDFAST_RUNBOOKS_DIR: place.runbooksDir,
    HOLDFAST_OWNER_TOKEN: ownerToken,
    HOLDFAST_OWNER_EMAIL: ownerEmail,
    HOLDFAST_INGEST_KEY: ingestKey,
    ...more,
  };
}

interface Part {
  pid: number;
  parent: number;
  command: string;
}

/** The embedded parts and their guards, by descent; the commands of runbooks are left out. */
async function partsOf(pid: number): Promise<Part[]> {
  const all = await processes();
  const descendants = new Set([pid]);
  for (let before = 0; before < descendants.size; ) {
    before = descendants.size;
    for (const each of all) if (descendants.has(each.parent)) descendants.add(each.pid);
  }
  return all.filter(
    (each) =>
      each.pid !== pid &&
      descendants.has(each.pid) &&
      (/postgres|temporal server|main\/bundle/.test(each.command) || isGuard(each)),
  );
}

const isGuard = ({ command }: Part): boolean => command.includes('holdfast-guard');

export async function processes(): Promise<Part[]> {
  const { stdout } = await run('ps', ['-Ao', 'pid=,ppid=,args='], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

async function living(parts: readonly Part[]): Promise<number> {
  const identities = await Promise.all(parts.map((part) => processIdentity(part.pid)));
  return identities.filter((identity) => identity !== undefined).length;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Polls until there is something to see; a time-out names what was waited for. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain for ${what}`);
    await sleep(100);
  }
}
