import { expect, test } from 'vitest';
import { configuredAddresses } from './backend-addresses.ts';
import { readConfig } from './config.ts';

test('a process that embeds nothing names what it lacks', () => {
  const addresses = {
    DATABASE_URL: 'postgres://db/holdfast',
    TEMPORAL_ADDRESS: 'temporal:7233',
    SMTP_URL: 'smtp://mail',
  };
  expect(configuredAddresses(readConfig(addresses))).toEqual({
    databaseUrl: 'postgres://db/holdfast',
    temporalAddress: 'temporal:7233',
    smtpUrl: 'smtp://mail',
  });
  expect(() => configuredAddresses(readConfig({ TEMPORAL_ADDRESS: 'temporal:7233' }))).toThrow(
    /set DATABASE_URL, SMTP_URL\. Only `npm start`/,
  );
});
