import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandEnvironment, runCommand } from './command.ts';
import { StepOutput } from './output.ts';
import { describeGroup, endGroup, endOrphan, groupMarker, type ProcessGroup } from './process-group.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-command-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What only waits to be reaped is dead. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const pidIn = async (file: string): Promise<number> => {
  await expect.poll(() => readFile(join(folder, file), 'utf8')).toMatch(/^\d+\n$/);
  return Number(await readFile(join(folder, file), 'utf8'));
};

async function run(
  argv: [string, ...string[]],
  options: { timeoutMs?: number; signal?: AbortSignal; secrets?: string[] } = {},
) {
  const output = new StepOutput({ secrets: options.secrets ?? [] });
  let group: ProcessGroup | undefined;
  const result = await runCommand(
    { kind: 'command', argv, requiresSudo: true },
    {
      timeoutMs: options.timeoutMs ?? 10_000,
      signal: options.signal ?? new AbortController().signal,
      output,
      environment: commandEnvironment({ PATH: process.env.PATH, SECRET: 'x', HOME: '/root' }),
      key: 'k1',
      started: async (started) => {
        group = started;
      },
    },
  );
  return { result, text: output.text(), group: group! };
}
const shell = (line: string): [string, ...string[]] => ['/bin/sh', '-c', line];

describe('a command', () => {
  it('succeeds with its output, from both streams', async () => {
    expect(await run(shell('echo out; echo err >&2'))).toMatchObject({
      result: { ok: true },
      text: 'out\nerr\n',
    });
  });

  it('gets its arguments as they are', async () => {
    const { text } = await run(['printf', '%s|', `a'b"c`, '$(id)', '`id`', '-n', '', 'x y', '*']);
    expect(text).toBe(`a'b"c|$(id)|\`id\`|-n||x y|*|`);
  });

  it('fails with its exit status, its signal, or as not found', async () => {
    expect((await run(shell('exit 3'))).result).toEqual({ ok: false, error: 'exit status 3' });
    expect((await run(shell('kill -9 $$'))).result).toEqual({ ok: false, error: 'ended by SIGKILL' });
    const missing = await run(['no-such-program']);
    expect(missing.result).toEqual({ ok: false, error: 'exit status 127' });
    expect(missing.text).toMatch(/no-such-program.*not found/);
  });

  it('sees nothing of the environment but what is allowed', async () => {
    const { text } = await run(['env']);
    expect(
      text
        .split('\n')
        .map((line) => line.split('=')[0])
        .filter((name) => name && !['PWD', 'OLDPWD', '_', 'SHLVL'].includes(name))
        .sort(),
    ).toEqual([groupMarker, 'HOME', 'PATH']);
  });

  it('reads nothing: its standard input is empty', async () => {
    expect(await run(['cat'])).toMatchObject({ result: { ok: true }, text: '' });
  });

  it('is not begun before its process group is written down, and never when that fails', async () => {
    const marker = join(folder, 'begun');
    const running = runCommand(
      { kind: 'command', argv: ['touch', marker], requiresSudo: false },
      {
        timeoutMs: 5000,
        signal: new AbortController().signal,
        output: new StepOutput({ secrets: [] }),
        environment: commandEnvironment(process.env),
        key: 'k',
        started: async () => {
          throw new Error('the database is away');
        },
      },
    );
    await expect(running).rejects.toThrow('the database is away');
    await expect(readFile(marker)).rejects.toThrow(/ENOENT/);
  });

  it('is ended with all its children at its time-out', async () => {
    const { result } = await run(shell(`sleep 300 & echo $! > ${folder}/child; wait`), { timeoutMs: 2000 });
    expect(result).toMatchObject({ ok: false, error: expect.stringMatching(/^timed out after/) });
    expect(isAlive(await pidIn('child'))).toBe(false);
  });

  it('is killed when it does not heed TERM', async () => {
    const controller = new AbortController();
    const running = run(shell(`trap '' TERM; echo $$ > ${folder}/deaf; while :; do sleep 0.1; done`), {
      signal: controller.signal,
    });
    await pidIn('deaf');
    const told = performance.now();
    controller.abort();
    const { result, group } = await running;
    expect(result.ok).toBe(false);
    expect(performance.now() - told).toBeGreaterThan(4000);
    expect(isAlive(group.pgid)).toBe(false);
  });

  it('may tidy up on TERM before it ends', async () => {
    const controller = new AbortController();
    const running = run(
      shell(
        `trap 'echo tidied; exit 1' TERM; echo up; echo $$ > ${folder}/tidy; while :; do sleep 0.05; done`,
      ),
      { signal: controller.signal },
    );
    await pidIn('tidy');
    controller.abort();
    const { text } = await running;
    expect(text).toMatch(/^up\n(Terminated\n)?tidied\n$/);
  });

  it('is ended when it is cancelled', async () => {
    const controller = new AbortController();
    const running = run(shell(`echo $$ > ${folder}/cancelled; sleep 300`), { signal: controller.signal });
    const pid = await pidIn('cancelled');
    controller.abort();
    expect((await running).result).toEqual({ ok: false, error: 'cancelled while it ran; it was ended' });
    expect(isAlive(pid)).toBe(false);
  });

  it('that succeeded may leave a service in the background, one that failed may not', async () => {
    const ok = await run(shell(`sleep 300 >/dev/null 2>&1 & echo $! > ${folder}/left`));
    expect(ok.result).toEqual({ ok: true });
    expect(isAlive(await pidIn('left'))).toBe(true);
    await endGroup(ok.group);
    const failed = await run(shell(`sleep 300 & echo $! > ${folder}/failed; exit 1`));
    expect(failed.result.ok).toBe(false);
    expect(isAlive(await pidIn('failed'))).toBe(false);
  });

  it('shows no secret, whole or in pieces of its output', async () => {
    const { text } = await run(shell(`printf 'a hunt'; sleep 0.2; printf 'er2 b'`), { secrets: ['hunter2'] });
    expect(text).toBe('a *** b');
  });
});

describe('a command whose worker is killed', () => {
  it('is ended by the watcher in its own process group', async () => {
    const worker = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { runCommand } from ${JSON.stringify(new URL('./command.ts', import.meta.url).href)};
         import { StepOutput } from ${JSON.stringify(new URL('./output.ts', import.meta.url).href)};
         await runCommand(
           { kind: 'command', argv: ['/bin/sh', '-c', 'echo $$ > ${folder}/watched; sleep 300'], requiresSudo: false },
           { timeoutMs: 100000, signal: new AbortController().signal, output: new StepOutput({ secrets: [] }),
             environment: { PATH: process.env.PATH }, key: 'k', started: async () => {} });`,
      ],
      { stdio: 'ignore' },
    );
    const pid = await pidIn('watched');
    expect(isAlive(pid)).toBe(true);
    worker.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

describe('an orphaned process group', () => {
  const orphan = async (line: string) => {
    const child = spawn('/bin/sh', ['-c', line], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, [groupMarker]: 'key-1' },
    });
    return { child, group: await describeGroup(child.pid!, false) };
  };

  it('is ended, and there is nothing to end the second time', async () => {
    const { child, group } = await orphan('sleep 300 & sleep 300');
    expect(await endOrphan(group, 'key-1')).toBe(true);
    expect(isAlive(child.pid!)).toBe(false);
    expect(await endOrphan(group, 'key-1')).toBe(false);
  });

  it('is known by what its members carry when its leader is gone', async () => {
    const { child, group } = await orphan(`sleep 300 & echo $! > ${folder}/member`);
    const member = await pidIn('member');
    await expect.poll(() => isAlive(child.pid!)).toBe(false);
    expect(await endOrphan(group, 'another-key')).toBe(false);
    expect(isAlive(member)).toBe(true);
    expect(await endOrphan(group, 'key-1')).toBe(true);
    expect(isAlive(member)).toBe(false);
  });

  it('is left alone when its process id belongs to somebody else by now, or to another machine', async () => {
    const { child, group } = await orphan('sleep 300');
    expect(await endOrphan({ ...group, startedAt: '1' }, 'key-1')).toBe(false);
    expect(await endOrphan({ ...group, machine: 'elsewhere' }, 'key-1')).toBe(false);
    expect(isAlive(child.pid!)).toBe(true);
    await endGroup(group);
  });
});
