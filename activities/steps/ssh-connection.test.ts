import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RenderedSsh } from '../../domain/runbook/rendered.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { type Sshd, startSshd } from '../../test/parts/sshd.ts';
import { createSecretSource } from '../secrets/create-secret-source.ts';
import { EgressRules } from './egress.ts';
import { SshConnection } from './ssh-connection.ts';

let tried: TriedPart<Sshd>;
let sshd: Sshd;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-ssh-connection-'));
  tried = await tryPart(startSshd);
});
afterAll(async () => {
  await tried?.part?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach((context) => {
  sshd = tried.orSkip(context);
});

interface Options {
  signal?: AbortSignal;
  allow?: string[];
  knownHosts?: string;
  secrets?: Record<string, string>;
}

/** Why no connection is made; empty: it is. */
async function errorOf(change: Partial<RenderedSsh>, options: Options = {}): Promise<string> {
  const step: RenderedSsh = {
    kind: 'ssh',
    host: sshd.host,
    port: sshd.port,
    hostFromVariable: false,
    user: sshd.user,
    key: 'env:KEY',
    hostKeys: [sshd.hostKey],
    argv: ['true'],
    requiresSudo: false,
    ...change,
  };
  const environment = { HOLDFAST_SECRET_KEY: sshd.key, ...options.secrets };
  try {
    const connection = await SshConnection.open(step, {
      signal: options.signal ?? new AbortController().signal,
      egress: new EgressRules(options.allow ?? []),
      secrets: createSecretSource({ environment, ssm: {} }),
      knownHosts: options.knownHosts ?? join(folder, 'no-known-hosts'),
      leaseMs: 12_000,
    });
    connection.close();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the key of a host', () => {
  it('may be given as its fingerprint', async () => {
    const refusal = await errorOf({ hostKeys: [] });
    expect(refusal).toMatch(
      /^127\.0\.0\.1 shows the key SHA256:\S+ \(ssh-ed25519\), and .*no-known-hosts knows none of this host; compare it on the host itself, then write 'SHA256:\S+' into the step's host_keys, or '\[127\.0\.0\.1\]:\d+ ssh-ed25519 \S+' into known_hosts$/,
    );
    const [fingerprint] = /SHA256:[A-Za-z0-9+/]+/.exec(refusal)!;
    expect(await errorOf({ hostKeys: [fingerprint] })).toBe('');
  });

  it('is refused when it is another one than the step says', async () => {
    const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmUf8Qk7iq1Zt2oUQ0V0m3m3oJ5Zb8gVvJ2l1n0Qw9x';
    expect(await errorOf({ hostKeys: [other] })).toMatch(
      /which is another one than the step's host_keys has: this may not be the host/,
    );
  });

  it.each([
    ['by address and port', (key: string, port: number) => `[127.0.0.1]:${port} ${key}\n`],
    [
      'among others',
      (key: string, port: number) => `# comment\n\ngit.example.com,[127.0.0.*]:${port} ${key} someone@x\n`,
    ],
  ])('is trusted when known_hosts has it %s', async (_, line) => {
    const knownHosts = join(folder, 'known_hosts');
    await writeFile(knownHosts, line(sshd.hostKey, sshd.port));
    expect(await errorOf({ hostKeys: [] }, { knownHosts })).toBe('');
  });

  it('is trusted as ssh itself writes it down, hashed, and then of the kind that is known', async () => {
    const knownHosts = join(folder, 'known_hosts_hashed');
    const scanned = execFileSync('ssh-keyscan', ['-H', '-t', 'rsa', '-p', String(sshd.port), sshd.host], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(scanned.toString()).toMatch(/^\|1\|/m);
    await writeFile(knownHosts, scanned);
    expect(await errorOf({ hostKeys: [] }, { knownHosts })).toBe('');
  });

  it('is refused when known_hosts has another one, or has it revoked', async () => {
    const knownHosts = join(folder, 'known_hosts_revoked');
    const name = `[127.0.0.1]:${sshd.port}`;
    await writeFile(knownHosts, `${name} ${sshd.hostKey}\n@revoked * ${sshd.hostKey}\n`);
    expect(await errorOf({ hostKeys: [] }, { knownHosts })).toMatch(/known_hosts_revoked says is revoked/);
    await writeFile(knownHosts, `!127.0.0.1,${name},!${name} ${sshd.hostKey}\n`);
    expect(await errorOf({ hostKeys: [] }, { knownHosts })).toMatch(/knows none of this host/);
  });
});

describe('what keeps a connection from being made', () => {
  it('is a key that does not fit, or is none, which is not repeated', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'other')]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'phrase', '-f', join(folder, 'locked')]);
    const secrets = {
      HOLDFAST_SECRET_OTHER: await readFile(join(folder, 'other'), 'utf8'),
      HOLDFAST_SECRET_LOCKED: await readFile(join(folder, 'locked'), 'utf8'),
      HOLDFAST_SECRET_PUBLIC: await readFile(join(folder, 'other.pub'), 'utf8'),
      HOLDFAST_SECRET_NONE: 'hunter2',
    };
    expect(await errorOf({ key: 'env:OTHER' }, { secrets })).toMatch(
      /does not let \S+ in with the key env:OTHER \(SHA256:\S+\); add its public key to that user's authorized_keys/,
    );
    expect(await errorOf({ key: 'env:LOCKED' }, { secrets })).toMatch(/env:LOCKED asks for a passphrase/);
    expect(await errorOf({ key: 'env:PUBLIC' }, { secrets })).toMatch(/env:PUBLIC is a public key/);
    expect(await errorOf({ key: 'env:NONE' }, { secrets })).toBe(
      'env:NONE is no private key in OpenSSH or PEM format',
    );
    expect(await errorOf({ key: 'env:MISSING' })).toMatch(/HOLDFAST_SECRET_MISSING is not set/);
  });

  it('is a host out of a variable that is not allowed, by its name or its address', async () => {
    expect(await errorOf({ hostFromVariable: true })).toMatch(
      /^127\.0\.0\.1 comes from a variable .* is not allowed/,
    );
    expect(await errorOf({ hostFromVariable: true, host: 'localhost' })).toMatch(
      /add 'localhost' or 'localhost:\d+'/,
    );
    expect(await errorOf({ hostFromVariable: true, host: 'localhost' }, { allow: ['10.0.0.0/8'] })).toMatch(
      /^localhost comes from a variable/,
    );
    const allow = [`localhost:${sshd.port}`];
    expect(await errorOf({ hostFromVariable: true, host: 'localhost' }, { allow })).toBe('');
  });

  it('is a host that nobody answers at', async () => {
    expect(await errorOf({ port: 1 })).toBe(
      '127.0.0.1 cannot be reached at port 1: connect ECONNREFUSED 127.0.0.1:1',
    );
  });

  it('is one that says nothing until the signal', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = (silent.address() as AddressInfo).port;
    expect(await errorOf({ port }, { signal: AbortSignal.timeout(300) })).toBe('it was ended');
    silent.close();
  });
});
