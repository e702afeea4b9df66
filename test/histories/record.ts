import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { findTemporalCli } from '../../stack/temporal-cli.ts';
import { holdfastClient } from '../harness/holdfast-client.ts';
import { makePlace, startStack, waitFor } from '../harness/stack.ts';

/**
 * node test/histories/record.ts
 *
 * Runs the whole stack through one of everything and keeps the histories of its workflows beside this file, for
 * replay.test.ts. Recorded again only when a workflow has got a new path that the old ones do not show: what is
 * here stands for workflows that are under way somewhere, so a file is added and not replaced.
 */
const run = promisify(execFile);

const runbook = (name: string, alert: string, mode: string, verify: string) => `
name: ${name}
description: For the saved histories
triggers:
  - alert_pattern: "${alert}"
execution:
  mode: ${mode}
  cooldown: 0
steps:
  - name: Change something
    command: echo changed
    rollback: echo changed back
  - name: Verify
    command: ${verify}
    retries: 1
    retry_delay: 1
`;

const place = await makePlace();
await place.writeRunbook('breaks', runbook('breaks', 'Breaks', 'semi_auto', '"false"'));
await place.writeRunbook('works', runbook('works', 'Works', 'auto', '"true"'));
await place.writeRunbook('waits', runbook('waits', 'Waits', 'semi_auto', '"true"'));
const stack = await startStack(place, { HOLDFAST_REOPEN_WINDOW: '2s' });
try {
  const holdfast = holdfastClient(place.url);
  const fire = (alertname: string, status: 'firing' | 'resolved' = 'firing') =>
    holdfast.send([
      { status, labels: { alertname, service: alertname.toLowerCase(), severity: 'critical' } },
    ]);

  await fire('Breaks');
  const breaks = await holdfast.incidentOf('breaks');
  await holdfast.told(breaks.number, 'approval_requested');
  const approval = await waitFor(
    'the approval',
    async () => (await holdfast.get('/api/v1/approvals?status=pending')).items[0],
  );
  await holdfast.post(`/api/v1/incidents/${breaks.number}/notes`, { text: 'looking' });
  await holdfast.post(`/api/v1/incidents/${breaks.number}/snooze`, {
    until: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await holdfast.post(`/api/v1/incidents/${breaks.number}/assign`, { to: 'ben@example.com' });
  await holdfast.post(`/api/v1/incidents/${breaks.number}/acknowledge`, {});
  await holdfast.post(`/api/v1/approvals/${approval.id}/approve`, {});
  await holdfast.told(breaks.number, 'execution_rolled_back');
  await fire('Breaks');
  await fire('Breaks', 'resolved');
  await waitFor(
    'the incident to be resolved',
    async () => (await holdfast.incident(breaks.number)).status === 'resolved',
  );

  await fire('Works');
  const works = await holdfast.incidentOf('works');
  await holdfast.told(works.number, 'execution_succeeded');
  await holdfast.post(`/api/v1/incidents/${works.number}/resolve`, { falsePositive: true });

  await fire('Waits');
  const waits = await holdfast.incidentOf('waits');
  await holdfast.told(waits.number, 'approval_requested');
  await holdfast.post(`/api/v1/incidents/${waits.number}/resolve`, {});
  await holdfast.told(waits.number, 'approval_withdrawn');

  const sla = await holdfast.post('/api/v1/reports/sla/send', {});
  const capacity = await holdfast.post('/api/v1/reports/capacity/send', {});

  const { grpc } = JSON.parse(await readFile(join(place.dataDir, 'temporal', 'run.json'), 'utf8'));
  const address = `127.0.0.1:${grpc}`;
  const cli = await findTemporalCli();
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const save = async (name: string, workflowId: string) => {
    const handle = client.workflow.getHandle(workflowId);
    await waitFor(
      `${name} to end`,
      async () => (await handle.describe()).status.name === 'COMPLETED',
      60_000,
    );
    const show = ['workflow', 'show', '--workflow-id', workflowId, '--output', 'json', '--address', address];
    const { stdout } = await run(cli, show, { maxBuffer: 64 * 1024 * 1024 });
    await writeFile(join(import.meta.dirname, `${name}.json`), stdout);
    console.log(name);
  };
  const detail = async (number: number) => await holdfast.incident(number);
  const orgId = String(breaks.workflowId).split(':')[1];
  await save('alert.resolved', `alert:${orgId}:${breaks.alerts[0].id}`);
  await save('incident.resolved-by-its-alerts', breaks.workflowId);
  await save('incident.false-positive', works.workflowId);
  await save('incident.resolved-by-a-person', waits.workflowId);
  await save('execution.rolled-back', `execution:${orgId}:${(await detail(breaks.number)).executions[0].id}`);
  await save('execution.succeeded', `execution:${orgId}:${(await detail(works.number)).executions[0].id}`);
  await save('execution.withdrawn', `execution:${orgId}:${(await detail(waits.number)).executions[0].id}`);
  await save('sla-report.sent', sla.workflowId);
  await save('capacity-report.sent', capacity.workflowId);
  await connection.close();
} finally {
  await stack.stop();
  await place.remove();
}
