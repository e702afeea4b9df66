import { migrate } from '../db/migrate.ts';
import { prepareOrganization } from './application.ts';
import { configuredAddresses } from './backend-addresses.ts';
import { connectBackends } from './backends.ts';
import { readConfig } from './config.ts';
import { live } from './lifetime.ts';

/** Once before a new version's API and workers start: the newest schema, and what the configuration fixes. */
await live(async ({ onEnd }) => {
  const config = readConfig();
  const addresses = configuredAddresses(config);
  const applied = await migrate(addresses.databaseUrl);
  console.log(applied.length === 0 ? 'The schema is the newest.' : `Migrated: ${applied.join(', ')}`);
  const backends = connectBackends(config, addresses);
  onEnd(() => backends.close());
  const { created, ownerToken, ingestKey } = await prepareOrganization(config, backends);
  if (created && config.ownerToken === undefined) console.log(`Owner token, shown this once: ${ownerToken}`);
  if (created && config.ingestKey === undefined) console.log(`Ingest key, shown this once: ${ingestKey}`);
  return 'done';
});
