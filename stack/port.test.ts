import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { findPort, loopback } from './port.ts';

/** A server on a port that the system chose: of those that it gives to outgoing connections too. */
async function listenAnywhere(): Promise<{ port: number; close(): void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => server.close(),
  };
}

test('a port that is found free is none that the system gives to connections', async () => {
  const given = await Promise.all(Array.from({ length: 20 }, listenAnywhere));
  const lowest = Math.min(...given.map(({ port }) => port));
  const found = await Promise.all(Array.from({ length: 20 }, () => findPort()));
  for (const { close } of given) close();
  expect(Math.max(...found)).toBeLessThan(lowest);
});

test('a preferred port is taken where it is free, the next one otherwise', async () => {
  const taken = await listenAnywhere();
  const free = await findPort();
  expect(await findPort([taken.port, free])).toBe(free);
  expect(await findPort([taken.port])).not.toBe(taken.port);
  taken.close();
});
