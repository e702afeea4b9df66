import { configuredAddresses } from './backend-addresses.ts';
import { connectBackends } from './backends.ts';
import { readConfig } from './config.ts';
import { startDispatcher } from './dispatcher.ts';
import { startHttpService } from './http-service.ts';
import { live } from './lifetime.ts';

/** The API and the pages alone; run as many as are needed. Alerts that one accepted, any of them dispatches. */
await live(async ({ onEnd }) => {
  const config = readConfig();
  const { temporalUiUrl } = config;
  const backends = connectBackends(config, configuredAddresses(config));
  onEnd(() => backends.close());
  const dispatcher = startDispatcher(backends);
  onEnd(() => dispatcher.stop());
  const http = await startHttpService({
    config,
    backends,
    onAlertsAccepted: () => dispatcher.wake(),
    ...(temporalUiUrl === undefined ? {} : { temporalUiUrl }),
  });
  onEnd(() => http.close());
  backends.logger.info({ url: config.publicUrl, port: config.port }, 'the API and the pages are up');
  return { failed: new Promise<string>(() => {}) };
});
