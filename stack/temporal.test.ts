import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPort } from './port.ts';
import { processIdentity } from './process.ts';
import { startTemporal, type TemporalOptions } from './temporal.ts';
import { downloadFrom, findTemporalCli, type TemporalCliSource, temporalCliSources } from './temporal-cli.ts';

let dataDir: string;
let options: TemporalOptions;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-temporal-'));
  const ports = { grpc: await findPort(), ui: await findPort() };
  options = { dataDir, searchAttributes: { HoldfastOrg: 'Keyword', HoldfastIncident: 'Int' }, ports };
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

test('servers that start at the same moment take ports of their own', { timeout: 60_000 }, async () => {
  const servers = await Promise.all(
    ['one', 'two', 'three'].map((name) => startTemporal({ ...options, dataDir: join(dataDir, name) })),
  );
  try {
    expect(new Set(servers.map(({ address }) => address)).size).toBe(3);
    for (const { pid } of servers) expect(await processIdentity(pid)).toBeDefined();
  } finally {
    for (const server of servers) await server.close();
  }
});

test('workflows outlive a restart, and a server that a killed start left running', {
  timeout: 60_000,
}, async () => {
  const first = await startTemporal(options);
  expect(first.address).toBe(`127.0.0.1:${options.ports?.grpc}`);
  expect((await fetch(first.uiUrl)).status).toBe(200);
  await withClient(first.address, (client) =>
    client.workflow.start('waiting', {
      workflowId: 'kept',
      taskQueue: 'nobody-listens',
      typedSearchAttributes: [{ key: defineSearchAttributeKey('HoldfastIncident', 'INT'), value: 42 }],
    }),
  );
  await first.close();
  expect(await processIdentity(first.pid)).toBeUndefined();

  const abandoned = await startTemporal(options);
  const progress: string[] = [];
  const next = await startTemporal({ ...options, onProgress: (line) => progress.push(line) });
  expect(progress).toEqual(['Temporal: stopping the server that an earlier run left behind']);
  expect(await processIdentity(abandoned.pid)).toBeUndefined();
  expect(next.address).toBe(first.address);
  const { config } = await withClient(next.address, (client) =>
    client.workflowService.describeNamespace({ namespace: 'default' }),
  );
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
  const found = await withClient(next.address, (client) => client.workflow.getHandle('kept').describe());
  expect(found.status.name).toBe('RUNNING');
  await next.close();
});

test('a taken port is left alone and another one used', { timeout: 60_000 }, async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(options.ports?.grpc, '127.0.0.1', resolve));
  try {
    const server = await startTemporal(options);
    expect(server.address).not.toBe(`127.0.0.1:${options.ports?.grpc}`);
    await server.close();
  } finally {
    squatter.close();
  }
});

test('a state file that is not a database is reported with the remedy', { timeout: 60_000 }, async () => {
  await (await startTemporal(options)).close();
  await writeFile(join(dataDir, 'temporal', 'temporal.db'), 'not a database, and long enough to be told so');
  await rm(join(dataDir, 'temporal', 'temporal.db-wal'), { force: true });
  await expect(startTemporal(options)).rejects.toThrow(/ended \(exit code 1\).*set TEMPORAL_ADDRESS/s);
});

const source = (name: string, get: TemporalCliSource['get']): TemporalCliSource => ({ name, get });

test('each way to the CLI that is closed is named with its reason, and what can be done', async () => {
  const closed = [
    source('first', () => Promise.reject(new Error('not there'))),
    source('second', () => Promise.reject(new Error('no network'))),
  ];
  await expect(findTemporalCli({}, closed)).rejects.toThrow(
    /first: not there\n.*second: no network\n.*TEMPORAL_ADDRESS/,
  );
  const open = source('third', async ({ cacheDirectory }) => cacheDirectory);
  expect(await findTemporalCli({ cacheDirectory: '/somewhere' }, [...closed, open])).toBe('/somewhere');
});

test('an archive is downloaded from the first place that has it, and kept', async () => {
  const program = join(dataDir, 'temporal');
  await writeFile(program, '#!/bin/sh\necho "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"\n');
  execFileSync('tar', ['-czf', join(dataDir, 'archive'), '-C', dataDir, 'temporal']);
  const archive = await readFile(join(dataDir, 'archive'));
  const server = createHttpServer(({ url }, response) => {
    if (url === '/archive') response.end(archive);
    else response.writeHead(404).end();
  });
  const port = await findPort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const place = (path: string): string => `http://127.0.0.1:${port}/${path}`;
  const cacheDirectory = join(dataDir, 'cache');
  try {
    await expect(findTemporalCli({ cacheDirectory }, [downloadFrom(() => [place('gone')])])).rejects.toThrow(
      /127.0.0.1: HTTP 404/,
    );
    const source = downloadFrom(() => [place('gone'), place('archive')]);
    expect(await findTemporalCli({ cacheDirectory }, [source])).toBe(join(cacheDirectory, 'bin', 'temporal'));
    expect(await readdir(cacheDirectory)).toEqual(['bin']);
  } finally {
    server.close();
  }
});

test('a program that is broken or too old is not used', async () => {
  const cached = temporalCliSources.filter(({ name }) => name.includes('earlier start'));
  await expect(findTemporalCli({ cacheDirectory: dataDir }, cached)).rejects.toThrow(/not there/);
  const program = join(dataDir, 'bin', 'temporal');

  await mkdir(join(dataDir, 'bin'));
  const says = async (text: string): Promise<void> => {
    await writeFile(program, `#!/bin/sh\n${text}\n`);
    await chmod(program, 0o755);
  };
  await says('echo "broken pipe" >&2; exit 3');
  await expect(findTemporalCli({ cacheDirectory: dataDir }, cached)).rejects.toThrow(/broken pipe/);
  await says('echo "temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)"');
  await expect(findTemporalCli({ cacheDirectory: dataDir }, cached)).rejects.toThrow(/too old/);
  await says('echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"');
  expect(await findTemporalCli({ cacheDirectory: dataDir }, cached)).toBe(program);
});
