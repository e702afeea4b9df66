import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { findPort, loopback } from '../stack/port.ts';

/** `npm start` with everything embedded, on ports and in a data directory of its own. */
export interface Holdfast {
  url: string;
  pid: number;
  ingestKey: string;
  ownerToken: string;
  /** host:port of the embedded Temporal. */
  temporalAddress: string;
  databaseUrl: string;
  /** As the owner of the tables, past row-level security. */
  owner: pg.Pool;
  orgId: string;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const startLimitMs = 120_000;
const stopLimitMs = 40_000;

/** What runs now: a bench that is told to stop takes it along. */
const running = new Set<() => Promise<void>>();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    process.on('uncaughtException', () => {}); // what was under way fails, for its Holdfast goes
    await Promise.allSettled([...running].map((close) => close()));
    process.exit(130);
  });
}

/** @param env beyond the bench's own, such as SMTP_URL */
export async function startHoldfast(env: Record<string, string> = {}): Promise<Holdfast> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  // as root, PostgreSQL runs as another user, who must be able to pass through
  await chmod(dataDir, 0o755);
  const port = await findPort();
  const keys = { ingestKey: 'bench-ingest-key', ownerToken: 'bench-owner-token' };
  const child = startProcess(join(dataDir, 'holdfast.log'), {
    PORT: String(port),
    HOLDFAST_DATA_DIR: dataDir,
    HOLDFAST_INGEST_KEY: keys.ingestKey,
    HOLDFAST_OWNER_TOKEN: keys.ownerToken,
    HOLDFAST_LOG_LEVEL: 'warn',
    ...env,
  });
  const url = `http://${loopback}:${port}`;
  let owner: pg.Pool | undefined;
  const close = async () => {
    if (!running.delete(close)) return;
    await owner?.end();
    await stopProcess(child);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  running.add(close);
  try {
    await untilReady(child, url, join(dataDir, 'holdfast.log'));
    const temporal = JSON.parse(await readFile(join(dataDir, 'temporal', 'run.json'), 'utf8'));
    const postgres = JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8'));
    const databaseUrl = `postgres://postgres:${postgres.password}@${loopback}:${postgres.port}/holdfast`;
    owner = new pg.Pool({ connectionString: databaseUrl, max: 4 });
    const { rows } = await owner.query<{ org_id: string }>('select org_id from organizations');
    const orgId = rows[0]?.org_id;
    if (child.pid === undefined || orgId === undefined) throw new Error('Holdfast has no organization');
    const temporalAddress = `${loopback}:${temporal.grpc}`;
    return { url, pid: child.pid, ...keys, temporalAddress, databaseUrl, owner, orgId, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs `work` on a Holdfast of its own, which is gone afterwards. */
export async function withHoldfast<T>(
  work: (holdfast: Holdfast) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const holdfast = await startHoldfast(env);
  try {
    return await work(holdfast);
  } finally {
    await holdfast.close();
  }
}

/** Waits until `check` holds; throws after `limitMs`. */
export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  limitMs: number,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`);
    await sleep(20);
  }
}

/** What `npm start` runs, with its flags, but as a child of this process and not of npm's shell. */
function startProcess(logFile: string, env: Record<string, string>): ChildProcess {
  const words: string[] = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts.start.split(
    ' ',
  );
  const command = words.indexOf('node');
  const assigned = words.slice(0, command).map((word) => word.split('='));
  const child = spawn(process.execPath, words.slice(command + 1), {
    cwd: root,
    env: { ...process.env, ...Object.fromEntries(assigned), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(logFile);
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}

async function untilReady(child: ChildProcess, url: string, logFile: string): Promise<void> {
  await until(
    async () => {
      if (child.exitCode !== null) {
        throw new Error(`Holdfast did not start:\n${await readFile(logFile, 'utf8').catch(() => '')}`);
      }
      return await fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      );
    },
    'Holdfast was ready',
    startLimitMs,
  );
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await ended;
  clearTimeout(late);
}
