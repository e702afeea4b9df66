import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** The address that every embedded part listens on: reachable from this machine alone. */
export const loopback = '127.0.0.1';

/**
 * Below what systems give to outgoing connections (from 32768 on Linux, from 49152 by IANA, RFC 6335 section 6): no
 * connection takes a port between the moment it is found free and the moment that a part listens on it.
 */
const ownPorts = { first: 20_000, end: 32_000 };
const draws = 100;

/** A port that can be listened on now: the first free one of `preferred`, otherwise any. */
export async function findPort(preferred: readonly number[] = []): Promise<number> {
  for (const port of preferred) {
    if (await isFree(port)) return port;
  }
  for (let draw = 0; draw < draws; draw++) {
    const port = randomInt(ownPorts.first, ownPorts.end);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `No port of ${loopback} can be listened on: ${draws} between ${ownPorts.first} and ${ownPorts.end} were tried`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return await new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: loopback, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
