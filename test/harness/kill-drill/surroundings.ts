import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPort, loopback } from '../../../stack/port.ts';
import { startPostgres } from '../../../stack/postgres.ts';
import { temporaryFolder } from '../../parts/server-part.ts';
import { startSmtp } from '../../parts/smtp.ts';
import { startTemporalDevServer } from '../../parts/temporal-dev-server.ts';
import { type HoldfastClient, holdfastClient } from '../holdfast-client.ts';
import { ingestKey, ownerToken, waitFor } from '../stack.ts';

const repository = join(import.meta.dirname, '../../..');

/** A Holdfast of separate processes, of which only the workers are killed. */
export interface Surroundings {
  folder: string;
  databaseUrl: string;
  holdfast: HoldfastClient;
  startWorker(): Promise<DrillWorker>;
  close(): Promise<void>;
}

export interface DrillWorker {
  pid: number;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
}

/** @throws PartUnavailableError where Temporal's CLI is missing */
export async function startSurroundings(runbook: { name: string; yaml: string }): Promise<Surroundings> {
  const folder = await temporaryFolder('kill-drill');
  const processes = new Set<Program>();
  // however the drill itself ends, nothing that it started stays
  const endAll = () => {
    for (const program of processes) program.kill();
  };
  process.on('exit', endAll);
  const closers: (() => Promise<unknown>)[] = [
    async () => process.off('exit', endAll),
    () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }),
  ];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const closed = <T extends { close(): Promise<void> }>(part: T): T => {
      closers.push(() => part.close());
      return part;
    };
    const parts = [
      startTemporalDevServer().then(closed),
      startPostgres({ dataDir: folder }).then(closed),
      startSmtp().then(closed),
    ] as const;
    // one that fails must not leave another that comes after it
    await Promise.allSettled(parts);
    const [temporal, postgres, smtp] = await Promise.all(parts);
    const runbooksDir = join(folder, 'runbooks');
    await mkdir(runbooksDir);
    await writeFile(join(runbooksDir, `${runbook.name}.yaml`), runbook.yaml);
    const port = await findPort();
    const environment = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      PORT: String(port),
      DATABASE_URL: postgres.url,
      HOLDFAST_DATABASE_POOL: '5',
      TEMPORAL_ADDRESS: temporal.address,
      SMTP_URL: smtp.url,
      HOLDFAST_DATA_DIR: join(folder, 'data'),
      HOLDFAST_RUNBOOKS_DIR: runbooksDir,
      HOLDFAST_OWNER_TOKEN: ownerToken,
      HOLDFAST_OWNER_EMAIL: 'ana@example.com',
      HOLDFAST_INGEST_KEY: ingestKey,
      HOLDFAST_LOG_LEVEL: 'info',
    };
    closers.push(() => Promise.all([...processes].map((program) => program.end())));
    const start = (script: string): Program => {
      const program = startProgram(script, environment);
      processes.add(program);
      void program.ended.then(() => processes.delete(program));
      return program;
    };
    const migration = start('migrate');
    if ((await migration.ended) !== 0) throw new Error(`the migration failed: ${migration.said()}`);
    const api = start('api');
    await waitFor('the API to be up', () => api.said().includes('the API and the pages are up'), 60_000);
    return {
      folder,
      databaseUrl: postgres.url,
      holdfast: holdfastClient(`http://${loopback}:${port}`),
      async startWorker() {
        const worker = start('worker');
        await waitFor('a worker to be up', () => worker.said().includes('the worker is up'), 90_000);
        return { pid: worker.pid, kill: () => worker.end() };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Program {
  pid: number;
  said(): string;
  ended: Promise<number | null>;
  kill(): void;
  end(): Promise<void>;
}

const mostKept = 20_000;

function startProgram(script: string, env: Record<string, string | undefined>): Program {
  const child: ChildProcess = spawn(process.execPath, [`main/${script}.ts`], {
    cwd: repository,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text = `${text}${chunk}`.slice(-mostKept);
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid ?? 0,
    said: () => text,
    ended,
    kill: () => void child.kill('SIGKILL'),
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
