import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedTemporal } from '../stack/temporal.ts';
import { PartUnavailableError, type TriedPart, tryPart } from '../test/parts/part.ts';
import { temporaryFolder } from '../test/parts/server-part.ts';
import { startTemporalDevServer } from '../test/parts/temporal-dev-server.ts';
import { readConfig, readRunnerConfig } from './config.ts';
import { connectWorker, temporalConnectionOptions } from './temporal-connection.ts';

const run = promisify(execFile);

let folder: string;
let temporal: TriedPart<EmbeddedTemporal>;
let front: Server | undefined;
let address: string;
/** Whose certificates the clients showed. */
const clients: string[] = [];

beforeAll(async () => {
  folder = await temporaryFolder('temporal-tls');
  temporal = await tryPart(async () => {
    await makeCertificates();
    return await startTemporalDevServer();
  });
  if (!temporal.part) return;
  front = await startTlsFront(temporal.part.address);
  address = `localhost:${(front.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  front?.close();
  await temporal?.part?.close();
  await rm(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, name);

/** An authority, and certificates of it for the server and a client. */
async function makeCertificates(): Promise<void> {
  const openssl = async (...args: string[]) => {
    try {
      await run('openssl', args, { cwd: folder });
    } catch (error) {
      throw new PartUnavailableError('openssl', String(error));
    }
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority');
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=holdfast'],
  ] as const) {
    const extensions = ['subjectAltName=DNS:localhost', 'basicConstraints=critical,CA:FALSE'];
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', ...extensions.flatMap((each) => ['-addext', each])];
    const out = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', subject];
    await openssl('req', '-x509', ...key, ...signed, ...out);
  }
}

/** Speaks TLS, asks for a client's certificate, and passes on to the Temporal server behind it. */
async function startTlsFront(behind: string): Promise<Server> {
  const [host, port] = behind.split(':');
  const server = createServer({
    key: await readFile(file('server.key')),
    cert: await readFile(file('server.pem')),
    ca: await readFile(file('ca.pem')),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    clients.push(String(socket.getPeerCertificate().subject.CN));
    const through = connect({ host, port: Number(port) });
    socket.on('error', () => through.destroy());
    through.on('error', () => socket.destroy());
    socket.pipe(through).pipe(socket);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const environment = () => ({
  TEMPORAL_ADDRESS: address,
  TEMPORAL_TLS_CA: file('ca.pem'),
  TEMPORAL_TLS_CERT: file('client.pem'),
  TEMPORAL_TLS_KEY: file('client.key'),
});

test('clients and workers reach Temporal through TLS, with a certificate of their own', {
  timeout: 30_000,
}, async (context) => {
  temporal.orSkip(context);
  const options = temporalConnectionOptions(readConfig(environment()), address);
  const connection = await Connection.connect({ ...options, connectTimeout: '10s' });
  expect((await connection.workflowService.getSystemInfo({})).serverVersion).toBeTruthy();
  await connection.close();
  const native = await connectWorker(options, pino({ level: 'silent' }));
  await native.close();
  expect(new Set(clients)).toEqual(new Set(['holdfast']));
});

test('an authority that did not sign the server, or no certificate, does not connect', {
  timeout: 30_000,
}, async (context) => {
  temporal.orSkip(context);
  const { TEMPORAL_TLS_CA: ca, ...pair } = environment();
  const attempts = [
    { ...pair, TEMPORAL_TLS_CA: file('client.pem') },
    { TEMPORAL_ADDRESS: address, TEMPORAL_TLS_CA: ca },
  ];
  for (const given of attempts) {
    const options = temporalConnectionOptions(readConfig(given), address);
    await expect(Connection.connect({ ...options, connectTimeout: '2s' })).rejects.toThrow();
  }
});

test('TLS is on where something needs it, and what contradicts is refused', () => {
  const read = (given: Record<string, string>) => readConfig({ TEMPORAL_ADDRESS: 'temporal:7233', ...given });
  const optionsFor = (given: Record<string, string>) =>
    temporalConnectionOptions(read(given), 'temporal:7233');
  expect(optionsFor({})).toEqual({ address: 'temporal:7233' });
  expect(optionsFor({ TEMPORAL_TLS: 'on' })).toEqual({ address: 'temporal:7233', tls: true });
  expect(optionsFor({ TEMPORAL_API_KEY: 'k3y' })).toEqual({
    address: 'temporal:7233',
    tls: true,
    apiKey: 'k3y',
  });
  expect(() => optionsFor({ TEMPORAL_TLS_CA: '/nowhere/ca.pem' })).toThrow(
    /TEMPORAL_TLS_CA: \/nowhere\/ca\.pem cannot be read/,
  );
  expect(() => read({ TEMPORAL_TLS_CERT: '/x' })).toThrow(/CERT and TEMPORAL_TLS_KEY go together/);
  expect(() => read({ TEMPORAL_TLS: 'off', TEMPORAL_API_KEY: 'k' })).toThrow(
    /TEMPORAL_TLS: off, but TEMPORAL_API_KEY needs TLS/,
  );
  expect(() => readConfig({ TEMPORAL_API_KEY: 'k' })).toThrow(
    /TEMPORAL_API_KEY: of use only with TEMPORAL_ADDRESS/,
  );
});

test('a runner is told each variable that it lacks', () => {
  expect(() => readRunnerConfig({ HOLDFAST_URL: 'holdfast.example.com' })).toThrow(
    /HOLDFAST_URL: write a URL.*HOLDFAST_RUNNER_TOKEN is not set.*TEMPORAL_ADDRESS is not set/s,
  );
  const given = {
    HOLDFAST_URL: 'https://holdfast.example.com/',
    HOLDFAST_RUNNER_TOKEN: 'hfr_0123456789',
    TEMPORAL_ADDRESS: 'temporal:7233',
  };
  expect(readRunnerConfig(given)).toMatchObject({
    holdfastUrl: 'https://holdfast.example.com',
    runnerToken: 'hfr_0123456789',
    temporalAddress: 'temporal:7233',
  });
});
