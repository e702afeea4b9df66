import { createServer } from 'node:net';

/** The address that every embedded part listens on: reachable from this machine alone. */
export const loopback = '127.0.0.1';

/** A port that can be listened on now: the first free one of `preferred`, otherwise any. */
export async function findPort(preferred: readonly number[] = []): Promise<number> {
  for (const port of preferred) {
    const bound = await tryPort(port);
    if (bound !== undefined) return bound;
  }
  const bound = await tryPort(0);
  if (bound === undefined) throw new Error(`No port of ${loopback} can be listened on`);
  return bound;
}

async function tryPort(port: number): Promise<number | undefined> {
  const probe = createServer();
  return await new Promise((resolve) => {
    probe.once('error', () => resolve(undefined));
    probe.listen({ port, host: loopback, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
