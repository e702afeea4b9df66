import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataDirectoryInUseError, openDataDirectory } from './data-directory.ts';
import { processIdentity } from './process.ts';

let parent: string;
let path: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-data-'));
  path = join(parent, 'data');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

test('a second start on the same directory is refused, with who holds it', async () => {
  const first = await openDataDirectory(path);
  await expect(openDataDirectory(path)).rejects.toThrow(
    new RegExp(`already runs on ${path} \\(process ${process.pid}`),
  );
  await expect(openDataDirectory(path)).rejects.toBeInstanceOf(DataDirectoryInUseError);
  await first.release();
  const second = await openDataDirectory(path);
  await second.release();
  expect(await readdir(path)).toEqual([]);
});

test('the lock of a process that was killed is taken over', async () => {
  const holder = spawn('sleep', ['60']);
  const identity = await processIdentity(holder.pid!);
  const gone = new Promise((resolve) => holder.once('exit', resolve));
  const first = await openDataDirectory(path);
  await first.release();
  await writeFile(join(path, 'lock'), JSON.stringify({ pid: holder.pid, identity, since: 'earlier' }));
  await expect(openDataDirectory(path)).rejects.toBeInstanceOf(DataDirectoryInUseError);
  holder.kill('SIGKILL');
  await gone;
  await (await openDataDirectory(path)).release();
});

test('a lock whose process id now belongs to another process is taken over', async () => {
  await (await openDataDirectory(path)).release();
  await writeFile(
    join(path, 'lock'),
    JSON.stringify({ pid: process.ppid, identity: 'an earlier boot:1', since: 'earlier' }),
  );
  await (await openDataDirectory(path)).release();
});

test('an unreadable lock is taken over', async () => {
  await (await openDataDirectory(path)).release();
  await writeFile(join(path, 'lock'), 'not JSON');
  const held = await openDataDirectory(path);
  expect(JSON.parse(await readFile(join(path, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
  await held.release();
});
