import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { findPort, loopback } from './port.ts';
import { type ChildProcess, processIdentity, startChild, stopOrphan } from './process.ts';
import { defaultCacheDirectory, findTemporalCli } from './temporal-cli.ts';

const run = promisify(execFile);

export interface EmbeddedTemporal {
  /** host:port of its gRPC frontend. */
  address: string;
  uiUrl: string;
  pid: number;
  /** The CLI that runs it, which can also send signals and show workflows. */
  cli: string;
  /** Resolves when the server ends, by `close()` or by itself, with a phrase that says how. */
  ended: Promise<string>;
  close(): Promise<void>;
}

export interface TemporalOptions {
  dataDir: string;
  /** Types by name, registered before the promise resolves. */
  searchAttributes: SearchAttributeTypes;
  onProgress?: (line: string) => void;
  /** Settings of the server by name, in JSON, such as `{'limit.historyCount.suggestContinueAsNew': '100'}`. */
  dynamicConfig?: Readonly<Record<string, string>>;
  /** Tried before any free one. */
  ports?: { grpc: number; ui: number };
  cacheDirectory?: string;
}

/** As the CLI spells them. */
export type SearchAttributeTypes = Readonly<
  Record<string, 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList'>
>;

const namespace = 'default';
const usualPorts = { grpc: 7233, ui: 8233 };
/** How long a closed workflow can be looked at; the server's own default is one day. */
const retention = '30d';
const startLimitMs = 60_000;
const startAttempts = 3;
const stopPatienceMs = 15_000;

/** Written as soon as the server runs: what an earlier start left, and the ports for the next one. */
const runSchema = z.object({ pid: z.number(), identity: z.string(), grpc: z.number(), ui: z.number() });
type Run = z.infer<typeof runSchema>;

/**
 * A Temporal dev server on loopback with its UI, its state in `<dataDir>/temporal`: workflows, timers and
 * schedules go on at the next start. A server that an earlier, killed start left running is stopped first.
 * Resolves when it answers and knows the search attributes.
 * @throws Error naming the cause and the remedy
 */
export async function startTemporal(options: TemporalOptions): Promise<EmbeddedTemporal> {
  const progress = options.onProgress ?? (() => {});
  const folder = join(options.dataDir, 'temporal');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const last = await readRun(folder);
  if (last && (await processIdentity(last.pid)) === last.identity) {
    progress('Temporal: stopping the server that an earlier run left behind');
    await stopOrphan(last.pid, 'SIGTERM', stopPatienceMs);
  }
  const cli = await findTemporalCli({
    onProgress: progress,
    cacheDirectory: options.cacheDirectory ?? defaultCacheDirectory,
  });
  const usual = options.ports ?? usualPorts;
  for (let attempt = 1; ; attempt++) {
    const grpc = await findPort([usual.grpc, ...(last ? [last.grpc] : [])]);
    const ui = await findPort([usual.ui, ...(last ? [last.ui] : [])]);
    try {
      return await startServer(cli, folder, { grpc, ui }, options);
    } catch (error) {
      // another server that started at the same moment may have taken a port between the look and the use; of a port
      // that the server chose for itself, it panics (Go's exit code 2), with more words than are kept
      const isTaken =
        /address already in use|ended \(exit code 2\)/.test(String(error)) ||
        (await findPort([grpc])) !== grpc ||
        (await findPort([ui])) !== ui;
      if (!isTaken || attempt === startAttempts) throw error;
    }
  }
}

async function startServer(
  cli: string,
  folder: string,
  ports: { grpc: number; ui: number },
  options: TemporalOptions,
): Promise<EmbeddedTemporal> {
  const logFile = join(options.dataDir, 'temporal.log');
  const server = await startChild(cli, serverArguments(folder, ports, options), {
    logFile,
    stopSignal: 'SIGTERM',
    patienceMs: stopPatienceMs,
  });
  await writeRun(folder, { pid: server.pid, identity: server.identity, ...ports });
  const address = `${loopback}:${ports.grpc}`;
  await untilReady(server, address, options.searchAttributes, logFile);
  await keepClosedWorkflows(cli, address).catch(async (error) => {
    await server.stop();
    throw error;
  });
  const how = await Promise.race([server.ended, undefined]);
  if (how !== undefined) throw new Error(`The embedded Temporal server ended (${how}); see ${logFile}`);
  return {
    address,
    uiUrl: `http://${loopback}:${ports.ui}`,
    pid: server.pid,
    cli,
    ended: server.ended,
    close: () => server.stop(),
  };
}

async function keepClosedWorkflows(cli: string, address: string): Promise<void> {
  const update = ['operator', 'namespace', 'update', '--namespace', namespace, '--retention', retention];
  await run(cli, [...update, '--address', address]);
}

function serverArguments(
  folder: string,
  ports: { grpc: number; ui: number },
  { searchAttributes, dynamicConfig = {} }: TemporalOptions,
): string[] {
  return [
    ...['server', 'start-dev', '--ip', loopback, '--port', String(ports.grpc), '--ui-port', String(ports.ui)],
    ...['--db-filename', join(folder, 'temporal.db'), '--log-level', 'error'],
    // many times faster than the default journal, and as safe against a killed process
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...Object.entries(searchAttributes).flatMap((pair) => ['--search-attribute', pair.join('=')]),
    ...Object.entries(dynamicConfig).flatMap((pair) => ['--dynamic-config-value', pair.join('=')]),
  ];
}

const runFile = (folder: string): string => join(folder, 'run.json');

async function readRun(folder: string): Promise<Run | undefined> {
  if (!existsSync(runFile(folder))) return undefined;
  // a file that cannot be read says nothing about a server, and is replaced by this start
  const parsed = runSchema.safeParse(
    await readFile(runFile(folder), 'utf8')
      .then(JSON.parse)
      .catch(() => null),
  );
  return parsed.data;
}

async function writeRun(folder: string, current: Run): Promise<void> {
  await writeFile(`${runFile(folder)}.new`, `${JSON.stringify(current)}\n`, { mode: 0o600 });
  await rename(`${runFile(folder)}.new`, runFile(folder));
}

async function untilReady(
  server: ChildProcess,
  address: string,
  searchAttributes: SearchAttributeTypes,
  logFile: string,
): Promise<void> {
  const watch = new AbortController();
  const outcome = await Promise.race([
    server.ended.then((how) => `ended (${how})`),
    answers(address, searchAttributes, watch.signal),
  ]);
  watch.abort();
  if (outcome === 'ready') return;
  const words = await server.lastWords();
  await server.stop();
  throw new Error(
    `The embedded Temporal server ${outcome}; it last said:\n${words}\nAll of it is in ${logFile}. ` +
      'To use a Temporal server of your own instead, set TEMPORAL_ADDRESS.',
  );
}

async function answers(
  address: string,
  searchAttributes: SearchAttributeTypes,
  signal: AbortSignal,
): Promise<string> {
  const deadline = Date.now() + startLimitMs;
  let reason = '';
  while (Date.now() < deadline && !signal.aborted) {
    const missing = await missingAttributes(address, searchAttributes).catch((error: Error) => {
      reason = error.message; // expected until it listens
      return undefined;
    });
    if (missing?.length === 0) return 'ready';
    if (missing) reason = `without the search attributes ${missing.join(', ')}`;
    await sleep(100);
  }
  return `was not ready within ${startLimitMs / 1000} s (${reason})`;
}

async function missingAttributes(address: string, wanted: SearchAttributeTypes): Promise<string[]> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.keys(wanted).filter((name) => !(name in (customAttributes ?? {})));
  } finally {
    await connection.close();
  }
}
