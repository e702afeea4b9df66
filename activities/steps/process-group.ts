import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process as it is known again, on its machine and in its boot alone. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
  machine: string;
}

/** A process group as it is written down before its command begins: enough to know it again after a crash. */
export interface ProcessGroup {
  /** The leader's process id, which is the group's. */
  pgid: number;
  /** When the leader began, in the system's own words: a reused process id has another. Empty: unknown. */
  startedAt: string;
  /** Machine and boot: process ids mean nothing elsewhere. */
  machine: string;
  /** Runs under sudo: signals may need sudo too. */
  sudo: boolean;
}

interface Member {
  pid: number;
  state: string;
  startedAt: string;
}

/** Milliseconds that a command has between being asked to end and being killed. */
export const graceMs = 5_000;

/** What a group's processes carry in their environment. */
export const groupMarker = 'HOLDFAST_STEP_KEY';

export async function describeGroup(pgid: number, sudo: boolean): Promise<ProcessGroup> {
  return { pgid, startedAt: await startTimeOf(pgid), machine: thisMachine(), sudo };
}

/** The process that carries steps out: this one. */
export async function describeThisProcess(): Promise<ProcessIdentity> {
  return { pid: process.pid, startedAt: await startTimeOf(process.pid), machine: thisMachine() };
}

/** Whether a process of this machine is no more. Of other machines nobody here knows: false. */
export async function hasEnded({ pid, startedAt, machine }: ProcessIdentity): Promise<boolean> {
  if (machine !== thisMachine() || startedAt === '') return false;
  if (process.platform === 'linux') {
    const now = readStat(pid);
    return now?.startedAt !== startedAt || now.state === 'Z' || now.state === 'X';
  }
  return (await startTimeOf(pid)) !== startedAt;
}

/** TERM, then after the grace time KILL, until no process of the group is left. Throws if one cannot be ended. */
export async function endGroup(group: Pick<ProcessGroup, 'pgid' | 'sudo'>, grace = graceMs): Promise<void> {
  if (await isGone(group.pgid)) return;
  await signalGroup(group, 'SIGTERM');
  if (await becomesGone(group.pgid, grace)) return;
  await signalGroup(group, 'SIGKILL');
  if (await becomesGone(group.pgid, graceMs)) return;
  throw new Error(`the process group ${group.pgid} is still there after SIGKILL`);
}

/**
 * Ends what an earlier attempt left behind. Returns false when there is nothing of it here: it ended, its process
 * id belongs to somebody else by now, or it ran on another machine (where its watcher ended it with its worker).
 */
export async function endOrphan(group: ProcessGroup, key: string): Promise<boolean> {
  if (isElsewhere(group) || (await isGone(group.pgid))) return false;
  const leader = await startTimeOf(group.pgid);
  const isOurs = leader === '' ? carriesMarker(group.pgid, key) : leader === group.startedAt;
  if (!isOurs) return false;
  await endGroup(group);
  return true;
}

/** Whether it ran on another machine: there nobody here can end it, but its worker and its watcher do. */
export function isElsewhere(group: ProcessGroup): boolean {
  return group.machine !== thisMachine();
}

async function signalGroup(
  group: Pick<ProcessGroup, 'pgid' | 'sudo'>,
  signal: NodeJS.Signals,
): Promise<void> {
  try {
    process.kill(-group.pgid, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH') && !(group.sudo && isErrno(error, 'EPERM'))) throw error;
  }
  if (group.sudo && process.getuid?.() !== 0) {
    // fails when the group is gone already, which is what is looked at next
    await run('sudo', ['-n', 'kill', '-s', signal.slice(3), '--', `-${group.pgid}`]).catch(() => undefined);
  }
}

async function becomesGone(pgid: number, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (!(await isGone(pgid))) {
    if (Date.now() >= until) return false;
    await delay(25);
  }
  return true;
}

/** Whether no living process is in the group; what only waits to be reaped does nothing any more. */
async function isGone(pgid: number): Promise<boolean> {
  try {
    process.kill(-pgid, 0);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return true;
    if (!isErrno(error, 'EPERM')) throw error;
  }
  if (process.platform !== 'linux') return false;
  return membersOf(pgid).every(({ state }) => state === 'Z' || state === 'X');
}

function membersOf(pgid: number): Member[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const stat = readStat(Number(entry));
    return stat?.pgrp === pgid ? [{ pid: Number(entry), state: stat.state, startedAt: stat.startedAt }] : [];
  });
}

function carriesMarker(pgid: number, key: string): boolean {
  return membersOf(pgid).some(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${groupMarker}=${key}`);
    } catch {
      // gone meanwhile, or somebody else's: not ours to end
      return false;
    }
  });
}

/** proc(5): after the name in parentheses come state, ppid, pgrp, … and as field 22 the start in clock ticks. */
function readStat(pid: number): { state: string; pgrp: number; startedAt: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', pgrp: Number(fields[2]), startedAt: fields[19] ?? '' };
}

async function startTimeOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readStat(pid)?.startedAt ?? '';
  return await run('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}

let machine: string | undefined;
function thisMachine(): string {
  if (machine === undefined) {
    let boot = '';
    try {
      boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      // not Linux: the host's name has to do
    }
    machine = `${hostname()} ${boot}`.trim();
  }
  return machine;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
