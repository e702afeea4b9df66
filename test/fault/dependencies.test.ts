import { mkdir } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { findPort, loopback } from '../../stack/port.ts';
import { type EmbeddedPostgres, startPostgres } from '../../stack/postgres.ts';
import { type EmbeddedTemporal, startTemporal } from '../../stack/temporal.ts';
import { searchAttributeTypes } from '../../workflows/messages.ts';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { mailOf, mailsOf } from '../harness/mails.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';
import { type SmtpReceiver, startSmtp } from '../parts/smtp.ts';
import { startWebhook, type WebhookReceiver } from '../parts/webhook.ts';

/** One Holdfast that runs on while each of its dependencies goes away and comes back on the same port. */

vi.setConfig({ testTimeout: 180_000 });

let place: Place;
let postgres: EmbeddedPostgres;
let temporal: EmbeddedTemporal;
let smtp: SmtpReceiver;
let hook: WebhookReceiver;
let logs: { url: string; close(): void };
let stack: Stack | undefined;
let holdfast: HoldfastClient;
let beginPostgres: () => Promise<EmbeddedPostgres>;
let beginTemporal: () => Promise<EmbeddedTemporal>;

beforeAll(async () => {
  place = await makePlace();
  const ports = { grpc: await findPort(), ui: await findPort() };
  const partsDir = join(place.folder, 'parts');
  beginTemporal = () => startTemporal({ dataDir: partsDir, searchAttributes: searchAttributeTypes, ports });
  beginPostgres = () => startPostgres({ dataDir: partsDir });
  await mkdir(partsDir);
  [temporal, postgres, smtp, hook, logs] = await Promise.all([
    beginTemporal(),
    beginPostgres(),
    startSmtp(),
    startWebhook(),
    startMute(),
  ]);
  stack = await startStack(place, {
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    SMTP_URL: smtp.url,
    ELASTICSEARCH_URL: logs.url,
  });
  holdfast = holdfastClient(place.url);
  await holdfast.put('/api/v1/notification-channels/ops-hook', { type: 'webhook', url: hook.url });
  await holdfast.put('/api/v1/escalation-policies/default', {
    levels: [
      {
        after: '0s',
        targets: [
          { type: 'email', address: 'ana@example.com' },
          { type: 'channel', name: 'ops-hook' },
        ],
      },
    ],
    repeats: 0,
  });
});
afterAll(async () => {
  await stack?.kill();
  logs?.close();
  await hook?.close();
  await smtp?.close();
  await temporal?.close();
  await postgres?.close();
  await place?.remove();
});

/** A log source that takes every question and never answers one. */
async function startMute(): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  const port = await findPort();
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  return {
    url: `http://${loopback}:${port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const alertOf = (service: string) => ({
  labels: { alertname: `${service}Down`, service, severity: 'critical' },
});

async function states(): Promise<Record<string, string>> {
  const { body } = await holdfast.ask('GET', '/readyz');
  return Object.fromEntries(
    body.dependencies.map(({ name, state }: { name: string; state: string }) => [name, state]),
  );
}

test('a log source that does not answer delays no page, and the incident says what is missing', async () => {
  await holdfast.send([alertOf('billing')]);
  const mail = await mailOf(smtp, 'escalation.page', /billing/);
  const { number, openedAt } = await holdfast.incidentOf('billing');
  // the log source is given ten seconds
  expect(mail.at - Date.parse(openedAt)).toBeLessThan(9_000);
  const { error } = await waitFor('the incident to say that its logs are missing', async () => {
    const { logs: panel } = await holdfast.incident(number);
    return panel?.error && panel;
  });
  expect(error).toMatch(/elasticsearch|log/i);
});

test('while the mail server is away other destinations are told, and the mail comes when it is back', async () => {
  await smtp.stop();
  const before = hook.hooks.length;
  await holdfast.send([alertOf('shipping')]);
  await waitFor('the page by webhook', () => hook.hooks[before]);
  expect((await states()).mail).toBe('down');

  await smtp.start();
  await mailOf(smtp, 'escalation.page', /shipping/);
  const { number } = await holdfast.incidentOf('shipping');
  await holdfast.told(number, 'notification', /ana@example.com/);
  expect(mailsOf(smtp, 'escalation.page', /shipping/)).toHaveLength(1);
  expect(pagesOf('shipping')).toHaveLength(1);
});

function pagesOf(service: string) {
  return hook.hooks.filter(({ raw }) => raw.includes('escalation.page') && raw.includes(service));
}

test('while Temporal is away alerts are accepted, and dispatched when it is back', async () => {
  await temporal.close();
  for (const service of ['catalog', 'basket']) {
    expect(await holdfast.send([alertOf(service)])).toMatchObject({ status: 202, body: { new: 1 } });
  }
  expect((await states()).temporal).toBe('down');
  expect((await holdfast.get('/api/v1/incidents?service=catalog')).items).toEqual([]);
  // what a person asks of a running incident is refused as a thing to try again
  const { number } = await holdfast.incidentOf('billing');
  expect(await holdfast.ask('POST', `/api/v1/incidents/${number}/acknowledge`)).toMatchObject({
    status: 503,
  });

  temporal = await beginTemporal();
  for (const service of ['catalog', 'basket']) {
    await holdfast.incidentOf(service);
    await mailOf(smtp, 'escalation.page', new RegExp(service));
  }
  await waitFor('nothing to be due', async () => {
    const { body } = await holdfast.ask('GET', '/metrics');
    return /^holdfast_dispatch_due 0$/m.test(body);
  });
  expect(await holdfast.ask('POST', `/api/v1/incidents/${number}/acknowledge`)).toMatchObject({
    status: 200,
  });
  expect(pagesOf('catalog')).toHaveLength(1);
});

test('while the database is away alerts are asked to come again, and when it is back all goes on by itself', async () => {
  await postgres.close();
  const refused = await holdfast.send([alertOf('ledger')]);
  expect(refused).toMatchObject({ status: 503 });
  expect((await states()).database).toBe('down');
  expect((await holdfast.ask('GET', '/healthz')).status).toBe(200);

  postgres = await beginPostgres();
  await waitFor(
    'the alert to be accepted',
    async () => (await holdfast.send([alertOf('ledger')])).status === 202,
  );
  const { number } = await holdfast.incidentOf('ledger');
  await mailOf(smtp, 'escalation.page', /ledger/);
  await holdfast.send([{ ...alertOf('ledger'), status: 'resolved' }]);
  await holdfast.told(number, 'resolved');
  expect(stack?.pid).toBeGreaterThan(0);
  expect(await states()).toMatchObject({ database: 'up', temporal: 'up', mail: 'up' });
});
