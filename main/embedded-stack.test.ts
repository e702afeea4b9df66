import { type ChildProcess, spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Connection, Client as TemporalClient } from '@temporalio/client';
import { createTransport } from 'nodemailer';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../test/parts/server-part.ts';

let folder: string;
let program: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder('stack');
  program = join(folder, 'program.ts');
  const here = (name: string): string => JSON.stringify(join(import.meta.dirname, name));
  await writeFile(
    program,
    `import { readConfig } from ${here('config.ts')};
import { startStack } from ${here('embedded-stack.ts')};
import { openDataDirectory } from ${here('../stack/data-directory.ts')};
const config = readConfig({ HOLDFAST_DATA_DIR: ${JSON.stringify(join(folder, 'data'))} });
try {
  const directory = await openDataDirectory(config.dataDir);
  const stack = await startStack(config, () => {});
  process.on('SIGTERM', async () => { await stack.close(); await directory.release(); process.exit(0); });
  console.log(JSON.stringify({ ...stack, mails: (await stack.mailbox.list()).length }));
  console.log(JSON.stringify({ failed: await stack.failed }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}`,
  );
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

interface Said {
  databaseUrl: string;
  temporalAddress: string;
  smtpUrl: string;
  mails: number;
  error?: string;
  failed?: string;
}

function start(): { child: ChildProcess; next(): Promise<Said>; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    next: async () => JSON.parse((await lines.next()).value ?? '{"error":"it said nothing"}'),
    ended: new Promise((resolve) => child.once('exit', resolve)),
  };
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

test('killed, it starts again and finds everything as it was; told to end, it ends in order', {
  timeout: 120_000,
}, async () => {
  const first = start();
  const before = await first.next();
  await query(before.databaseUrl, `create table kept as select 'row' as word`);
  const connection = await Connection.connect({ address: before.temporalAddress });
  const { workflow } = new TemporalClient({ connection });
  await workflow.start('waiting', { workflowId: 'kept', taskQueue: 'nobody-listens' });
  await connection.close();
  const mail = createTransport(before.smtpUrl);
  await mail.sendMail({ from: 'h@localhost', to: 'ana@example.com', subject: 'kept', text: 'x' });
  mail.close();

  const refused = start();
  expect((await refused.next()).error).toMatch(/already runs on .*HOLDFAST_DATA_DIR/);
  await refused.ended;

  first.child.kill('SIGKILL');
  await first.ended;
  const second = start();
  const after = await second.next();
  expect(after.error).toBeUndefined();
  expect(after.mails).toBe(1);
  expect(await query(after.databaseUrl, 'select word from kept')).toEqual([{ word: 'row' }]);
  const again = await Connection.connect({ address: after.temporalAddress });
  const { status } = await new TemporalClient({ connection: again }).workflow.getHandle('kept').describe();
  expect(status.name).toBe('RUNNING');
  await again.close();

  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  await expect(query(after.databaseUrl, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
});
