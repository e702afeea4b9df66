import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { webhookOf } from './alerts.ts';
import { makeStorm, type StormAlert } from './storm-alerts.ts';

/**
 * Posts a storm as it is timed, over kept-alive connections, and prints how it went. A process of its own, so that it
 * takes nothing of the server's event loop. What is answered with 503 is posted again, as Alertmanager does.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    run: { type: 'string', default: '' },
    alerts: { type: 'string', default: '27000' },
    seconds: { type: 'string', default: '60' },
  },
});
const tickMs = 50;
const batchLimit = 100;
const tries = 20;
const storm = makeStorm({ alerts: Number(values.alerts), seconds: Number(values.seconds) });
const agent = new Agent({ connections: 16, pipelining: 1 });
const latencies: number[] = [];
const firstCritical: (number | null)[] = storm.outages.map(() => null);
let again = 0;
let accepted = 0;

function bodyOf(alerts: StormAlert[], startsAt: string): string {
  return webhookOf(
    alerts.map(({ fingerprint, severity, name, service, labels }) => ({
      status: 'firing',
      labels: {
        alertname: name,
        severity,
        service,
        namespace: 'shop',
        cluster: 'eu-1',
        job: 'kubernetes-pods',
        ...labels,
      },
      annotations: { summary: `${service}: ${name}` },
      startsAt,
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example.com/graph?g0.expr=up',
      fingerprint: `${values.run}-${fingerprint}`,
    })),
  );
}

async function post(alerts: StormAlert[]): Promise<void> {
  const now = Date.now();
  for (const { outage, severity } of alerts) {
    if (outage !== null && severity === 'critical') firstCritical[outage] ??= now;
  }
  const body = bodyOf(alerts, new Date(now).toISOString());
  for (let attempt = 1; ; attempt++) {
    const began = performance.now();
    const answer = await agent.request({
      origin: values.url,
      path: '/api/v1/alerts/alertmanager',
      method: 'POST',
      headers: { authorization: `Bearer ${values.key}`, 'content-type': 'application/json' },
      body,
    });
    const text = await answer.body.text();
    latencies.push(performance.now() - began);
    if (answer.statusCode === 202) break;
    if (answer.statusCode !== 503 || attempt === tries)
      throw new Error(`the intake answered ${answer.statusCode}: ${text}`);
    again += 1;
    await sleep(500);
  }
  accepted += alerts.length;
}

const began = performance.now();
const posts: Promise<void>[] = [];
let next = 0;
while (next < storm.alerts.length) {
  const elapsed = performance.now() - began;
  const due = storm.alerts.findIndex(({ at }, index) => index >= next && at > elapsed);
  const until = due === -1 ? storm.alerts.length : due;
  for (; next < until; next += batchLimit)
    posts.push(post(storm.alerts.slice(next, Math.min(until, next + batchLimit))));
  next = until;
  await sleep(tickMs);
}
await Promise.all(posts);
await agent.close();
const sorted = latencies.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    accepted,
    again,
    seconds: (performance.now() - began) / 1000,
    firstCritical,
    p50: sorted[Math.floor(sorted.length * 0.5)],
    p99: sorted[Math.floor(sorted.length * 0.99)],
  }),
);
