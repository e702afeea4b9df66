import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { linkOf, mailOf, mailsOf, openLink, submitForm } from '../harness/mails.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';
import { type SmtpReceiver, startSmtp } from '../parts/smtp.ts';

/** One Holdfast whose every process is killed, again and again, in the middle of what it does. */

let place: Place;
let stack: Stack | undefined;
let smtp: SmtpReceiver;
let holdfast: HoldfastClient;
let journal: string;

beforeAll(async () => {
  place = await makePlace();
  smtp = await startSmtp();
  journal = join(place.folder, 'journal');
  await place.writeRunbook('rebuild-index', rebuildIndex());
  await start();
  holdfast = holdfastClient(place.url);
  await holdfast.put('/api/v1/escalation-policies/default', {
    levels: [
      { after: '0s', targets: [{ type: 'email', address: 'first@example.com' }] },
      { after: '15s', targets: [{ type: 'email', address: 'second@example.com' }] },
    ],
    repeats: 0,
  });
});
afterAll(async () => {
  await stack?.kill();
  await smtp?.close();
  await place?.remove();
});

async function start(): Promise<void> {
  stack = await startStack(place, { SMTP_URL: smtp.url });
}

async function killAndStart(): Promise<void> {
  await stack?.kill();
  await start();
}

/** The second step never ends by itself. */
function rebuildIndex(): string {
  return `
name: rebuild-index
description: Rebuild the index of search
triggers:
  - alert_pattern: "SearchSlow"
execution:
  mode: semi_auto
  approval_timeout: 30
  cooldown: 0
steps:
  - name: Drain
    command: echo drained >> ${journal}
    timeout: 10
    rollback: echo undrained >> ${journal}
  - name: Rebuild
    command: echo rebuilding >> ${journal} && sleep 600
    timeout: 900
    rollback: echo restored >> ${journal}
  - name: Never reached
    command: echo reached >> ${journal}
`;
}

test('killed between two levels: the second is paged once, the first not again, and no accepted alert is lost', {
  timeout: 180_000,
}, async () => {
  await holdfast.send([{ labels: { alertname: 'QueueGrows', service: 'queue', severity: 'critical' } }]);
  const { number } = await holdfast.incidentOf('queue');
  await holdfast.told(number, 'notification', /first@example.com/);
  const accepted = await holdfast.send([
    { labels: { alertname: 'CacheCold', service: 'cache', severity: 'warning' } },
  ]);
  expect(accepted).toMatchObject({ status: 202, body: { received: 1, new: 1 } });
  await killAndStart();

  await holdfast.told(number, 'notification', /second@example.com/);
  const later = await holdfast.incidentOf('cache');
  await holdfast.told(later.number, 'notification', /first@example.com/);
  expect(mailsOf(smtp, 'escalation.page', /queue/i).map(({ envelopeTo }) => envelopeTo)).toEqual([
    ['first@example.com'],
    ['second@example.com'],
  ]);
  const { deadlines, openedAt } = await holdfast.incident(number);
  expect(deadlines.map(({ kind }: { kind: string }) => kind)).toEqual(['acknowledge_sla', 'resolve_sla']);
  const [, second] = mailsOf(smtp, 'escalation.page', /queue/i);
  expect(second!.at - Date.parse(openedAt)).toBeGreaterThanOrEqual(15_000);

  expect(await holdfast.ask('POST', `/api/v1/incidents/${number}/acknowledge`)).toMatchObject({
    status: 200,
  });
  expect(await holdfast.ask('POST', `/api/v1/incidents/${number}/acknowledge`)).toMatchObject({
    status: 409,
  });
});

test('killed while an approval waits and again in the middle of a step: approved by the same mail, rolled back', {
  timeout: 180_000,
}, async () => {
  await holdfast.send([{ labels: { alertname: 'SearchSlow', service: 'search', severity: 'warning' } }]);
  const { number } = await holdfast.incidentOf('search');
  const link = linkOf(await mailOf(smtp, 'approval.needed'), 'Approve');
  await holdfast.post(`/api/v1/incidents/${number}/acknowledge`);
  await killAndStart();

  await submitForm(link, await openLink(link));
  await waitFor('the second step to run', async () => {
    return existsSync(journal) && (await readFile(journal, 'utf8')).includes('rebuilding');
  });
  const { executions } = await holdfast.incident(number);
  const { id } = executions[0];
  expect(await processesOf(id)).not.toEqual([]);
  await killAndStart();

  const execution = await waitFor(
    'the execution to end',
    async () => {
      const found = await holdfast.get(`/api/v1/executions/${id}`);
      return found.finishedAt !== null && found;
    },
    60_000,
  );
  expect(execution).toMatchObject({
    status: 'rolled_back',
    statusReason: expect.stringMatching(/Rebuild.*nobody knows how it ended/),
    steps: [
      { name: 'Drain', status: 'succeeded', rollback: { status: 'succeeded' } },
      { name: 'Rebuild', status: 'failed', attempts: 1, rollback: { status: 'succeeded' } },
      { name: 'Never reached', status: 'skipped' },
    ],
  });
  expect((await readFile(journal, 'utf8')).trim().split('\n')).toEqual([
    'drained',
    'rebuilding',
    'restored',
    'undrained',
  ]);
  expect(await processesOf(id)).toEqual([]);
  expect((await holdfast.get('/api/v1/executions?status=running,waiting')).items).toEqual([]);
  await holdfast.told(number, 'rollback_started', /nobody knows how it ended/);
  await holdfast.told(number, 'execution_rolled_back');
  expect(mailsOf(smtp, 'approval.needed')).toHaveLength(1);
});

/** What was started for an execution and lives: it carries the execution in its environment. */
async function processesOf(executionId: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.includes(`HOLDFAST_EXECUTION_ID=${executionId}`)) found.push(pid);
  }
  return found;
}

test('stopped in order and started again, everything is as it was, and goes on', {
  timeout: 180_000,
}, async () => {
  const look = async () => ({
    incidents: (await holdfast.get('/api/v1/incidents')).items,
    timelines: await Promise.all([1, 2, 3].map((number) => holdfast.timeline(number))),
    executions: (await holdfast.get('/api/v1/executions')).items,
    policies: (await holdfast.get('/api/v1/escalation-policies')).items,
  });
  const before = await look();
  const mails = smtp.mails.length;
  expect(await stack?.stop()).toBe(0);
  await start();
  expect(await look()).toEqual(before);

  await holdfast.send([
    { status: 'resolved', labels: { alertname: 'QueueGrows', service: 'queue', severity: 'critical' } },
  ]);
  const { number } = await holdfast.incidentOf('queue');
  await holdfast.told(number, 'resolved');
  await mailOf(smtp, 'incident.resolved', /queue/i);
  expect(smtp.mails.slice(mails).filter(({ email }) => /cache|search/i.test(email.subject ?? ''))).toEqual(
    [],
  );
  // no workflow is stuck on a history that its code does not play again
  expect(await stack?.output()).not.toMatch(/TMPRL1100|Nondeterminism/);
});
