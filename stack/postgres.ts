import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { z } from 'zod';
import { findPort, loopback } from './port.ts';
import { type PostgresHome, postgresHome } from './postgres-home.ts';
import { type ChildProcess, commandLine, startChild, stopOrphan } from './process.ts';

const run = promisify(execFile);

export interface EmbeddedPostgres {
  /** Of the superuser, on the database `holdfast`; carries the password. */
  url: string;
  port: number;
  pid: number;
  /** Resolves when the server ends, by `close()` or by itself, with a phrase that says how. */
  ended: Promise<string>;
  close(): Promise<void>;
}

export interface PostgresOptions {
  dataDir: string;
  /** Told of steps that take longer than a moment. */
  onProgress?: (line: string) => void;
  /** Server settings beyond the usual, or in their place: a test run gives durability away for speed. */
  settings?: Record<string, string>;
  /** For what cannot lie in the data directory, see `postgresHome`; only a test wants another one. */
  systemDir?: string;
}

const database = 'holdfast';
const superuser = 'postgres';
const startLimitMs = 60_000;
/** A fast shutdown writes a checkpoint, which takes a while on a slow disk. */
const stopPatienceMs = 30_000;

/** What outlives a start: the port, so that pasted connection strings go on working, and the password. */
const settingsSchema = z.object({ port: z.number(), password: z.string() });
type Settings = z.infer<typeof settingsSchema>;

const usualSettings = {
  listen_addresses: loopback,
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  // an alert is answered with 2xx only when it would survive a power cut
  fsync: 'on',
  synchronous_commit: 'on',
  // spreads the writes of a checkpoint over a storm of alerts
  max_wal_size: '1GB',
  log_min_messages: 'warning',
  timezone: 'UTC',
};

/**
 * A real PostgreSQL on loopback whose cluster lives in `<dataDir>/postgres`: created at the first start, found
 * again at the next. A server that an earlier, killed start left running is stopped first. Run as root, the
 * server runs as the user `postgres`, see `postgresHome` for where its files are then.
 * @throws Error naming the cause and the remedy
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const progress = options.onProgress ?? (() => {});
  const home = await postgresHome({
    dataDir: options.dataDir,
    systemDir: options.systemDir ?? '/var/lib/holdfast',
    fresh: !existsSync(settingsFile(options.dataDir)),
    onProgress: progress,
  });
  const settings = await readSettings(options.dataDir, home.cluster);
  await stopServerLeftBehind(home.cluster, progress);
  await createCluster(home, settings.password, progress);
  const port = await findPort(settings.port ? [settings.port] : []);
  if (settings.port && port !== settings.port) {
    progress(`PostgreSQL: port ${settings.port} is taken, using ${port}`);
  }
  await writeSettings(options.dataDir, { ...settings, port });
  const server = await startServer(home, {
    port,
    password: settings.password,
    logFile: join(options.dataDir, 'postgres.log'),
    settings: { ...usualSettings, ...options.settings },
  });
  try {
    await createDatabase(port, settings.password);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: connectionString(port, settings.password, database),
    port,
    pid: server.pid,
    ended: server.ended,
    close: () => server.stop(),
  };
}

const settingsFile = (dataDir: string): string => join(dataDir, 'postgres.json');

async function readSettings(dataDir: string, cluster: string): Promise<Settings> {
  const file = settingsFile(dataDir);
  if (!existsSync(file)) {
    if (existsSync(join(cluster, 'PG_VERSION'))) {
      throw new Error(
        `${file} is gone, and with it the password of the database in ${cluster}. ` +
          'Put it back from a backup, or remove that directory to start with an empty database.',
      );
    }
    const fresh = { port: 0, password: randomBytes(24).toString('base64url') };
    await writeSettings(dataDir, fresh); // before initdb: a cluster whose password is lost is of no use
    return fresh;
  }
  const settings = settingsSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (settings.success) return settings.data;
  throw new Error(
    `${file} does not hold the port and password of the embedded PostgreSQL: ${settings.error.message}`,
  );
}

async function writeSettings(dataDir: string, settings: Settings): Promise<void> {
  const file = settingsFile(dataDir);
  await writeFile(`${file}.new`, `${JSON.stringify(settings)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/**
 * `postmaster.pid` names the server that runs on a cluster. Ours from a killed start is stopped. What is left of
 * the file is PostgreSQL's to judge: it looks whether processes of the dead server still share its memory. But it
 * refuses to start while there is any process of that id, be it another program that was given the id or the dead
 * server itself, not yet reaped. Its own parent's id it takes for stale, so that is what the file names then.
 */
async function stopServerLeftBehind(cluster: string, progress: (line: string) => void): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const pid = Number.parseInt(text, 10);
  const command = await commandLine(pid);
  if (command?.includes('postgres') && command.includes(cluster)) {
    progress('PostgreSQL: stopping the server that an earlier run left behind');
    await stopOrphan(pid, 'SIGINT', stopPatienceMs);
  }
  if (existsSync(file)) await writeFile(file, text.replace(/^\d+/, String(process.pid)));
}

/** In a folder beside it that is renamed when it is whole, so an interrupted first start leaves no half. */
async function createCluster(
  home: PostgresHome,
  password: string,
  progress: (line: string) => void,
): Promise<void> {
  if (existsSync(join(home.cluster, 'PG_VERSION'))) return;
  progress('PostgreSQL: creating the database cluster');
  const making = `${home.cluster}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true, mode: 0o700 });
  const passwordFile = join(making, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (home.user) {
    await chown(making, home.user.uid, home.user.gid);
    await chown(passwordFile, home.user.uid, home.user.gid);
  }
  const cluster = join(making, 'cluster');
  await run(
    home.initdb,
    [
      `--pgdata=${cluster}`,
      `--username=${superuser}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // the same order and case rules on every machine, whatever locales it has
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    { ...home.user, cwd: '/' },
  ).catch((error: Error & { stderr?: string }) => {
    throw new Error(`PostgreSQL's initdb failed: ${error.stderr?.trim() || error.message}`);
  });
  await rm(home.cluster, { recursive: true, force: true });
  await rename(cluster, home.cluster);
  await rm(making, { recursive: true, force: true });
}

interface Launch {
  port: number;
  password: string;
  logFile: string;
  settings: Record<string, string>;
}

async function startServer(home: PostgresHome, launch: Launch): Promise<ChildProcess> {
  const { port, password, logFile } = launch;
  const args = ['-D', home.cluster, '-p', String(port)];
  for (const [name, value] of Object.entries(launch.settings)) args.push('-c', `${name}=${value}`);
  const deadline = Date.now() + startLimitMs;
  for (;;) {
    const server = await startChild(home.postgres, args, {
      logFile,
      stopSignal: 'SIGINT', // a fast shutdown: sessions are ended, nothing committed is lost
      patienceMs: stopPatienceMs,
      ...home.user,
    });
    const ready = whenReady(port, password, deadline);
    const outcome = await Promise.race([server.ended.then((how) => ({ how })), ready]).catch(
      async (error) => {
        await server.stop();
        throw error;
      },
    );
    if (outcome === 'ready') return server;
    const words = await server.lastWords();
    await server.stop();
    // backends of a killed server need a moment to notice and go
    const held = words.includes('is still in use') && Date.now() < deadline;
    if (!held) {
      const how =
        outcome === 'late' ? `was not ready within ${startLimitMs / 1000} s` : `ended (${outcome.how})`;
      throw new Error(
        `The embedded PostgreSQL ${how}; it last said:\n${words}\nAll of it is in ${logFile}. ` +
          'To use a PostgreSQL of your own instead, set DATABASE_URL.',
      );
    }
    await sleep(200);
  }
}

class WrongPasswordError extends Error {
  constructor() {
    super(
      'The embedded PostgreSQL refuses the password in postgres.json: both must come from the same backup.',
    );
  }
}

async function whenReady(port: number, password: string, deadline: number): Promise<'ready' | 'late'> {
  while (Date.now() < deadline) {
    const client = new pg.Client({ connectionString: connectionString(port, password, 'postgres') });
    client.on('error', () => {});
    try {
      await client.connect();
      return 'ready';
    } catch (error) {
      if ((error as pg.DatabaseError).code === '28P01') throw new WrongPasswordError();
      await sleep(50); // not yet; a server that never will be ends, and says why in its log
    } finally {
      await client.end().catch(() => {});
    }
  }
  return 'late';
}

async function createDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: connectionString(port, password, 'postgres') });
  await client.connect();
  try {
    const found = await client.query('select from pg_database where datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
}

function connectionString(port: number, password: string, name: string): string {
  return `postgres://${superuser}:${encodeURIComponent(password)}@${loopback}:${port}/${name}`;
}
