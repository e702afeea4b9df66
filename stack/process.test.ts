import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandLine, processIdentity, startChild, stopOrphan } from './process.ts';

let folder: string;
const options = () => ({
  logFile: join(folder, 'log'),
  stopSignal: 'SIGTERM' as const,
  patienceMs: 300,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-process-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a child is asked to end, and made to when it does not', async () => {
  const polite = await startChild(
    'sh',
    ['-c', 'trap "echo asked; exit 3" TERM; while :; do sleep 0.05; done'],
    {
      ...options(),
      patienceMs: 10_000,
    },
  );
  await polite.stop();
  expect(await polite.ended).toBe('exit code 3');
  expect(await polite.lastWords()).toBe('asked');

  const deaf = await startChild('sh', ['-c', 'trap "" TERM; while :; do sleep 0.05; done'], options());
  await deaf.stop();
  expect(await deaf.ended).toBe('signal SIGKILL');
});

test('a program that is not there is named', async () => {
  await expect(startChild('/nowhere/temporal', [], options())).rejects.toThrow(
    /Cannot run \/nowhere\/temporal/,
  );
});

test('the children of a parent that is killed end, though nobody can tell them to', async () => {
  const program = join(folder, 'parent.ts');
  await writeFile(
    program,
    `import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))};
const child = await startChild('sleep', ['300'], ${JSON.stringify(options())});
console.log(child.pid);
setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
  expect(await commandLine(pid)).toBe('sleep 300');
  parent.kill('SIGKILL');
  await expect.poll(() => processIdentity(pid)).toBeUndefined();
});

test('an orphan is stopped by its id alone', async () => {
  const orphan = await startChild('sleep', ['300'], options());
  await stopOrphan(orphan.pid, 'SIGTERM', 5000);
  expect(await orphan.ended).toBe('signal SIGTERM');
  await stopOrphan(orphan.pid, 'SIGTERM', 5000); // gone already: nothing to do
});
