import type { BackendAddresses } from './backends.ts';
import { type Config, ConfigError } from './config.ts';

/**
 * Where the parts are for a process that embeds none, as the API and the worker are when they run apart.
 * @throws ConfigError naming the variables that are missing
 */
export function configuredAddresses(config: Config): BackendAddresses {
  const { databaseUrl, temporalAddress, smtpUrl } = config;
  if (databaseUrl !== undefined && temporalAddress !== undefined && smtpUrl !== undefined) {
    return { databaseUrl, temporalAddress, smtpUrl };
  }
  const missing = [
    databaseUrl === undefined ? 'DATABASE_URL' : '',
    temporalAddress === undefined ? 'TEMPORAL_ADDRESS' : '',
    smtpUrl === undefined ? 'SMTP_URL' : '',
  ].filter((name) => name !== '');
  throw new ConfigError(
    `The configuration has to be mended: set ${missing.join(', ')}. ` +
      'Only `npm start`, which runs everything in one place, embeds what is not configured.',
  );
}
