import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSConfig } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { type Config, ConfigError } from './config.ts';

/** How every process of Holdfast reaches Temporal, clients as workers. */
export interface TemporalConnectionOptions {
  address: string;
  tls?: TLSConfig | boolean;
  apiKey?: string;
}

/** @throws ConfigError naming the variable whose file cannot be read */
export function temporalConnectionOptions(
  { temporalTls, temporalApiKey }: Pick<Config, 'temporalTls' | 'temporalApiKey'>,
  address: string,
): TemporalConnectionOptions {
  return {
    address,
    ...(temporalTls ? { tls: tlsOf(temporalTls) } : {}),
    ...(temporalApiKey === undefined ? {} : { apiKey: temporalApiKey }),
  };
}

/** How often a Temporal server that is not there yet is tried again. */
const reconnectMs = 2_000;

/** A worker's connection, once Temporal answers. */
export async function connectWorker(
  options: TemporalConnectionOptions,
  logger: Logger,
): Promise<NativeConnection> {
  for (;;) {
    try {
      return await NativeConnection.connect(options);
    } catch (error) {
      logger.warn(
        { err: error, address: options.address },
        `Temporal does not answer, trying again in ${reconnectMs / 1000} s`,
      );
      await sleep(reconnectMs);
    }
  }
}

function tlsOf({ ca, client }: NonNullable<Config['temporalTls']>): TLSConfig | boolean {
  if (!ca && !client) return true;
  return {
    ...(ca ? { serverRootCACertificate: read('TEMPORAL_TLS_CA', ca) } : {}),
    ...(client
      ? {
          clientCertPair: {
            crt: read('TEMPORAL_TLS_CERT', client.certificate),
            key: read('TEMPORAL_TLS_KEY', client.key),
          },
        }
      : {}),
  };
}

function read(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError(`${variable}: ${file} cannot be read (${String(error)})`, { cause: error });
  }
}
