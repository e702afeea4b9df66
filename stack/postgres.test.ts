import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startPostgres } from './postgres.ts';
import { processIdentity } from './process.ts';

const asRoot = process.getuid?.() === 0;
let root: string;
let dataDir: string;

// a few starts and stops each, which wait for the disk
vi.setConfig({ testTimeout: 120_000 });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  await chmod(root, 0o755);
  dataDir = join(root, 'data');
  await mkdir(dataDir);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

test('the cluster, its port and its password outlive a restart', async () => {
  const progress: string[] = [];
  const first = await startPostgres({ dataDir, onProgress: (line) => progress.push(line) });
  expect(progress).toEqual(['PostgreSQL: creating the database cluster']);
  await query(first.url, `create table kept as select 'Grüße' as word`);
  expect(await query(first.url, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
  expect(await query(first.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  expect(await query(first.url, `select upper('ä') as up, current_database() as db`)).toEqual([
    { up: 'Ä', db: 'holdfast' },
  ]);
  await first.close();
  expect(await processIdentity(first.pid)).toBeUndefined();
  expect((await stat(join(dataDir, 'postgres.json'))).mode & 0o777).toBe(0o600);

  const second = await startPostgres({ dataDir });
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'Grüße' }]);
  await second.close();
});

test('a server that a killed start left running is stopped, and what it committed is there', async () => {
  const abandoned = await startPostgres({ dataDir });
  await query(abandoned.url, 'create table kept as select 1 as n');
  const progress: string[] = [];
  const next = await startPostgres({ dataDir, onProgress: (line) => progress.push(line) });
  expect(progress).toEqual(['PostgreSQL: stopping the server that an earlier run left behind']);
  expect(await processIdentity(abandoned.pid)).toBeUndefined();
  expect(await query(next.url, 'select n from kept')).toEqual([{ n: 1 }]);

  // and one that was itself killed leaves a pid file
  process.kill(next.pid, 'SIGKILL');
  await next.ended;
  const last = await startPostgres({ dataDir });
  expect(await query(last.url, 'select n from kept')).toEqual([{ n: 1 }]);
  await last.close();
});

test.runIf(process.platform === 'linux')(
  'a dead server that nobody has reaped yet is no obstacle',
  async () => {
    const first = await startPostgres({ dataDir });
    await query(first.url, 'create table kept as select 1 as n');
    const pidFile = join(dataDir, 'postgres/postmaster.pid');
    const left = await readFile(pidFile, 'utf8');
    await first.close();
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    // `sleep` does not wait for the child that it got from the shell: that stays a zombie
    const idle = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
      uid,
      gid,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [zombie] = await once(idle.stdout, 'data');
      await writeFile(pidFile, left.replace(/^\d+/, String(zombie).trim()));
      await chown(pidFile, uid, gid);
      const next = await startPostgres({ dataDir });
      expect(await query(next.url, 'select n from kept')).toEqual([{ n: 1 }]);
      await next.close();
    } finally {
      idle.kill();
    }
  },
);

test('a taken port is left alone and another one used', async () => {
  const first = await startPostgres({ dataDir });
  await first.close();
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(first.port, '127.0.0.1', resolve));
  try {
    const second = await startPostgres({ dataDir });
    expect(second.port).not.toBe(first.port);
    await second.close();
  } finally {
    squatter.close();
  }
});

test('a lost or foreign password is told apart from a server that does not start', async () => {
  const first = await startPostgres({ dataDir });
  await first.close();
  const file = join(dataDir, 'postgres.json');
  execFileSync('sed', ['-i', 's/"password":"/&x/', file]);
  await expect(startPostgres({ dataDir })).rejects.toThrow(/refuses the password/);
  await rm(file);
  await expect(startPostgres({ dataDir })).rejects.toThrow(/postgres.json is gone/);
});

test.runIf(asRoot)('as root, a data directory that others cannot pass through is no obstacle', async () => {
  await chmod(root, 0o700);
  const systemDir = await mkdtemp(join(tmpdir(), 'holdfast-system-'));
  await chmod(systemDir, 0o755);
  try {
    const progress: string[] = [];
    const options = { dataDir, systemDir, onProgress: (line: string) => progress.push(line) };
    const first = await startPostgres(options);
    await query(first.url, 'create table kept as select 1 as n');
    await first.close();
    expect(progress[0]).toMatch(
      `cannot pass through to ${dataDir}, so its files are in ${systemDir}/postgres-`,
    );

    const second = await startPostgres(options);
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 1 }]);
    await second.close();

    // removing the data directory is how one starts afresh
    await rm(dataDir, { recursive: true });
    await mkdir(dataDir);
    const fresh = await startPostgres(options);
    expect(await query(fresh.url, `select to_regclass('kept') as found`)).toEqual([{ found: null }]);
    await fresh.close();
  } finally {
    await vi.waitFor(() => rm(systemDir, { recursive: true, force: true }), 10_000);
  }
});
