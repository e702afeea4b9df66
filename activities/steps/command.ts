import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { formatDuration } from '../../domain/duration.ts';
import type { RenderedCommand } from '../../domain/runbook/rendered.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { describeGroup, endGroup, groupMarker } from './process-group.ts';

const execute = promisify(execFile);

type CommandContext = Pick<
  StepContext,
  'timeoutMs' | 'signal' | 'output' | 'environment' | 'key' | 'started'
>;

export const commandAdapter: StepAdapter<RenderedCommand> = { check: checkCommand, run: runCommand };

/** Variables that a command may see of the worker's own environment. */
const allowedVariables = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
];

/** The part of an environment that commands may see: no secret of Holdfast's own, and what `extra` names. */
export function commandEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  extra: readonly string[] = [],
): Record<string, string> {
  const names = [...allowedVariables, ...extra];
  const entries = names.flatMap((name) =>
    environment[name] === undefined ? [] : [[name, environment[name]]],
  );
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ...Object.fromEntries(entries),
  };
}

/**
 * Runs before the command in its process group, with a pipe to the worker as standard input. It waits until the
 * group is written down ('go'); then a watcher outlives it, which ends the group when the pipe closes without
 * 'done': when the worker is gone, so is what it ran, on whatever machine that was.
 */
const launcher = `
read -r go || exit 125
exec 3<&0 </dev/null
( ( trap '' TERM; read -r done <&3 || { kill -TERM 0; sleep 5; kill -KILL 0; } ) >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

/** How long output may still come after the command itself ended: what it left in the background may hold the pipe. */
const drainMs = 500;

async function checkCommand(command: RenderedCommand, context: CheckContext): Promise<Finding[]> {
  const [program] = command.argv;
  const options = { cwd: '/', env: context.environment, timeout: context.timeoutMs, signal: context.signal };
  const succeeds = (file: string, args: string[]) =>
    execute(file, args, options).then(
      () => true,
      () => false,
    );
  const found = await succeeds('/bin/sh', ['-c', 'command -v -- "$1"', 'sh', program]);
  const findings = [
    {
      ok: found,
      what: 'program',
      detail: found
        ? `${program} is there`
        : `${program} is not there: install it or name it with its full path`,
    },
  ];
  if (command.requiresSudo && process.getuid?.() !== 0) {
    const allowed = await succeeds('sudo', ['-n', '-l', '--', program]);
    findings.push({
      ok: allowed,
      what: 'sudo',
      detail: allowed
        ? `may run ${program} without a password`
        : `may not run ${program} without a password: allow it in sudoers`,
    });
  }
  return findings;
}

/** Runs to its end, its time-out or the signal's abort; afterwards no process of it is left, unless it succeeded. */
export async function runCommand(command: RenderedCommand, context: CommandContext): Promise<StepResult> {
  const sudo = command.requiresSudo && process.getuid?.() !== 0;
  const argv = ['/bin/sh', '-c', launcher, 'sh', ...command.argv];
  const [program = '', ...args] = sudo ? ['sudo', '-n', '--', ...argv] : argv;
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { ...context.environment, [groupMarker]: context.key },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const control = takeControl(child);
  const exit = exitOf(child);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => context.output.add(text));
  }
  if (child.pid === undefined) return { ok: false, error: (await exit).error ?? 'it did not start' };
  const group = await describeGroup(child.pid, sudo);
  try {
    await context.started(group);
  } catch (error) {
    control.end();
    await endGroup(group);
    throw error;
  }
  if (context.signal.aborted) {
    control.end();
    await endGroup(group);
    return { ok: false, error: 'cancelled before it began' };
  }
  control.write('go\n');

  const timeout = new AbortController();
  const ended = await Promise.race([
    exit,
    delay(context.timeoutMs, 'timeout' as const, { signal: timeout.signal }).catch(() => 'timeout' as const),
    abortOf(context.signal),
  ]);
  timeout.abort();
  // under sudo the watcher is the one that may send signals: it acts when its pipe closes without 'done'
  if (typeof ended === 'string' && sudo) control.end();
  else control.end('done\n');
  if (typeof ended === 'string' || ended.error !== undefined) await endGroup(group);
  await Promise.race([closeOf(child), delay(drainMs)]);
  child.stdout.destroy();
  child.stderr.destroy();
  if (ended === 'timeout') {
    return { ok: false, error: `timed out after ${formatDuration(context.timeoutMs)}; it was ended` };
  }
  if (ended === 'aborted') return { ok: false, error: 'cancelled while it ran; it was ended' };
  return ended.error === undefined ? { ok: true } : { ok: false, error: ended.error };
}

/** Node closes a child's standard input when the child exits; the watcher is still to be told 'done' then. */
function takeControl(child: ChildProcess): Writable {
  const control = child.stdin;
  if (!control) throw new Error('a command was started without its pipe');
  child.stdin = null;
  // the launcher may be gone before it was told anything
  control.on('error', () => {});
  return control;
}

interface Exit {
  /** Absent: it succeeded. */
  error?: string;
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ error: `it could not be started: ${error.message}` }));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve({});
      else resolve({ error: code === null ? `ended by ${signal}` : `exit status ${code}` });
    });
  });
}

async function closeOf(child: { stdout: Readable; stderr: Readable }): Promise<void> {
  const closed = (stream: Readable) =>
    stream.closed ? undefined : new Promise((resolve) => stream.once('close', resolve));
  await Promise.all([closed(child.stdout), closed(child.stderr)]);
}

async function abortOf(signal: AbortSignal): Promise<'aborted'> {
  if (!signal.aborted) await once(signal, 'abort');
  return 'aborted';
}
