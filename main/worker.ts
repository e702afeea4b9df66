import { configuredAddresses } from './backend-addresses.ts';
import { connectBackends } from './backends.ts';
import { readConfig } from './config.ts';
import { live } from './lifetime.ts';
import { startWorkerService } from './worker-service.ts';

/** The workflows and activities alone; run as many as are needed. */
await live(async ({ onEnd }) => {
  const config = readConfig();
  const addresses = configuredAddresses(config);
  const backends = connectBackends(config, addresses);
  onEnd(() => backends.close());
  const worker = await startWorkerService({ config, backends, temporalAddress: addresses.temporalAddress });
  onEnd(() => worker.close());
  backends.logger.info({ temporal: addresses.temporalAddress }, 'the worker is up');
  return { failed: worker.failed };
});
