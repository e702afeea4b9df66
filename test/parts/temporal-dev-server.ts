import { rm } from 'node:fs/promises';
import { findPort } from '../../stack/port.ts';
import { type EmbeddedTemporal, startTemporal, type TemporalOptions } from '../../stack/temporal.ts';
import { findTemporalCli } from '../../stack/temporal-cli.ts';
import { searchAttributeTypes } from '../../workflows/messages.ts';
import { PartUnavailableError } from './part.ts';
import { temporaryFolder } from './server-part.ts';

/**
 * A real Temporal server with the search attributes of Holdfast, gone after `close()`.
 * @throws PartUnavailableError when its CLI can be neither found nor made
 */
export async function startTemporalDevServer(
  options: Pick<TemporalOptions, 'dynamicConfig'> = {},
): Promise<EmbeddedTemporal> {
  await findTemporalCli().catch((error: Error) => {
    throw new PartUnavailableError('Temporal dev server', error.message);
  });
  const dataDir = await temporaryFolder('temporal');
  const server = await startTemporal({
    ...options,
    dataDir,
    searchAttributes: searchAttributeTypes,
    // away from the usual ports, which belong to whoever runs Holdfast on this machine
    ports: { grpc: await findPort(), ui: await findPort() },
  });
  return {
    ...server,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
