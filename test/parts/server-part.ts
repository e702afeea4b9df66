import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loopback } from '../../stack/port.ts';
import { startChild } from '../../stack/process.ts';
import { PartUnavailableError } from './part.ts';

const run = promisify(execFile);

export interface ServerPart {
  /** What it wrote last, for a failing test's message. */
  lastWords(): Promise<string>;
  /** Ends the server and removes its folder. */
  close(): Promise<void>;
}

export interface ServerPartOptions {
  /** Such as 'Alertmanager'. */
  name: string;
  command: string;
  args: readonly string[];
  /** Answers 2xx once the server is ready; a function where a plain request cannot ask. */
  readyUrl: string | (() => Promise<boolean>);
  readyLimitMs?: number;
  /** Removed at the end. */
  folder: string;
}

/** A folder of its own that other users may pass through, as servers do that drop root. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `holdfast-${name}-`));
  await chmod(folder, 0o755);
  return folder;
}

/**
 * The first of `commands` that is installed.
 * @throws PartUnavailableError when none is
 */
export async function installedCommand(part: string, commands: readonly string[]): Promise<string> {
  for (const command of commands) {
    const found = await run('sh', ['-c', 'command -v "$1"', 'sh', command]).catch(() => undefined);
    if (found) return found.stdout.trim();
  }
  throw new PartUnavailableError(part, `none of ${commands.join(', ')} is installed`);
}

/** For `readyUrl` of a server that does not speak HTTP. */
export async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, loopback);
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

/** Starts a real server that ends with the test run, even with one that is killed. */
export async function startServerPart(options: ServerPartOptions): Promise<ServerPart> {
  const server = await startChild(options.command, options.args, {
    logFile: join(options.folder, 'log'),
    stopSignal: 'SIGTERM',
    patienceMs: 10_000,
  });
  const close = async (): Promise<void> => {
    await server.stop();
    await rm(options.folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const outcome = await Promise.race([
    server.ended,
    whenReady(options.readyUrl, options.readyLimitMs ?? 30_000),
  ]);
  if (outcome !== 'ready') {
    const words = await server.lastWords();
    await close();
    throw new Error(`${options.name} ${outcome}; it last said:\n${words}`);
  }
  return { lastWords: () => server.lastWords(), close };
}

async function whenReady(ready: ServerPartOptions['readyUrl'], limitMs: number): Promise<string> {
  const isReady = typeof ready === 'string' ? () => answersWell(ready) : ready;
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    if (await isReady().catch(() => false)) return 'ready';
    await sleep(50);
  }
  return `was not ready within ${limitMs / 1000} s`;
}

async function answersWell(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await answer.body?.cancel();
  return answer.ok;
}
