import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RenderedSsh } from '../../domain/runbook/rendered.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { type Sshd, startSshd } from '../../test/parts/sshd.ts';
import { createSecretSource } from '../secrets/create-secret-source.ts';
import type { CheckContext } from './adapter.ts';
import { EgressRules } from './egress.ts';
import { StepOutput } from './output.ts';
import type { ProcessGroup } from './process-group.ts';
import { createSshAdapter } from './ssh.ts';

let tried: TriedPart<Sshd>;
let sshd: Sshd;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-ssh-'));
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
  timeoutMs?: number;
  signal?: AbortSignal;
  secrets?: Record<string, string>;
  started?: (group: ProcessGroup) => Promise<void>;
  leaseMs?: number;
}
const stepOf = (change: Partial<RenderedSsh>): RenderedSsh => ({
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
});
const contextOf = (options: Options): CheckContext => ({
  timeoutMs: options.timeoutMs ?? 20_000,
  signal: options.signal ?? new AbortController().signal,
  egress: new EgressRules([]),
  secrets: createSecretSource({
    environment: { HOLDFAST_SECRET_KEY: sshd.key, ...options.secrets },
    ssm: {},
  }),
  environment: { HOLDFAST_EXECUTION_ID: 'e-1', PATH: '/usr/bin:/bin' },
});
const adapterOf = ({ leaseMs }: Options = {}) =>
  createSshAdapter({
    knownHosts: join(folder, 'no-known-hosts'),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });

async function run(argv: [string, ...string[]], change: Partial<RenderedSsh> = {}, options: Options = {}) {
  const output = new StepOutput({ secrets: [] });
  let group: ProcessGroup | undefined;
  const result = await adapterOf(options).run(stepOf({ argv, ...change }), {
    ...contextOf(options),
    output,
    key: 'execution:e-1:step:0:1',
    idempotencyKey: 'execution:e-1:step:0',
    started: async (started) => {
      group = started;
      await options.started?.(started);
    },
  });
  const text = output.text().replace(/^signed in to .*\n/, '');
  return { result, text, group };
}
const shell = (line: string): [string, ...string[]] => ['/bin/sh', '-c', line];

/** Processes of the group that still do something. */
function membersOf(pgid: number): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(pgrp) === pgid && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}
const appears = async (file: string): Promise<void> => {
  await vi.waitFor(async () => expect(await readFile(join(folder, file), 'utf8')).toMatch(/\n$/), 10_000);
};

// each has a connection of its own and waits for the other side of it, so they wait together
describe.concurrent('an ssh step', () => {
  it('succeeds with its output, from both streams', async () => {
    expect(await run(shell('echo out; sleep 0.2; echo err >&2'))).toMatchObject({
      result: { ok: true },
      text: 'out\nerr\n',
    });
  });

  it('loses nothing of a long output', async () => {
    const { text } = await run(shell('i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done'));
    expect(text.trimEnd().split('\n')).toHaveLength(3000);
    expect(text).toMatch(/line 2999\n$/);
  });

  it('fails with its exit status or its signal', async () => {
    expect((await run(shell('exit 3'))).result).toEqual({ ok: false, error: 'exit status 3' });
    expect((await run(shell('kill -9 $$'))).result).toEqual({ ok: false, error: 'ended by SIGKILL' });
    const missingProgram = await run(['no-such-program']);
    expect(missingProgram.result).toEqual({ ok: false, error: 'exit status 127' });
    expect(missingProgram.text).toMatch(/no-such-program.*not found/);
  });

  it('gets its arguments as they are', async () => {
    const values = [
      `a'b"c`,
      '$(id)',
      '`id`',
      '-n',
      '',
      'x y',
      '*',
      'a\\b\\',
      '!!',
      'one\ntwo',
      '~',
      '=ls',
      ';id',
      '%1',
    ];
    const { text } = await run(['printf', '%s|', ...values]);
    expect(text).toBe(`${values.join('|')}|`);
  });

  it('tells the command which step it is of, and gives it nothing to read', async () => {
    const { text } = await run(shell('cat; env | grep ^HOLDFAST_ | sort'));
    expect(text.trim().split('\n')).toEqual([
      'HOLDFAST_EXECUTION_ID=e-1',
      'HOLDFAST_IDEMPOTENCY_KEY=execution:e-1:step:0',
      'HOLDFAST_STEP_KEY=execution:e-1:step:0:1',
    ]);
  });

  it('is not begun before its process group is written down, and never when that fails', async () => {
    const marker = join(folder, 'begun');
    let before: string[] = [];
    const running = run(
      ['touch', marker],
      {},
      {
        started: async ({ pgid, machine }) => {
          before = membersOf(pgid);
          expect(machine).toBe(`ssh 127.0.0.1:${sshd.port}`);
          throw new Error('the database is away');
        },
      },
    );
    await expect(running).rejects.toThrow('the database is away');
    expect(before.length).toBeGreaterThan(0);
    await expect(readFile(marker)).rejects.toThrow(/ENOENT/);
  });

  it('leaves no watcher behind, but a service that it started', async () => {
    const { result, group } = await run(shell(`sleep 300 >/dev/null 2>&1 & echo $! > ${folder}/service`));
    expect(result).toEqual({ ok: true });
    const service = (await readFile(join(folder, 'service'), 'utf8')).trim();
    await vi.waitFor(() => expect(membersOf(group!.pgid)).toEqual([service]), 10_000);
    process.kill(Number(service));
  });

  it('that failed leaves nothing behind', async () => {
    const { result, group } = await run(shell('sleep 300 >/dev/null 2>&1 & exit 1'));
    expect(result.ok).toBe(false);
    expect(membersOf(group!.pgid)).toEqual([]);
  });
});

describe('an ssh step that cannot begin', () => {
  it('says why, and that nobody answered within its time-out', async () => {
    const { result, group } = await run(['true'], { hostFromVariable: true });
    expect(result).toMatchObject({ error: expect.stringMatching(/^127\.0\.0\.1 comes from a variable/) });
    expect(group).toBeUndefined();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = (silent.address() as AddressInfo).port;
    expect((await run(['true'], { port }, { timeoutMs: 1000 })).result).toEqual({
      ok: false,
      error: 'timed out after 1 s while connecting to 127.0.0.1',
    });
    silent.close();
  });
});

describe.concurrent('an ssh step that is to end', () => {
  it('is ended with all its children at its time-out', async () => {
    const { result, group } = await run(shell('sleep 300 & sleep 300 & wait'), {}, { timeoutMs: 6000 });
    expect(result).toMatchObject({
      error: expect.stringMatching(/^timed out after .* while it ran; it was ended$/),
    });
    expect(membersOf(group!.pgid)).toEqual([]);
  });

  it('is killed when it does not heed TERM', async () => {
    const { result, group } = await run(
      shell(`trap '' TERM; while :; do sleep 0.1; done`),
      {},
      { timeoutMs: 6000 },
    );
    expect(result).toMatchObject({ error: expect.stringMatching(/it was ended$/) });
    expect(membersOf(group!.pgid)).toEqual([]);
  });

  it('is ended when it is cancelled', async () => {
    const controller = new AbortController();
    const running = run(shell(`echo up > ${folder}/cancelled; sleep 300`), {}, { signal: controller.signal });
    await appears('cancelled');
    controller.abort();
    const { result, group } = await running;
    expect(result).toEqual({ ok: false, error: 'cancelled while it ran; it was ended' });
    expect(membersOf(group!.pgid)).toEqual([]);
  });

  it('is ended when its host takes one channel for a connection', async () => {
    const narrow = await startSshd({ config: ['MaxSessions 1'] });
    try {
      const { result, group } = await run(
        shell('sleep 300'),
        { port: narrow.port, hostKeys: [narrow.hostKey] },
        {
          timeoutMs: 6000,
          secrets: { HOLDFAST_SECRET_KEY: narrow.key },
        },
      );
      expect(result).toMatchObject({ error: expect.stringMatching(/it was ended$/) });
      expect(membersOf(group!.pgid)).toEqual([]);
    } finally {
      await narrow.close();
    }
  });
});

/** Stands between the worker and the host, to be cut. */
async function startCable() {
  const sockets = new Set<Socket>();
  let silent = false;
  const server: Server = createServer((near) => {
    const far = connect(sshd.port, sshd.host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => silent || to.write(data));
      from.on('end', () => silent || to.end());
      from.on('error', () => {});
      from.on('close', () => silent || to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    /** Nothing passes any more, and nobody is told. */
    silence: () => {
      silent = true;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe.concurrent('an ssh step whose connection breaks', () => {
  it('is ended before the step counts as failed', async () => {
    const cable = await startCable();
    const running = run(shell(`echo up > ${folder}/cut; trap '' TERM; sleep 300`), { port: cable.port });
    await appears('cut');
    cable.cut();
    const { result, group } = await running;
    expect(result).toMatchObject({
      error: expect.stringMatching(
        /^the connection to 127\.0\.0\.1 was lost while it ran \(.*\); it was ended$/,
      ),
    });
    expect(membersOf(group!.pgid)).toEqual([]);
    cable.close();
  });

  it('is ended by its watcher when the worker cannot reach the host any more', async () => {
    const cable = await startCable();
    const leaseMs = 4000;
    const running = run(shell(`echo up > ${folder}/silent; sleep 300`), { port: cable.port }, { leaseMs });
    await appears('silent');
    const began = performance.now();
    cable.silence();
    const { result, group } = await running;
    expect(result).toMatchObject({
      error: expect.stringMatching(/was lost while it ran .*its watcher there ends it$/),
    });
    expect(performance.now() - began).toBeGreaterThan(leaseMs);
    expect(membersOf(group!.pgid)).toEqual([]);
    cable.close();
  }, 90_000);
});

describe('the check of an ssh step', () => {
  const check = async (change: Partial<RenderedSsh>, options: Options = {}) =>
    await adapterOf().check(stepOf(change), contextOf(options));

  it('signs in and looks for the program, without running it', async () => {
    const marker = join(folder, 'checked');
    const findings = await check({ argv: ['touch', marker], requiresSudo: process.getuid?.() === 0 });
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.map(({ what }) => what)).toContain('program touch');
    expect(findings[0]).toMatchObject({
      what: `connection to ${sshd.user}@127.0.0.1`,
      detail: expect.stringMatching(/^signed in; its key is SHA256:/),
    });
    await expect(readFile(marker)).rejects.toThrow(/ENOENT/);
  });

  it('says what is missing', async () => {
    expect(await check({ argv: ['no-such-program'] })).toMatchObject([
      { ok: true },
      { ok: false, what: 'program no-such-program', detail: expect.stringContaining('is not on 127.0.0.1') },
    ]);
    expect(await check({ port: 1 })).toMatchObject([
      { ok: false, detail: expect.stringContaining('ECONNREFUSED') },
    ]);
    expect(await check({ hostFromVariable: true })).toMatchObject([
      { ok: false, detail: expect.stringContaining('comes from a variable') },
    ]);
  });
});

describe('sudo over ssh', () => {
  it('is asked without a password by whoever is not root, and not by root', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    // what stands in for sudo writes down how it was called and runs what it was given
    await writeFile(join(bin, 'sudo'), `#!/bin/sh\necho "$1 $2" >> ${folder}/sudo\nshift 2\nexec "$@"\n`, {
      mode: 0o755,
    });
    await writeFile(join(bin, 'id'), '#!/bin/sh\necho 1000\n', { mode: 0o755 });
    const ordinary = await startSshd({ config: [`SetEnv PATH=${bin}:/usr/bin:/bin`] });
    try {
      const where = { port: ordinary.port, hostKeys: [ordinary.hostKey], requiresSudo: true };
      const secrets = { HOLDFAST_SECRET_KEY: ordinary.key };
      expect(await run(['echo', `a'b`], where, { secrets })).toMatchObject({
        result: { ok: true },
        text: "a'b\n",
      });
      expect(await readFile(join(folder, 'sudo'), 'utf8')).toBe('-n --\n');
      await writeFile(join(bin, 'sudo'), '#!/bin/sh\necho a password is required >&2; exit 1\n', {
        mode: 0o755,
      });
      const refused = await adapterOf().check(stepOf(where), contextOf({ secrets }));
      expect(refused.at(-1)).toMatchObject({
        ok: false,
        what: `sudo of ${sshd.user}@127.0.0.1`,
        detail: expect.stringMatching(/a password is required; allow it in sudoers/),
      });
    } finally {
      await ordinary.close();
    }
  });
});
