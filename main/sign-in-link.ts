import { mintSignInLink, prepareOrganization } from './application.ts';
import { configuredAddresses } from './backend-addresses.ts';
import { connectBackends } from './backends.ts';
import { readConfig } from './config.ts';
import { live } from './lifetime.ts';

/** Prints a link that signs the owner in once, where the banner of `npm start` does not: api and worker apart. */
await live(async ({ onEnd }) => {
  const config = readConfig();
  const backends = connectBackends(config, configuredAddresses(config));
  onEnd(() => backends.close());
  const organization = await prepareOrganization(config, backends);
  console.log(await mintSignInLink(config, backends, organization));
  return 'done';
});
