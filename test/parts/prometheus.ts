import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { findPort, loopback } from '../../stack/port.ts';
import { installedCommand, type ServerPart, startServerPart, temporaryFolder } from './server-part.ts';

const run = promisify(execFile);

export interface PrometheusOptions {
  /** host:port of what it scrapes, under /metrics. */
  targets?: string[];
  /** A Prometheus duration. */
  scrapeInterval?: string;
  /** Samples to be there from the start, in OpenMetrics text with timestamps and `# EOF`. */
  backfill?: string;
}

export interface Prometheus extends ServerPart {
  url: string;
}

/**
 * The real Prometheus; by itself it scrapes nothing.
 * @throws PartUnavailableError where it (or promtool, for `backfill`) is not installed
 */
export async function startPrometheus(options: PrometheusOptions = {}): Promise<Prometheus> {
  const command = await installedCommand('Prometheus', ['prometheus']);
  const folder = await temporaryFolder('prometheus');
  const data = join(folder, 'data');
  if (options.backfill !== undefined) await backfill(folder, data, options.backfill);
  const file = join(folder, 'prometheus.yml');
  const jobs = options.targets ? [{ job_name: 'test', static_configs: [{ targets: options.targets }] }] : [];
  await writeFile(
    file,
    stringify({ global: { scrape_interval: options.scrapeInterval ?? '1s' }, scrape_configs: jobs }),
  );
  const port = await findPort();
  const url = `http://${loopback}:${port}`;
  const server = await startServerPart({
    name: 'Prometheus',
    command,
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=1y',
      `--web.listen-address=${loopback}:${port}`,
      '--log.level=warn',
    ],
    readyUrl: `${url}/-/ready`,
    folder,
  });
  return { ...server, url };
}

async function backfill(folder: string, data: string, openMetrics: string): Promise<void> {
  const promtool = await installedCommand('Prometheus', ['promtool']);
  const file = join(folder, 'samples.txt');
  await writeFile(file, openMetrics);
  await run(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, data]);
}
