import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { formatDuration } from '../../domain/duration.ts';
import type { RenderedSsh } from '../../domain/runbook/rendered.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { graceMs } from './process-group.ts';
import { SshConnection, type SshConnectionContext } from './ssh-connection.ts';
import { endLine, shellLine, startLine } from './ssh-launcher.ts';

export interface SshDeps {
  /** HOLDFAST_SSH_KNOWN_HOSTS: which keys hosts have where the step does not say. */
  knownHosts: string;
  /** How long host and worker go without a sign of life of each other before the command is ended. */
  leaseMs?: number;
}

type Deps = Required<SshDeps>;

/**
 * With the grace time after it, less than passes until anything else of the execution is begun: Temporal notices a
 * worker that is gone by its heartbeats, and what ran on another machine is waited for then (activities/steps.ts).
 */
const usualLeaseMs = 12_000;
/** Signs of life that the worker gives in the time of a lease. */
const beatsPerLease = 5;

export function createSshAdapter({ knownHosts, leaseMs = usualLeaseMs }: SshDeps): StepAdapter<RenderedSsh> {
  return {
    check: async (step, context) => await checkSsh(step, { ...context, knownHosts, leaseMs }),
    run: async (step, context) => await runSsh(step, { ...context, knownHosts, leaseMs }),
  };
}

/** Output may still come after the command itself ended, as long as it keeps coming. */
const drainMs = 500;
const longestDrainMs = 10_000;
/** What is kept of what comes before the command begins. */
const longestPreamble = 16 * 1024;

async function checkSsh(step: RenderedSsh, context: CheckContext & Deps): Promise<Finding[]> {
  const at = `${step.user}@${step.host}`;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(context.timeoutMs)]);
  const findings: Finding[] = [];
  let connection: SshConnection | undefined;
  try {
    connection = await SshConnection.open(step, { ...context, signal });
    findings.push({
      ok: true,
      what: `connection to ${at}`,
      detail: `signed in; its key is ${connection.hostKey}`,
    });
    if (step.requiresSudo) {
      const sudo = await connection.run(shellLine(':', [], true), signal);
      findings.push({
        ok: sudo.code === 0,
        what: `sudo of ${at}`,
        detail:
          sudo.code === 0
            ? 'works without a password'
            : `sudo -n /bin/sh does not work: ${sudo.text.trim() || `exit status ${sudo.code}`}; allow it in sudoers`,
      });
      if (sudo.code !== 0) return findings;
    }
    const program = await connection.run(
      shellLine('command -v -- "$1"', [step.argv[0]], step.requiresSudo),
      signal,
    );
    findings.push({
      ok: program.code === 0,
      what: `program ${step.argv[0]}`,
      detail:
        program.code === 0 ? 'is there' : `is not on ${step.host}; install it or name it with its full path`,
    });
  } catch (error) {
    const detail =
      signal.aborted && !context.signal.aborted
        ? `no answer within ${formatDuration(context.timeoutMs)}`
        : reason(error);
    findings.push({ ok: false, what: `connection to ${at}`, detail });
  } finally {
    connection?.close();
  }
  return findings;
}

async function runSsh(step: RenderedSsh, context: StepContext & Deps): Promise<StepResult> {
  const timeout = AbortSignal.timeout(context.timeoutMs);
  const stop = AbortSignal.any([context.signal, timeout]);
  const why = () =>
    context.signal.aborted ? 'cancelled' : `timed out after ${formatDuration(context.timeoutMs)}`;
  let connection: SshConnection;
  try {
    connection = await SshConnection.open(step, { ...context, signal: stop });
  } catch (error) {
    return { ok: false, error: stop.aborted ? `${why()} while connecting to ${step.host}` : reason(error) };
  }
  try {
    context.output.note(`signed in to ${step.host} as ${step.user}`);
    return await new RemoteRun({ step, context, connection, stop, why }).run();
  } finally {
    connection.close();
  }
}

type Ended =
  | { by: 'exit'; code: number | null; signal?: string }
  | { by: 'stop' }
  | { by: 'loss'; reason: string };

/** One command on one connection, from its launcher to the end of its process group. */
class RemoteRun {
  private readonly step: RenderedSsh;
  private readonly context: StepContext & SshConnectionContext;
  private readonly connection: SshConnection;
  private readonly stop: AbortSignal;
  /** Why it was stopped. */
  private readonly why: () => string;
  private readonly mark = `holdfast-${randomUUID()}`;
  private lastData = 0;

  constructor(given: {
    step: RenderedSsh;
    context: StepContext & SshConnectionContext;
    connection: SshConnection;
    stop: AbortSignal;
    why: () => string;
  }) {
    this.step = given.step;
    this.context = given.context;
    this.connection = given.connection;
    this.stop = given.stop;
    this.why = given.why;
  }

  async run(): Promise<StepResult> {
    const { step, context } = this;
    const channel = await this.connection.start(
      startLine(step.argv, {
        mark: this.mark,
        key: context.key,
        idempotencyKey: context.idempotencyKey,
        executionId: context.environment.HOLDFAST_EXECUTION_ID ?? '',
        sudo: step.requiresSudo,
        leaseMs: context.leaseMs,
      }),
    );
    // a channel that breaks shows as the end of the connection
    channel.on('error', () => {});
    const ended = this.endOf(channel);
    const group = await Promise.race([this.announced(channel), ended]);
    if (typeof group !== 'number') return { ok: false, error: this.neverBegan(group) };
    await context.started({
      pgid: group,
      startedAt: '',
      machine: `ssh ${step.host}:${step.port}`,
      sudo: step.requiresSudo,
    });
    if (this.stop.aborted) return { ok: false, error: `${this.why()} before it began` };
    channel.write('go\n');
    const heart = setInterval(
      () => channel.writable && channel.write('beat\n'),
      context.leaseMs / beatsPerLease,
    );
    const end = await ended;
    clearInterval(heart);
    return await this.conclude(end, channel, group);
  }

  private async conclude(ended: Ended, channel: ClientChannel, group: number): Promise<StepResult> {
    if (ended.by === 'exit' && ended.code === 0) {
      channel.end();
      await this.drain(channel);
      return { ok: true };
    }
    const seen = await this.endGroup(channel, group);
    if (ended.by !== 'loss') await this.drain(channel);
    const rest = seen
      ? 'it was ended'
      : `${this.step.host} could not be asked whether it ended; its watcher there ends it`;
    if (ended.by === 'stop') return { ok: false, error: `${this.why()} while it ran; ${rest}` };
    if (ended.by === 'loss') {
      return {
        ok: false,
        error: `the connection to ${this.step.host} was lost while it ran (${ended.reason}); ${rest}`,
      };
    }
    return {
      ok: false,
      error: ended.code === null ? `ended by ${ended.signal}` : `exit status ${ended.code}`,
    };
  }

  /** The group's number; what the login shell says before is dropped, for it belongs to no step. */
  private async announced(channel: ClientChannel): Promise<number> {
    const announcement = new RegExp(`${this.mark}\\s+(\\d+)\\s*\\n`);
    let before = '';
    channel.setEncoding('utf8');
    channel.stderr.setEncoding('utf8');
    channel.stderr.on('data', (text: string) => this.hear(text));
    return await new Promise((resolve) => {
      const listen = (text: string) => {
        before = (before + text).slice(-longestPreamble);
        const found = announcement.exec(before);
        if (!found) return;
        channel.off('data', listen);
        channel.on('data', (said: string) => this.hear(said));
        this.hear(before.slice(found.index + found[0].length));
        resolve(Number(found[1]));
      };
      channel.on('data', listen);
    });
  }

  private hear(text: string): void {
    this.lastData = performance.now();
    this.context.output.add(text);
  }

  private async endOf(channel: ClientChannel): Promise<Ended> {
    const exit = new Promise<Ended>((resolve) => {
      channel.once('exit', (code: number | null, signal?: string) =>
        resolve({ by: 'exit', code, ...(signal === undefined ? {} : { signal }) }),
      );
      channel.once('close', () => resolve({ by: 'loss', reason: 'the channel was closed' }));
    });
    const stopped = async (): Promise<Ended> => {
      if (!this.stop.aborted) await once(this.stop, 'abort');
      return { by: 'stop' };
    };
    const lost = this.connection.lost.then((why): Ended => ({ by: 'loss', reason: why }));
    return await Promise.race([exit, stopped(), lost]);
  }

  private neverBegan(ended: Ended): string {
    if (ended.by === 'stop') return `${this.why()} before it began`;
    if (ended.by === 'loss')
      return `the connection to ${this.step.host} was lost before it began (${ended.reason})`;
    return `it could not be begun on ${this.step.host} (exit status ${ended.code}): ${
      this.step.requiresSudo
        ? 'see whether the user may run sudo -n /bin/sh there'
        : 'see whether the user may run commands there'
    }`;
  }

  /**
   * Ends the group from outside of it, over this connection or, where that is lost or takes no second channel, over
   * new ones, until the watcher has done it at the latest. Returns whether the group was seen to be gone. Throws an
   * error if it cannot be ended.
   */
  private async endGroup(channel: ClientChannel, group: number): Promise<boolean> {
    const { step, context } = this;
    const line = endLine(group, step.requiresSudo);
    const limit = () => AbortSignal.timeout(3 * graceMs);
    const first = await this.connection.run(line, limit()).catch(() => undefined);
    if (first?.code === 0) return true;
    // the watcher takes over when the channel closes
    channel.end();
    const over = AbortSignal.timeout(context.leaseMs + graceMs);
    while (!over.aborted) {
      await delay(drainMs);
      const connection = await SshConnection.open(step, { ...context, signal: over }).catch(() => undefined);
      const outcome = await connection?.run(line, limit()).catch(() => undefined);
      connection?.close();
      if (outcome?.code === 0) return true;
    }
    if (first) throw new Error(`the process group ${group} on ${step.host} is still there after SIGKILL`);
    return false;
  }

  /** Until the channel is closed, or nothing came for a moment: what runs on in the background may hold it open. */
  private async drain(channel: ClientChannel): Promise<void> {
    const closed = channel.closed ? Promise.resolve() : once(channel, 'close');
    let open = true;
    const end = closed.then(() => {
      open = false;
    });
    const began = performance.now();
    this.lastData = began;
    while (
      open &&
      performance.now() - this.lastData < drainMs &&
      performance.now() - began < longestDrainMs
    ) {
      await Promise.race([end, delay(50)]);
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
