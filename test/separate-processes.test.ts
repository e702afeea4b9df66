import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPort } from '../stack/port.ts';
import { type EmbeddedPostgres, startPostgres } from '../stack/postgres.ts';
import type { EmbeddedTemporal } from '../stack/temporal.ts';
import { partOrSkip } from './parts/part.ts';
import { temporaryFolder } from './parts/server-part.ts';
import { type SmtpReceiver, startSmtp } from './parts/smtp.ts';
import { startTemporalDevServer } from './parts/temporal-dev-server.ts';

const root = join(import.meta.dirname, '..');
const ingestKey = 'ingest-key-of-the-test';

let folder: string;
let postgres: EmbeddedPostgres;
let temporal: EmbeddedTemporal | undefined;
let smtp: SmtpReceiver;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder('separate');
  postgres = await startPostgres({ dataDir: folder });
  smtp = await startSmtp();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await temporal?.close();
  await smtp.close();
  await postgres.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

interface Running {
  child: ChildProcess;
  said(): string;
  /** Its exit code. */
  ended: Promise<number | null>;
}

function start(
  command: 'migrate' | 'api' | 'worker' | 'sign-in-link',
  more: Record<string, string> = {},
): Running {
  const child = spawn(process.execPath, [`main/${command}.ts`], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: temporal?.address,
      SMTP_URL: smtp.url,
      HOLDFAST_DATA_DIR: join(folder, command),
      HOLDFAST_OWNER_TOKEN: 'owner-token-of-the-test',
      HOLDFAST_INGEST_KEY: ingestKey,
      HOLDFAST_OWNER_EMAIL: 'ana@example.com',
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, said: () => text, ended };
}

test('two APIs and two workers, started apart after a migration, page for an alert once', {
  timeout: 120_000,
}, async (context) => {
  temporal = await partOrSkip(context, startTemporalDevServer);
  const migrations = [start('migrate'), start('migrate')];
  for (const migration of migrations) expect(await migration.ended, migration.said()).toBe(0);

  const ports = [await findPort(), await findPort()];
  const apis = ports.map((port) => start('api', { PORT: String(port) }));
  const workers = [start('worker'), start('worker')];
  for (const worker of workers) {
    await expect.poll(worker.said, { timeout: 60_000 }).toContain('the worker is up');
  }
  for (const port of ports) {
    const ready = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(ready, { timeout: 30_000 }).toBe(200);
  }

  const alert = {
    status: 'firing',
    labels: { alertname: 'ServiceDown', service: 'checkout', severity: 'critical' },
    annotations: {},
    startsAt: new Date().toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    fingerprint: '5e9e1cd0f5a1b2c3',
  };
  for (const port of ports) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/alerts/alertmanager`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ingestKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ version: '4', status: 'firing', receiver: 'holdfast', alerts: [alert] }),
    });
    expect(answer.status, await answer.text()).toBe(202);
  }
  await expect.poll(() => smtp.mails.length, { timeout: 30_000 }).toBeGreaterThan(0);
  const signIn = start('sign-in-link', { PUBLIC_URL: `http://127.0.0.1:${ports[0]}` });
  expect(await signIn.ended, signIn.said()).toBe(0);
  const page = await fetch(signIn.said().trim());
  expect(await page.text()).toContain('Sign in as <bdi>ana@example.com</bdi>');
  expect(smtp.mails.map(({ envelopeTo }) => envelopeTo)).toEqual([['ana@example.com']]);

  for (const { child, ended, said } of [...apis, ...workers]) {
    child.kill('SIGTERM');
    expect(await ended, said()).toBe(0);
  }
  expect(smtp.mails).toHaveLength(1);
});
