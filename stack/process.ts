import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A log of an embedded part starts anew once it is larger than this, in bytes. */
const logLimit = 20 * 1024 * 1024;

export interface ChildProcess {
  pid: number;
  /** Distinguishes it from a later process with the same id, see `processIdentity`. */
  identity: string;
  /** Resolves once it has ended, with a phrase such as 'exit code 1' or 'signal SIGKILL'. */
  ended: Promise<string>;
  /** What it last wrote, for an error message. */
  lastWords(): Promise<string>;
  /** Asks it to end, and after `patienceMs` makes it. Resolves once it has gone. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** Appended to; the child writes there itself, so our own end does not break its output. */
  logFile: string;
  /** What asks it to end in good order. */
  stopSignal: NodeJS.Signals;
  /** Milliseconds between asking it to end and killing it. */
  patienceMs: number;
  uid?: number;
  gid?: number;
}

/**
 * Starts a long-running child in a session of its own, so that Ctrl-C in the terminal reaches Holdfast alone,
 * which then stops its parts in order. A small guard beside it holds a pipe to this process: should this
 * process be killed, the pipe breaks and the guard asks the child to end.
 * @throws Error when it cannot be run at all
 */
export async function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildProcess> {
  const log = openLog(options.logFile);
  const who = options.uid === undefined ? {} : { uid: options.uid, gid: options.gid ?? options.uid };
  const child = spawn(command, args, { ...who, cwd: '/', detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`Cannot run ${command}: ${error.message}`)));
  });
  const pid = child.pid ?? 0;
  child.unref();
  const guard = startGuard(pid, options.stopSignal);
  ended.then(guard.dismiss);
  return {
    pid,
    identity: (await processIdentity(pid)) ?? '',
    ended,
    lastWords: () => lastLines(options.logFile),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.ref();
      child.kill(options.stopSignal);
      const giveUp = new AbortController();
      const late = sleep(options.patienceMs, 'late' as const, { signal: giveUp.signal }).catch(() => 'gone');
      if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL');
      await ended;
      giveUp.abort();
    },
  };
}

/** `read` returns when the other end of its input closes, which is what our death does. */
function startGuard(pid: number, signal: NodeJS.Signals): { dismiss(): void } {
  const script = 'read -r word; [ "$word" = dismissed ] || kill -s "$1" "$2"';
  const guard = spawn('/bin/sh', ['-c', script, 'holdfast-guard', signal.slice('SIG'.length), String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.once('error', () => {}); // without a shell, the next start still stops what was left behind
  guard.stdin.on('error', () => {});
  guard.unref();
  if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
  return { dismiss: () => guard.stdin.end('dismissed\n') };
}

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logLimit) truncateSync(file);
  return openSync(file, 'a', 0o600);
}

async function lastLines(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const wanted = Math.min(size, 4096);
    const { buffer } = await handle.read(Buffer.alloc(wanted), 0, wanted, size - wanted);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-8).join('\n');
  } finally {
    await handle.close();
  }
}

/**
 * What tells a living process from any other that had or will have its id: on Linux the boot and the clock
 * tick at which it started, elsewhere its start time. Undefined when there is no such process.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform !== 'linux') return await ps(pid, 'lstart=');
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name, second, is in parentheses and may hold anything; after it, state is field 3, start time field 22
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** The command line of a process, undefined when it is not there. */
export async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return await ps(pid, 'command=');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || undefined;
  } catch {
    return undefined;
  }
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  const answer = await run('ps', ['-o', column, '-p', String(pid)]).catch(() => undefined);
  return answer?.stdout.trim() || undefined;
}

/** Stops a process that is not our child, such as one that an earlier, killed start left behind. */
export async function stopOrphan(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity === undefined) return;
  send(pid, signal);
  for (let waited = 0; (await processIdentity(pid)) === identity; waited += 50) {
    if (waited >= patienceMs) send(pid, 'SIGKILL');
    if (waited >= patienceMs + 5000) throw new Error(`Process ${pid} does not end; stop it by hand`);
    await sleep(50);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
