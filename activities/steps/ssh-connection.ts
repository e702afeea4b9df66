import { connect, type Socket } from 'node:net';
import type { Client, ClientChannel, ParsedKey, ServerHostKeyAlgorithm } from 'ssh2';
import type { RenderedSsh } from '../../domain/runbook/rendered.ts';
import type { CheckContext } from './adapter.ts';
import { fingerprintOf, hostKeyProblem, keysOfFile, keysOfStep, typesOf } from './ssh-host-keys.ts';

export interface SshConnectionContext extends Pick<CheckContext, 'egress' | 'secrets' | 'signal'> {
  /** A known_hosts file. */
  knownHosts: string;
  /** A host that says nothing for so long is given up. */
  leaseMs: number;
}

/** What a command that was run to its end left. */
export interface RemoteOutcome {
  /** Null: ended by a signal. */
  code: number | null;
  text: string;
}

/** Kinds of host key that are asked for, the best first; SHA-1 signatures are not among them. */
const hostKeyAlgorithms: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Signs of life that a host may leave out before it is given up. */
const mostMissed = 3;

/** An SSH connection to a host whose key and address were checked. */
export class SshConnection {
  readonly hostKey: string;
  /** Resolves with the reason once the connection is no more. */
  readonly lost: Promise<string>;
  private readonly client: Client;
  private readonly socket: Socket;

  private constructor(made: { client: Client; socket: Socket; hostKey: string; lost: Promise<string> }) {
    this.client = made.client;
    this.socket = made.socket;
    this.hostKey = made.hostKey;
    this.lost = made.lost;
  }

  /** Throws an error with the reason for people when it is refused, not trusted, cannot be made or is aborted. */
  static async open(step: RenderedSsh, context: SshConnectionContext): Promise<SshConnection> {
    const { default: ssh2 } = await import('ssh2');
    const text = await context.secrets.read(step.key);
    const key = privateKey(ssh2.utils.parseKey(text), step.key);
    const trusted =
      step.hostKeys.length > 0
        ? keysOfStep(step.hostKeys)
        : await keysOfFile(context.knownHosts, step.host, step.port);
    const socket = await reach(step, context);
    const client = new ssh2.Client();
    let hostKey = '';
    let distrust: string | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', (error) => {
        reject(new Error(distrust ?? connectionProblem(error, step, key), { cause: error }));
      });
      client.once('close', () => reject(new Error(`${step.host} closed the connection before signing in`)));
      context.signal.addEventListener('abort', () => reject(new Error('it was ended')), { once: true });
    });
    // where connecting fails at once, nobody waits for it
    ready.catch(() => {});
    const lost = new Promise<string>((resolve) => {
      client.on('error', (error) => resolve(error.message));
      client.once('close', () => resolve('it was closed'));
    });
    try {
      client.connect({
        sock: socket,
        username: step.user,
        privateKey: text,
        authHandler: ['publickey'],
        algorithms: { serverHostKey: preferring(typesOf(trusted.keys)) },
        hostVerifier: (shown: Buffer) => {
          hostKey = fingerprintOf(shown);
          distrust = hostKeyProblem(shown, trusted, step);
          return distrust === undefined;
        },
        // the step's own time-out counts
        readyTimeout: 0,
        keepaliveInterval: context.leaseMs / mostMissed,
        keepaliveCountMax: mostMissed,
      });
      await ready;
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return new SshConnection({ client, socket, hostKey, lost });
  }

  /** Throws an error when the host opens no channel. */
  async start(line: string): Promise<ClientChannel> {
    const started = new Promise<ClientChannel>((resolve, reject) => {
      this.client.exec(line, (error, channel) => (error ? reject(error) : resolve(channel)));
    });
    const lost = this.lost.then((reason) => {
      throw new Error(`the connection was lost: ${reason}`);
    });
    return await Promise.race([started, lost]);
  }

  /** Runs something short to its end. Throws an error when the connection is lost or the signal aborted meanwhile. */
  async run(line: string, signal: AbortSignal): Promise<RemoteOutcome> {
    const channel = await this.start(line);
    channel.end();
    let text = '';
    for (const stream of [channel, channel.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (part: string) => {
        text = (text + part).slice(-10_000);
      });
    }
    return await new Promise((resolve, reject) => {
      let exit: { code: number | null } | undefined;
      channel.once('exit', (code: number | null) => {
        exit = { code };
      });
      channel.once('close', () => {
        if (exit) resolve({ ...exit, text });
        else reject(new Error('the connection was lost'));
      });
      this.lost.then((reason) => reject(new Error(`the connection was lost: ${reason}`)));
      signal.addEventListener('abort', () => reject(new Error('it was ended')), { once: true });
    });
  }

  close(): void {
    this.client.end();
    this.socket.destroySoon();
  }
}

async function reach(step: RenderedSsh, { egress, signal }: SshConnectionContext): Promise<Socket> {
  const { host, port } = step;
  const to = { host, port, trusted: !step.hostFromVariable };
  egress.checkHost(to);
  signal.throwIfAborted();
  const socket = connect({ host, port, lookup: egress.lookupOf(to), keepAlive: true, noDelay: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      signal.addEventListener('abort', () => reject(new Error('it was ended')), { once: true });
    });
    return socket;
  } catch (error) {
    socket.destroy();
    if (error instanceof Error && 'code' in error) {
      throw new Error(`${host} cannot be reached at port ${port}: ${error.message || error.code}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function privateKey(parsed: ParsedKey | Error, reference: string): ParsedKey {
  if (parsed instanceof Error) {
    if (/passphrase/i.test(parsed.message)) {
      throw new Error(`the key ${reference} asks for a passphrase; give one without, and keep it secret`);
    }
    // the parser's own words may hold a part of the key
    throw new Error(`${reference} is no private key in OpenSSH or PEM format`);
  }
  if (!parsed.isPrivateKey()) throw new Error(`${reference} is a public key; the private one is needed`);
  return parsed;
}

function connectionProblem(error: Error & { level?: string }, step: RenderedSsh, key: ParsedKey): string {
  if (error.level === 'client-authentication') {
    return `${step.host} does not let ${step.user} in with the key ${step.key} (${fingerprintOf(key.getPublicSSH())}); add its public key to that user's authorized_keys`;
  }
  return `the connection to ${step.host} failed: ${error.message}`;
}

/** Those of which a key is known come first, so that the host shows that one. */
function preferring(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const rank = (name: string) => (types.includes(name.startsWith('rsa-') ? 'ssh-rsa' : name) ? 0 : 1);
  return hostKeyAlgorithms.toSorted((a, b) => rank(a) - rank(b));
}
