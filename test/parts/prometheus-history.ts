import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PartUnavailableError } from './part.ts';

const run = promisify(execFile);

/** A metric with its samples, written into the past of a real Prometheus. */
export interface History {
  name: string;
  type: 'gauge' | 'counter';
  series: { labels: Record<string, string>; samples: { at: number; value: number }[] }[];
}

export interface RunningPrometheus {
  url: string;
  stop(): Promise<void>;
}

/**
 * A real Prometheus on loopback that scrapes nothing and holds `history`, put there as blocks by promtool.
 * @throws PartUnavailableError where `prometheus` or `promtool` is not on PATH.
 */
export async function startPrometheusWithHistory(history: readonly History[]): Promise<RunningPrometheus> {
  await run('promtool', ['--version']).catch(refuse('promtool'));
  await run('prometheus', ['--version']).catch(refuse('prometheus'));
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-test-prometheus-'));
  const data = join(directory, 'data');
  await writeFile(join(directory, 'history.om'), openMetrics(history));
  await writeFile(join(directory, 'prometheus.yml'), 'scrape_configs: []\n');
  if (history.length > 0) {
    await run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(directory, 'history.om'), data]);
  }

  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=1y',
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const stop = async () => {
    await end(server);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await untilReady(`http://${address}/-/ready`, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${address}`, stop };
}

function refuse(part: string): (error: Error) => never {
  return (error) => {
    throw new PartUnavailableError(part, `it is not on PATH (${error.message})`);
  };
}

function openMetrics(history: readonly History[]): string {
  const lines = history.flatMap(({ name, type, series }) => [
    // a counter's family is named without the _total of its samples
    `# TYPE ${type === 'counter' ? name.replace(/_total$/, '') : name} ${type}`,
    ...series.flatMap(({ labels, samples }) => {
      const set = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      return samples.map(({ at, value }) => `${name}{${set.join(',')}} ${value} ${at / 1000}`);
    }),
  ]);
  return `${lines.join('\n')}\n# EOF\n`;
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const limit = Date.now() + 30_000;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`prometheus ended with ${server.exitCode}`);
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > limit) throw new Error('prometheus was not ready within 30 s');
    await sleep(50);
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
