import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { firingAlert, webhookOf } from './alerts.ts';

/**
 * Posts alerts for a while over kept-alive connections, each batch with fingerprints that are new, and prints
 * how many were accepted in which time. A process of its own, so that it takes nothing of the server's event
 * loop; the bodies are made before the clock runs.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    connections: { type: 'string', default: '4' },
    batch: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    most: { type: 'string', default: '1000' },
  },
});
const batch = Number(values.batch);
const connections = Number(values.connections);
const durationMs = Number(values.seconds) * 1000;
const run = randomBytes(4).toString('hex');
const bodies = Array.from({ length: Number(values.most) }, (_, request) =>
  Buffer.from(
    webhookOf(
      Array.from({ length: batch }, (_, index) =>
        firingAlert(`${run}-${request}-${index}`, `service-${index % 20}`),
      ),
    ),
  ),
);
const agent = new Agent({ connections, pipelining: 1 });
const latencies: number[] = [];
let next = 0;

async function connection(end: number): Promise<void> {
  while (performance.now() < end) {
    const body = bodies[next++];
    // more was accepted than thought possible: the time up to here is what counts
    if (!body) return;
    const began = performance.now();
    const { statusCode, body: answer } = await agent.request({
      origin: values.url,
      path: '/api/v1/alerts/alertmanager',
      method: 'POST',
      headers: { authorization: `Bearer ${values.key}`, 'content-type': 'application/json' },
      body,
    });
    const text = await answer.text();
    if (statusCode !== 202) throw new Error(`the intake answered ${statusCode}: ${text}`);
    latencies.push(performance.now() - began);
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: connections }, () => connection(began + durationMs)));
const seconds = (performance.now() - began) / 1000;
await agent.close();
console.log(JSON.stringify({ accepted: latencies.length * batch, seconds, latencies }));
