import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTemporalCli } from '../../stack/temporal-cli.ts';
import { type HoldfastClient, holdfastClient, type TimelineEntry } from '../harness/holdfast-client.ts';
import { linkOf, mailOf, openLink, submitForm } from '../harness/mails.ts';
import {
  ingestKey,
  makePlace,
  ownerEmail,
  type Place,
  type Stack,
  startStack,
  waitFor,
} from '../harness/stack.ts';
import { startAlertmanager } from '../parts/alertmanager.ts';
import { type Elasticsearch, startElasticsearch } from '../parts/elasticsearch.ts';
import { partOrSkip } from '../parts/part.ts';
import { type SmtpReceiver, startSmtp } from '../parts/smtp.ts';
import { startWebhook, type WebhookReceiver } from '../parts/webhook.ts';

const run = promisify(execFile);

let place: Place;
let stack: Stack | undefined;
let smtp: SmtpReceiver;
let health: WebhookReceiver;
let holdfast: HoldfastClient;
/** For the last test: it takes longest to start, and does so while the others run. */
let elasticsearchStarting: Promise<Elasticsearch>;

/** What the steps leave behind, and the order in which they did it. */
let marker: string;
let journal: string;

beforeAll(async () => {
  elasticsearchStarting = startElasticsearch();
  elasticsearchStarting.catch(() => {});
  place = await makePlace();
  smtp = await startSmtp();
  health = await startWebhook();
  health.status = 503;
  marker = join(place.folder, 'marker');
  journal = join(place.folder, 'journal');
  await place.writeRunbook('restart-checkout', restartCheckout());
  stack = await startStack(place, { SMTP_URL: smtp.url });
  holdfast = holdfastClient(place.url);
});
afterAll(async () => {
  await elasticsearchStarting.then((started) => started.close()).catch(() => {});
  await stack?.kill();
  await health?.close();
  await smtp?.close();
  await place?.remove();
});

/** Two steps that can be undone, and a third that fails: the service stays ill. */
function restartCheckout(): string {
  return `
name: restart-checkout
description: Restart checkout and prove that it is healthy
triggers:
  - alert_pattern: "CheckoutDown"
    severity: [critical]
execution:
  mode: semi_auto
  approval_timeout: 30
  cooldown: 0
steps:
  - name: Mark
    command: touch ${marker} && echo marked {{service}} >> ${journal}
    timeout: 10
    rollback: rm -f ${marker} && echo unmarked {{service}} >> ${journal}
  - name: Restart
    command: echo restarted >> ${journal}
    timeout: 10
    rollback: echo restarted as it was >> ${journal}
  - name: Verify health
    type: http
    url: ${health.url}/health
    expected_status: 200
    timeout: 5
`;
}

const labels = {
  alertname: 'CheckoutDown',
  service: 'checkout',
  severity: 'critical',
  instance: 'web-1:8080',
};

test('from the alert of a real Alertmanager to a resolved incident, with a runbook that is rolled back', {
  timeout: 180_000,
}, async (context) => {
  const alertmanager = await partOrSkip(context, () =>
    startAlertmanager({ webhookUrl: `${place.url}/api/v1/alerts/alertmanager`, ingestKey }),
  );
  try {
    await holdfast.sendLogs(logLines());
    await alertmanager.fire(labels, { annotations: { summary: 'checkout does not answer' } });
    const { number } = await holdfast.incidentOf('checkout');

    await acknowledgesByMail(number);
    await holdsLogsAndClocks(number);
    const first = await runsAndRollsBack(number);
    await runsAgainBySignal(number);

    await alertmanager.resolve(labels);
    await holdfast.told(number, 'resolved');
    const incident = await holdfast.incident(number);
    expect(incident).toMatchObject({ status: 'resolved', firingCount: 0, alertCount: 1 });
    expect(incident.alerts[0]).toMatchObject({ name: 'CheckoutDown', status: 'resolved' });
    expect(incident.sla).toMatchObject([
      { kind: 'acknowledge', state: 'met' },
      { kind: 'resolve', state: 'met' },
    ]);
    await mailOf(smtp, 'incident.resolved');
    tellsTheStory(await holdfast.timeline(number), first);
  } finally {
    await alertmanager.close();
  }
});

/** The mail has a link that shows on GET, as often as one likes, and acts on POST, once. */
async function acknowledgesByMail(number: number): Promise<void> {
  const page = await mailOf(smtp, 'escalation.page', /CheckoutDown|checkout/i);
  expect(page.envelopeTo).toEqual([ownerEmail]);
  expect(page.email.html).toContain(`${place.url}/incidents/${number}`);
  const link = linkOf(page, 'Acknowledge');
  await holdfast.told(number, 'notification');
  await holdfast.told(number, 'logs');
  await holdfast.told(number, 'execution_started');

  const before = await everythingOf(number);
  const shown = await openLink(link);
  expect(shown.status).toBe(200);
  expect(await openLink(link)).toEqual(shown);
  expect(await everythingOf(number)).toEqual(before);

  const done = await submitForm(link, shown);
  expect(done.html).toContain('Acknowledged');
  expect(await holdfast.incident(number)).toMatchObject({ acknowledgedBy: ownerEmail });
  expect((await openLink(link)).status).toBe(410);
}

async function everythingOf(number: number): Promise<unknown> {
  return [await holdfast.incident(number), await holdfast.timeline(number)];
}

async function holdsLogsAndClocks(number: number): Promise<void> {
  const { logs, sla, alerts, workflowUrl, workflowId } = await holdfast.incident(number);
  expect(alerts).toMatchObject([
    { name: 'CheckoutDown', status: 'firing', severity: 'critical', service: 'checkout' },
  ]);
  expect(logs).toMatchObject({ source: 'builtin', total: 6, error: null });
  expect(logs.patterns[0]).toMatchObject({ count: 4, level: 'error' });
  expect(logs.patterns[0].template).toContain('refused');
  expect(logs.stackTraces[0]).toMatchObject({ exception: expect.stringContaining('TimeoutError') });
  expect(logs.lines.length).toBeGreaterThan(0);
  expect(sla).toMatchObject([
    { kind: 'acknowledge', state: 'met' },
    { kind: 'resolve', state: 'running' },
  ]);
  expect(Date.parse(sla[1].dueAt) - Date.parse(sla[1].startedAt)).toBe(30 * 60_000);
  expect(workflowId).toMatch(/^incident:/);
  expect((await fetch(workflowUrl)).status).toBe(200);
}

/** Approved from the mail. Answers with the id of the execution. */
async function runsAndRollsBack(number: number): Promise<string> {
  const mail = await mailOf(smtp, 'approval.needed', /restart-checkout/);
  const link = linkOf(mail, 'Approve');
  const { executions } = await holdfast.incident(number);
  const { id } = executions[0];
  const shown = await openLink(link);
  expect(shown.html).toContain('restart-checkout');
  expect(await holdfast.get(`/api/v1/executions/${id}`)).toMatchObject({ status: 'waiting' });
  expect(existsSync(journal)).toBe(false);

  await submitForm(link, shown, { reason: 'it looks right' });
  const execution = await rolledBack(id);
  expect(execution.approvals[0]).toMatchObject({
    status: 'approved',
    votes: [{ person: ownerEmail, via: 'mail', reason: 'it looks right' }],
  });
  expect(execution.steps).toMatchObject([
    { name: 'Mark', status: 'succeeded', rollback: { status: 'succeeded' } },
    { name: 'Restart', status: 'succeeded', rollback: { status: 'succeeded' } },
    { name: 'Verify health', status: 'failed', rollback: null },
  ]);
  expect(execution.steps[2].error).toContain('503');
  expect(health.hooks).toHaveLength(1);
  expect(existsSync(marker)).toBe(false);
  expect((await readFile(journal, 'utf8')).trim().split('\n')).toEqual([
    'marked checkout',
    'restarted',
    'restarted as it was',
    'unmarked checkout',
  ]);
  await mailOf(smtp, 'execution.rolled_back', /restart-checkout/);
  return id;
}

/** A person runs it once more, and approves with the Temporal CLI alone. */
async function runsAgainBySignal(number: number): Promise<void> {
  const { id } = await holdfast.post('/api/v1/runbooks/restart-checkout/run', { incident: number });
  const { workflowId } = await waitFor('an approval to be asked for', async () => {
    const execution = await holdfast.get(`/api/v1/executions/${id}`);
    return execution.approvals[0]?.status === 'pending' && execution;
  });
  const { grpc } = JSON.parse(await readFile(join(place.dataDir, 'temporal/run.json'), 'utf8'));
  const signal = ['workflow', 'signal', '--workflow-id', workflowId, '--name', 'approve'];
  await run(await findTemporalCli(), [...signal, '--address', `127.0.0.1:${grpc}`]);
  const execution = await rolledBack(id);
  expect(execution.approvals[0].votes).toMatchObject([{ person: 'Temporal operator', via: 'temporal' }]);
  expect(health.hooks).toHaveLength(2);
  expect(existsSync(marker)).toBe(false);
}

async function rolledBack(id: string) {
  const execution = await waitFor('the execution to end', async () => {
    const found = await holdfast.get(`/api/v1/executions/${id}`);
    return found.finishedAt !== null && found;
  });
  expect(execution).toMatchObject({ status: 'rolled_back', statusReason: expect.stringContaining('Verify') });
  return execution;
}

function tellsTheStory(timeline: readonly TimelineEntry[], firstExecution: string): void {
  const times = timeline.map(({ at }) => Date.parse(at));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(firstExecution).toMatch(/^[0-9a-f-]{36}$/);
  const kinds = timeline.map(({ kind }) => kind);
  const order = [
    'acknowledged',
    'approved',
    'execution_running',
    'rollback_started',
    'execution_rolled_back',
    'approval_requested',
    'approved',
    'execution_rolled_back',
    'resolved',
  ];
  let from = 0;
  for (const kind of order) {
    const at = kinds.indexOf(kind, from);
    expect(at, `${kind} after ${kinds.slice(0, from)} in ${kinds}`).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
  const actors = Object.fromEntries(timeline.map(({ kind, actor }) => [kind, actor]));
  expect(actors).toMatchObject({ acknowledged: ownerEmail, resolved: 'Holdfast' });
}

function logLines(): object[] {
  const now = Date.now();
  const line = (secondsAgo: number, level: string, message: string) => ({
    timestamp: new Date(now - secondsAgo * 1000).toISOString(),
    service: 'checkout',
    host: 'web-1',
    level,
    message,
  });
  const trace =
    'TimeoutError: no connection within 5000 ms\n' +
    '    at Pool.take (/srv/checkout/pool.js:41:11)\n' +
    '    at pay (/srv/checkout/pay.js:12:3)';
  return [
    line(50, 'info', 'listening on 8080'),
    ...[40, 30, 20, 10].map((ago) => line(ago, 'error', `connection to 10.0.0.${ago}:5432 refused`)),
    line(5, 'error', trace),
  ];
}

test('what a truncated group leaves out is noted on its incident', async (context) => {
  const alertmanager = await partOrSkip(context, () =>
    startAlertmanager({
      webhookUrl: `${place.url}/api/v1/alerts/alertmanager`,
      ingestKey,
      maxAlerts: 1,
    }),
  );
  try {
    const alert = (instance: string) => ({
      labels: { alertname: 'DiskFull', service: 'search', severity: 'warning', instance },
    });
    await alertmanager.post([alert('db-1'), alert('db-2'), alert('db-3')]);
    const { number } = await holdfast.incidentOf('search');
    await waitFor('the truncation to be noted', async () => {
      return (await holdfast.incident(number)).truncatedAlerts === 2;
    });
  } finally {
    await alertmanager.close();
  }
});

test('test incidents are made by the API and by npm run demo, and resolved the same way', async () => {
  const cpu = await holdfast.post('/api/v1/test-incidents', { kind: 'cpu' });
  await holdfast.incidentOf(cpu.service);

  const demo = (...args: string[]) =>
    run('npm', ['run', 'demo', '--', ...args], {
      cwd: join(import.meta.dirname, '../..'),
      env: { PATH: process.env.PATH, HOLDFAST_DATA_DIR: place.dataDir, PUBLIC_URL: place.url },
    });
  expect((await demo('database')).stdout).toContain('a new alert');
  const { number } = await holdfast.incidentOf('orders-db');
  await holdfast.told(number, 'logs');
  expect((await holdfast.incident(number)).logs.patterns.length).toBeGreaterThan(0);
  expect((await demo('database', '--resolve')).stdout).toContain('it is over');
  await holdfast.told(number, 'resolved');
});

test('with ELASTICSEARCH_URL the logs panel is filled from a real Elasticsearch, after an orderly restart', {
  timeout: 240_000,
}, async (context) => {
  const elasticsearch = await partOrSkip(context, () => elasticsearchStarting);
  const client = new Client({ node: elasticsearch.url });
  try {
    expect(await stack?.stop()).toBe(0);
    stack = await startStack(place, { SMTP_URL: smtp.url, ELASTICSEARCH_URL: elasticsearch.url });
    const documents = [30, 20, 10].map((ago) => ({
      '@timestamp': new Date(Date.now() - ago * 1000).toISOString(),
      'service.name': 'mailer',
      'log.level': 'error',
      message: `message ${ago} bounced`,
    }));
    await client.bulk({
      refresh: true,
      operations: documents.flatMap((document) => [{ create: { _index: 'logs-mailer' } }, document]),
    });
    await holdfast.send([{ labels: { alertname: 'MailBounces', service: 'mailer', severity: 'warning' } }]);
    const { number } = await holdfast.incidentOf('mailer');
    await holdfast.told(number, 'logs');
    const { logs } = await holdfast.incident(number);
    expect(logs).toMatchObject({ source: 'elasticsearch', total: 3, error: null });
    expect(logs.patterns).toMatchObject([{ count: 3, level: 'error' }]);
  } finally {
    await client.close();
  }
});
