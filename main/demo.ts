import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  type TestIncidentKind,
  testIncident,
  testIncidentKind,
  testIncidentKinds,
} from '../domain/test-incident.ts';
import { ConfigError, readConfig } from './config.ts';
import { readIngestKey } from './ingest-key-file.ts';

/**
 * npm run demo -- database|cpu|latency|random [--resolve]
 *
 * Posts a made-up alert and its log lines to the running Holdfast, as Alertmanager and a log shipper would.
 */
const usage = `npm run demo -- ${[...testIncidentKinds, 'random'].join('|')} [--resolve]`;

/** Something that the person at the terminal can mend: said in one line, without a stack. */
class DemoError extends Error {}

async function main(): Promise<void> {
  const { kind, resolve } = readArguments(process.argv.slice(2));
  const config = readConfig();
  const url = config.publicUrl;
  const key = config.ingestKey ?? (await keyOf(config.dataDir));
  const made = testIncident(kind, resolve ? 'resolved' : 'firing', Date.now());
  if (made.logs.length > 0) {
    const lines = made.logs.map((line) => JSON.stringify(line)).join('\n');
    const { accepted } = await post(`${url}/api/v1/logs`, key, 'application/x-ndjson', lines);
    console.log(`${accepted} log lines of ${made.webhook.commonLabels.service} sent`);
  }
  const body = JSON.stringify(made.webhook);
  const counts = await post(`${url}/api/v1/alerts/alertmanager`, key, 'application/json', body);
  const { alertname, service, severity } = made.webhook.commonLabels;
  console.log(
    `${resolve ? 'resolved' : 'fired'}: ${alertname} [${severity}] of ${service}: ${toldBy(counts)}`,
  );
  console.log(`see ${config.publicUrl}/incidents`);
}

function readArguments(args: string[]): { kind: TestIncidentKind; resolve: boolean } {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { resolve: { type: 'boolean', default: false } },
  });
  const asked = positionals[0] ?? 'random';
  const known = [...testIncidentKinds, 'random' as const].find((kind) => kind === asked);
  if (!known || positionals.length > 1)
    throw new DemoError(`there is no test incident '${positionals.join(' ')}': ${usage}`);
  return { kind: testIncidentKind(known, randomInt(1000)), resolve: values.resolve };
}

async function keyOf(dataDir: string): Promise<string> {
  const key = await readIngestKey(dataDir);
  if (key !== undefined) return key;
  throw new DemoError(
    `no ingest key: set HOLDFAST_INGEST_KEY to the one that 'npm start' showed; none is kept in ${dataDir}`,
  );
}

async function post(url: string, key: string, type: string, body: string): Promise<Record<string, unknown>> {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': type };
  const response = await fetch(url, { method: 'POST', headers, body }).catch(() => {
    throw new DemoError(
      `nothing answers at ${url}: is Holdfast running (npm start)? One on another port is found with the same PORT here`,
    );
  });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (!response.ok) throw new DemoError(`${url} answered ${response.status}: ${answer.detail ?? ''}`);
  return answer;
}

function toldBy(counts: Record<string, unknown>): string {
  if (Number(counts.new) > 0) return 'a new alert';
  if (Number(counts.updated) > 0) return 'it was firing already, and is seen again';
  return Number(counts.resolved) > 0 ? 'it is over' : 'it was not firing, so nothing changes';
}

try {
  await main();
} catch (error) {
  if (!(error instanceof DemoError || error instanceof ConfigError || isUsage(error))) throw error;
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** What parseArgs throws on an option that there is none of. */
function isUsage(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
