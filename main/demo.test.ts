import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../test/harness/api.ts';
import { keepIngestKey } from './ingest-key-file.ts';

let api: TestApi;
let dataDir: string;
beforeAll(async () => {
  api = await createTestApi();
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
  await api.close();
});

/** As `npm run demo -- …` does, with the process's own environment replaced. */
async function demo(args: string[], env: Record<string, string>) {
  return await new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'demo.ts'), ...args],
      { env: { PATH: process.env.PATH ?? '', HOLDFAST_DATA_DIR: dataDir, PUBLIC_URL: api.url, ...env } },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

test('it fires, is seen again and is over, with the key that the start keeps', async () => {
  await keepIngestKey(dataDir, api.ingestKey);
  expect((await stat(join(dataDir, 'ingest-key'))).mode & 0o777).toBe(0o600);
  const fired = await demo(['database'], {});
  expect(fired).toMatchObject({ code: 0, err: '' });
  expect(fired.out).toMatch(/\d+ log lines of orders-db sent/);
  expect(fired.out).toMatch(/fired: DatabaseConnectionsExhausted \[critical\] of orders-db: a new alert/);
  expect((await demo(['database'], {})).out).toMatch(/seen again/);
  expect((await demo(['database', '--resolve'], {})).out).toMatch(/resolved: .*it is over/);
  expect((await demo(['database', '--resolve'], {})).out).toMatch(/not firing/);
});

test('what is wrong is said in one line with the remedy', async () => {
  const elsewhere = { HOLDFAST_DATA_DIR: join(dataDir, 'nowhere') };
  expect(await demo(['cpu'], elsewhere)).toMatchObject({
    code: 1,
    err: expect.stringContaining('no ingest key'),
  });
  expect(await demo(['earthquake'], {})).toMatchObject({
    code: 1,
    err: expect.stringContaining('database|cpu'),
  });
  expect(await demo(['--resolved'], {})).toMatchObject({
    code: 1,
    err: expect.stringContaining('--resolved'),
  });
  expect(await demo(['cpu'], { HOLDFAST_INGEST_KEY: 'wrong-key' })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/401.*ingest key is unknown/),
  });
  expect(await demo(['cpu'], { PUBLIC_URL: 'http://127.0.0.1:1' })).toMatchObject({
    code: 1,
    err: expect.stringContaining('is Holdfast running'),
  });
});
