import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findPort, loopback } from '../../stack/port.ts';
import { lokiProgram } from './loki/program.ts';
import { type ServerPart, startServerPart, temporaryFolder } from './server-part.ts';

export interface Loki extends ServerPart {
  url: string;
  /** Lines of one stream; `at` in epoch milliseconds, of the last three hours: older ones it seeks on disk alone. */
  push(stream: Record<string, string>, lines: { at: number; text: string }[]): Promise<void>;
}

/**
 * The real Loki, in one process with its files, which forgets all at the end.
 * @throws PartUnavailableError where it cannot be built
 */
export async function startLoki(): Promise<Loki> {
  const command = await lokiProgram();
  const folder = await temporaryFolder('loki');
  const port = await findPort();
  await mkdir(join(folder, 'data'));
  const file = join(folder, 'loki.yml');
  await writeFile(file, stringify(settings(folder, port, await findPort())));
  const url = `http://${loopback}:${port}`;
  const server = await startServerPart({
    name: 'Loki',
    command,
    args: [`-config.file=${file}`, '-log.level=warn'],
    readyUrl: `${url}/ready`,
    readyLimitMs: 60_000,
    folder,
  });
  return {
    ...server,
    url,
    async push(stream, lines) {
      const values = lines.map(({ at, text }) => [`${BigInt(at) * 1_000_000n}`, text]);
      const answer = await fetch(`${url}/loki/api/v1/push`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ streams: [{ stream, values }] }),
      });
      if (answer.status !== 204) throw new Error(`Loki answered ${answer.status}: ${await answer.text()}`);
    },
  };
}

function settings(folder: string, port: number, grpcPort: number): Record<string, unknown> {
  return {
    auth_enabled: false,
    server: {
      http_listen_address: loopback,
      http_listen_port: port,
      grpc_listen_address: loopback,
      grpc_listen_port: grpcPort,
    },
    common: {
      path_prefix: join(folder, 'data'),
      // or its parts look for one another at the address of another interface
      instance_addr: loopback,
      ring: { instance_addr: loopback, kvstore: { store: 'inmemory' } },
      replication_factor: 1,
      storage: {
        filesystem: { chunks_directory: join(folder, 'chunks'), rules_directory: join(folder, 'rules') },
      },
    },
    frontend: { address: loopback },
    // it is ready at once, not 15 seconds later
    ingester: { lifecycler: { min_ready_duration: '0s', final_sleep: '0s' } },
    schema_config: {
      configs: [
        {
          from: '2024-01-01',
          store: 'tsdb',
          object_store: 'filesystem',
          schema: 'v13',
          index: { prefix: 'i_', period: '24h' },
        },
      ],
    },
    analytics: { reporting_enabled: false },
  };
}
