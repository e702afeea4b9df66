import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig, variableNames } from '../main/config.ts';
import { PartUnavailableError, partOrSkip } from './parts/part.ts';
import { installedCommand, temporaryFolder } from './parts/server-part.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

const serviceSchema = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()).min(2) }).optional(),
  depends_on: z
    .record(
      z.string(),
      z.object({
        condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
      }),
    )
    .default({}),
});
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
  secrets: z.record(z.string(), z.object({ environment: z.string() })),
});

let text: string;
let compose: z.infer<typeof composeSchema>;
let scripts: Record<string, string>;
/** Variables of .env.example with their default, '' where one has to be given. */
let documented: Map<string, string>;

beforeAll(async () => {
  text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
  compose = composeSchema.parse(parse(text, { merge: true }));
  scripts = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).scripts;
  const example = await readFile(join(root, '.env.example'), 'utf8');
  documented = new Map(
    [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
});

const services = () => Object.entries(compose.services);
const holdfastServices = () => services().filter(([, { image }]) => image === 'holdfast');

test('the services of the product and what they need are there', () => {
  expect(Object.keys(compose.services)).toEqual(
    expect.arrayContaining([
      'api',
      'worker',
      'migrate',
      'postgres',
      'temporal',
      'temporal-ui',
      'elasticsearch',
    ]),
  );
  expect(Object.keys(compose.services)).toEqual(
    expect.arrayContaining(['alertmanager', 'prometheus', 'mailpit']),
  );
});

test('Holdfast is started by npm scripts that exist, of files that exist', () => {
  for (const [name, { command = [] }] of holdfastServices()) {
    expect(command.slice(0, -1), name).toEqual(['npm', 'run', '--silent']);
    const file =
      /^(?:\w+=\S+ )*node (?:--\S+ )*(\S+)$/.exec(scripts[command.at(-1) ?? ''] ?? '')?.[1] ??
      'no such script';
    expect(existsSync(join(root, file)), `${name}: ${file}`).toBe(true);
  }
});

test('every variable of the file is explained in .env.example with the same default, and no other', () => {
  const used = [...text.matchAll(/\$\{([A-Z_]+)(:-([^}]*)|:\?[^}]*)?\}/g)];
  expect(used.length).toBeGreaterThan(5);
  for (const [whole, name = '', , fallback] of used) {
    expect([...documented.keys()], whole).toContain(name);
    expect(documented.get(name), whole).toBe(fallback ?? '');
  }
  const named = new Set(used.map(([, name]) => name));
  expect([...documented.keys()].filter((name) => !named.has(name))).toEqual([]);
});

test('Holdfast reads every variable that it is given, and accepts the values', () => {
  for (const [name, { environment }] of holdfastServices()) {
    expect(variableNames, name).toEqual(expect.arrayContaining(Object.keys(environment)));
    const filled = Object.entries(environment).map(([key, value]) => [
      key,
      value.replaceAll(
        /\$\{[A-Z_]+(?::-([^}]*)|:\?[^}]*)\}/g,
        (_, fallback) => fallback ?? 'a-generated-secret',
      ),
    ]);
    expect(readConfig(Object.fromEntries(filled))).toMatchObject({
      temporalAddress: 'temporal:7233',
      databaseUrl: 'postgres://holdfast:a-generated-secret@postgres:5432/holdfast',
    });
  }
});

test('what a service waits for exists and can come true', () => {
  for (const [name, service] of services()) {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const target = compose.services[other];
      expect(target, `${name} waits for ${other}`).toBeDefined();
      if (condition === 'service_healthy') expect(target?.healthcheck, other).toBeDefined();
    }
  }
});

test('hosts in addresses are services, volumes and secrets are declared, mounted files exist', () => {
  for (const [name, service] of services()) {
    for (const volume of service.volumes) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./')) expect(existsSync(join(root, source)), `${name}: ${source}`).toBe(true);
      else expect(Object.keys(compose.volumes), name).toContain(source);
    }
    for (const secret of service.secrets) expect(Object.keys(compose.secrets), name).toContain(secret);
    for (const value of Object.values(service.environment)) {
      const host = /(?:^|@|:\/\/)([a-z][a-z-]*):\d+/.exec(value)?.[1];
      if (host && host !== 'localhost') expect(Object.keys(compose.services), value).toContain(host);
    }
  }
});

test('only Holdfast is published beyond this machine, and no port twice', () => {
  const published = services().flatMap(([name, { ports }]) => ports.map((port) => ({ name, port })));
  const open = published.filter(({ port }) => !port.startsWith('127.0.0.1:'));
  expect(open.map(({ name }) => name)).toEqual(['proxy']);
  const host = published.map(({ port }) => port.split(':').at(-2));
  expect(new Set(host).size).toBe(host.length);
  for (const name of ['api', 'worker']) expect(compose.services[name]?.ports).toEqual([]); // or they would not scale
});

test('the Alertmanager configuration is valid and posts to the webhook with the key', async (context) => {
  const file = join(root, 'deploy', 'alertmanager.yml');
  const configuration = parse(await readFile(file, 'utf8'));
  expect(configuration.receivers[0].webhook_configs[0]).toMatchObject({
    url: 'http://proxy:8080/api/v1/alerts/alertmanager',
    send_resolved: true,
    http_config: { authorization: { credentials_file: '/run/secrets/ingest_key' } },
  });
  const amtool = await partOrSkip(context, () => installedCommand('amtool', ['amtool']));
  await run(amtool, ['check-config', file]);
});

test('the Prometheus configuration and its rules are valid', async (context) => {
  const promtool = await partOrSkip(context, () => installedCommand('promtool', ['promtool']));
  await run(promtool, ['check', 'config', join(root, 'deploy', 'prometheus.yml')]);
  const { stdout } = await run(promtool, ['check', 'rules', join(root, 'deploy', 'prometheus-rules.yml')]);
  expect(stdout).toMatch(/5 rules found/);
});

test('docker compose itself accepts the file', async (context) => {
  await partOrSkip(context, async () => {
    await run('docker', ['compose', 'version']).catch(() => {
      throw new PartUnavailableError('docker compose', 'the plugin is not installed');
    });
  });
  const folder = await temporaryFolder('compose');
  const environment = join(folder, 'env');
  const secrets = [...documented].map(([name, value]) => `${name}=${value || 'a-generated-secret'}`);
  await writeFile(environment, secrets.join('\n'));
  try {
    await run('docker', [
      'compose',
      '--env-file',
      environment,
      '-f',
      join(root, 'docker-compose.yml'),
      'config',
      '-q',
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
