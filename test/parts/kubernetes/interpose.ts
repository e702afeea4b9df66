import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { loopback } from '../../../stack/port.ts';
import type { Kubernetes } from '../kubernetes.ts';

export type Behaviour = 'pass' | 'lose the answer' | 'keep the answer' | 'break off' | 'be busy';

export interface Interposed {
  url: string;
  /** Methods of the requests that reached the API server. */
  sent: string[];
  close(): Promise<void>;
}

/** Stands before the API server, with its certificate, and does with a request what `behave` says. */
export async function interpose(
  { certificate, key, url }: Kubernetes,
  behave: (method: string) => Behaviour,
  port = 0,
): Promise<Interposed> {
  const sent: string[] = [];
  const server = createServer({ cert: certificate, key }, (incoming, answer) => {
    const method = incoming.method ?? '';
    const behaviour = behave(method);
    if (behaviour === 'break off') return incoming.socket.destroy();
    if (behaviour === 'be busy') return answer.writeHead(503).end('{"message":"etcd is away"}');
    sent.push(method);
    const { host: _, ...headers } = incoming.headers;
    const options = { method, headers, ca: certificate, agent: false };
    const onward = httpsRequest(`${url}${incoming.url}`, options, (answered) => {
      if (behaviour === 'lose the answer') return incoming.socket.destroy();
      if (behaviour === 'keep the answer') return answered.resume();
      answer.writeHead(answered.statusCode ?? 500, answered.headers);
      return answered.pipe(answer);
    });
    return incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  return {
    url: `https://${loopback}:${(server.address() as AddressInfo).port}`,
    sent,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
