import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { GitError } from './git-error.ts';

export interface GitCall {
  args: readonly string[];
  /** The whole environment: nothing of the worker's own reaches git. */
  environment: Readonly<Record<string, string>>;
  signal: AbortSignal;
  timeoutMs: number;
  /** Bytes that it may answer. */
  outputLimit: number;
  /** Bytes that any file which it writes may have: what a push can make Holdfast store. */
  fileLimit: number;
  input?: string;
}

// a pack that grows beyond the limit ends git with SIGXFSZ
const launcher = 'ulimit -f "$1" && shift && exec git "$@"';

/**
 * Runs git in a process group of its own, which is gone when this settles. Throws GitError with what git said, when
 * it took too long or said too much; the signal's reason when it was aborted.
 */
export async function runGit(call: GitCall): Promise<Buffer> {
  call.signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', launcher, 'git', blocksOf(call.fileLimit), ...call.args], {
    cwd: '/',
    env: { ...call.environment },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let ended: 'late' | 'large' | 'aborted' | undefined;
  const end = (why: typeof ended) => {
    ended ??= why;
    endGroup(child.pid);
  };
  const timer = setTimeout(() => end('late'), call.timeoutMs);
  const abort = () => end('aborted');
  call.signal.addEventListener('abort', abort, { once: true });

  const output: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > call.outputLimit) end('large');
    else output.push(chunk);
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-8000);
  });
  // git that ends before it has read everything: its exit code says more
  child.stdin.on('error', () => {});
  child.stdin.end(call.input ?? '');
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (ended === 'aborted') throw call.signal.reason;
    if (ended === 'late') {
      const seconds = Math.round(call.timeoutMs / 1000);
      throw new GitError('away', `git did not come to an end within ${seconds} s`);
    }
    if (ended === 'large') {
      throw new GitError('refused', 'the repository lists too much: name a narrower path in it');
    }
    if (code !== 0) throw GitError.from(words, code);
    return Buffer.concat(output);
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', abort);
    // what git left behind, such as the ssh that it started
    endGroup(child.pid);
  }
}

/** POSIX counts blocks of 512 bytes. */
const blocksOf = (bytes: number): string => String(Math.ceil(bytes / 512));

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}
