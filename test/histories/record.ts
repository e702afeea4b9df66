import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { findTemporalCli } from '../../stack/temporal-cli.ts';
import { holdfastClient } from '../harness/holdfast-client.ts';
import { startSlackDouble } from '../harness/slack-double.ts';
import { makePlace, ownerEmail, startStack, waitFor } from '../harness/stack.ts';
import { createGitRepository } from '../parts/git-repository.ts';
import { consolidate } from './consolidated.ts';

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

/** Every path that one execution can take besides the plain ones. */
const failOver = `
name: fail-over
inputs: { host: {} }
execution: { mode: manual, cooldown: 0, target: "{{host}}" }
steps:
  - name: Drain
    command: echo drained
    rollback: echo undrained
  - { name: Settle, type: wait, duration: 1 }
  - { name: Ask, type: approval, message: "Promote the replica of {{host}}?" }
  - { name: Promote, type: runbook, runbook: promote, inputs: { node: "{{host}}" } }
  - { name: Tell, type: notify, message: "The replica of {{host}} serves now" }
verify:
  - { name: It serves, command: "test {{host}} = db-1" }
`;
const promote = `
name: promote
inputs: { node: {} }
execution: { mode: auto, cooldown: 0 }
steps:
  - name: Promote
    command: echo promoted
    rollback: "false"
`;

async function openDatabase(dataDir: string): Promise<pg.Client> {
  const { port, password } = JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8'));
  const connectionString = `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/holdfast`;
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** A team whose report somebody gets: there is no address of the API that makes one. */
async function makeTeamWithReport(database: pg.Client): Promise<void> {
  await database.query(
    `insert into teams (org_id, slug, name) select org_id, 'recorded', 'Recorded' from organizations`,
  );
  await database.query(
    `insert into settings (org_id, key, value) select org_id, 'reports', $1 from organizations`,
    [JSON.stringify({ teams: { recorded: ['team@example.com'] } })],
  );
}

const place = await makePlace();
await place.writeRunbook('fail-over', failOver);
await place.writeRunbook('promote', promote);
await place.writeRunbook('breaks', runbook('breaks', 'Breaks', 'semi_auto', '"false"'));
await place.writeRunbook('works', runbook('works', 'Works', 'auto', '"true"'));
await place.writeRunbook('waits', runbook('waits', 'Waits', 'semi_auto', '"true"'));
const repository = await createGitRepository();
await repository.push({ files: { 'broken.yaml': 'name: broken\n' } });
const slack = await startSlackDouble({ token: 'xoxb-recorded', conversations: ['C0RECORDED'] });
const stack = await startStack(place, {
  HOLDFAST_REOPEN_WINDOW: '2s',
  HOLDFAST_GIT_ALLOW_FILE: 'on',
  HOLDFAST_SLACK_API_URL: slack.apiUrl,
});
try {
  const holdfast = holdfastClient(place.url);
  const fire = (alertname: string, status: 'firing' | 'resolved' = 'firing') =>
    holdfast.send([
      { status, labels: { alertname, service: alertname.toLowerCase(), severity: 'critical' } },
    ]);

  await holdfast.put('/api/v1/topology', {
    dependencies: ['billing', 'invoices'].map((from) => ({ from, to: 'ledger' })),
  });
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

  // a level that reaches nobody, a rule that tells of it, a silence that comes and goes, and another policy meanwhile
  const owner = { type: 'user', email: ownerEmail };
  const first = { after: '0s', targets: [{ type: 'schedule', name: 'empty' }] };
  const policy = (after: string) => ({
    match: { alert: 'Escalates' },
    levels: [first, { after, targets: [owner] }, { after: '2h', targets: [owner] }],
  });
  await holdfast.put('/api/v1/on-call-schedules/empty', { timeZone: 'UTC', rotations: [] });
  await holdfast.put('/api/v1/escalation-policies/escalates', policy('30m'));
  await holdfast.put('/api/v1/notification-rules/opened', {
    triggers: ['incident.opened', 'incident.acknowledged'],
    when: { alert: 'Escalates' },
    targets: [{ type: 'email', address: 'desk@example.com' }],
  });
  await fire('Escalates');
  const escalates = await holdfast.incidentOf('escalates');
  await holdfast.told(escalates.number, 'nobody_on_call');
  await holdfast.told(escalates.number, 'notification');
  const silence = await holdfast.post('/api/v1/silences', {
    match: { alert: 'Escalates' },
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    reason: 'For the saved histories',
  });
  await holdfast.told(escalates.number, 'silenced');
  await holdfast.post(`/api/v1/silences/${silence.id}/end`, {});
  await holdfast.told(escalates.number, 'silence_ended');
  await holdfast.put('/api/v1/escalation-policies/escalates', policy('20m'));
  await holdfast.post(`/api/v1/incidents/${escalates.number}/reapply-policy`);
  await holdfast.post(`/api/v1/incidents/${escalates.number}/acknowledge`, {});
  await holdfast.post(`/api/v1/incidents/${escalates.number}/resolve`, { falsePositive: true });

  // clocks that are paused until the next minute, and then run out
  const opens = new Date((Math.floor((Date.now() + 5_000) / 60_000) + 1) * 60_000);
  const weekday = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][opens.getUTCDay()] ?? '';
  await holdfast.put('/api/v1/sla-calendars/recorded', {
    timeZone: 'UTC',
    hours: { [weekday]: [{ from: opens.toISOString().slice(11, 16), to: '00:00' }] },
  });
  await holdfast.put('/api/v1/sla-policies/recorded', {
    order: 1,
    match: { alert: 'Pauses' },
    acknowledgeWithin: '4s',
    resolveWithin: '1h',
    atRiskPercent: 50,
    calendar: 'recorded',
  });
  await fire('Pauses');
  const pauses = await holdfast.incidentOf('pauses');
  await holdfast.told(pauses.number, 'sla_breached', /not acknowledged/, 90_000);
  await holdfast.post(`/api/v1/incidents/${pauses.number}/breaches/acknowledge/reason`, {
    reason: 'not_available',
  });
  await holdfast.post(`/api/v1/incidents/${pauses.number}/resolve`, { falsePositive: true });

  // two services that wait for a third: one incident with a cause, of which one alert is split off and taken back
  await holdfast.post('/api/v1/changes/manual', { type: 'deployment', service: 'ledger', version: 'v2' });
  for (const service of ['ledger', 'billing', 'invoices']) {
    await holdfast.send([{ labels: { alertname: 'HighErrorRate', service, severity: 'critical' } }]);
  }
  const outage = await holdfast.incidentOf('ledger');
  await holdfast.told(outage.number, 'root_cause', /ledger/);
  await holdfast.told(outage.number, 'change', /ledger v2/);
  const whole = await waitFor('all alerts in one incident', async () => {
    const seen = await holdfast.incident(outage.number);
    return seen.alerts.length === 3 && seen.changes.length === 1 && seen;
  });
  await holdfast.post(`/api/v1/incidents/${outage.number}/cause`, { service: 'ledger' });
  const path = `/api/v1/incidents/${outage.number}/changes/${whole.changes[0].id}/verdict`;
  await holdfast.post(path, { verdict: 'confirmed' });
  const invoices = whole.alerts.find(({ service }: { service: string }) => service === 'invoices');
  const split = (await holdfast.post(`/api/v1/incidents/${outage.number}/split`, { alertIds: [invoices.id] }))
    .into;
  await holdfast.told(split, 'regrouped');
  await waitFor(
    'the new incident to be under way',
    async () => (await holdfast.incident(split)).status !== 'created',
  );
  await holdfast.post(`/api/v1/incidents/${split}/merge`, { into: outage.number });
  await holdfast.post(`/api/v1/incidents/${outage.number}/resolve`, { falsePositive: true });

  const failOverOf = async (host: string): Promise<string> =>
    (await holdfast.post('/api/v1/runbooks/fail-over/run', { inputs: { host } })).id;
  const read = async (id: string) => await holdfast.get(`/api/v1/executions/${id}`);
  const approve = async (id: string) => {
    const asked = await waitFor('the approval in mid-run', async () =>
      (await read(id)).approvals.find(({ status }: { status: string }) => status === 'pending'),
    );
    await holdfast.post(`/api/v1/approvals/${asked.id}/approve`, {});
  };
  const failedOver = await failOverOf('db-1');
  await approve(failedOver);
  await waitFor('the fail-over to end', async () => (await read(failedOver)).status === 'succeeded');
  const undecided = await failOverOf('db-2');
  const queued = await failOverOf('db-2');
  await approve(undecided);
  const decide = async (decision: string, attempts: number) => {
    await waitFor('the undo to wait', async () => {
      const { rollback } = (await read(undecided)).steps[3];
      return rollback.status === 'waiting' && rollback.attempts === attempts;
    });
    const path = `/api/v1/executions/${undecided}/steps/3/undo`;
    await holdfast.post(path, { decision, reason: 'looked at it' });
  };
  await decide('retry', 3);
  await decide('skip', 6);
  await approve(queued);
  await holdfast.post(`/api/v1/executions/${queued}/cancel`, { reason: 'seen enough' }).catch(() => {});
  await holdfast.post('/api/v1/runbooks/fail-over/dry-run', { inputs: { host: 'db-1' } });

  const source = await holdfast.post('/api/v1/git-sources', {
    url: repository.url,
    branch: 'main',
    environment: 'recorded',
  });
  await holdfast.post(`/api/v1/git-sources/${source.id}/sync`, {});
  await waitFor('the sync to be refused', async () => {
    const { items } = await holdfast.get(`/api/v1/git-sources/${source.id}/imports`);
    return items[0]?.status === 'refused';
  });

  // who took their turn an hour ago is told of it, and a schedule that nothing names is worth a word to nobody
  const anHourAgo = new Date(Date.now() - 3_600_000).toISOString().slice(0, 16);
  await holdfast.put('/api/v1/on-call-schedules/recorded', {
    timeZone: 'UTC',
    rotations: [
      {
        name: 'primary',
        participants: [[(await holdfast.get('/api/v1/users/me/contact-rules')).email]],
        turn: { unit: 'week' },
        startsAt: anHourAgo,
      },
    ],
  });
  await holdfast.post('/api/v1/users/me/contact-rules/test', {});

  const channel = { type: 'slack', token: 'xoxb-recorded', channel: 'C0RECORDED' };
  await holdfast.put('/api/v1/notification-channels/recorded', channel);
  await holdfast.put('/api/v1/chat/settings', { summaries: { recorded: ['day'] } });

  const database = await openDatabase(place.dataDir);
  await makeTeamWithReport(database);
  const sla = await holdfast.post('/api/v1/reports/sla/send', {});
  const objective = {
    objectivePercent: 99,
    indicator: { type: 'error_ratio', errorRatio: 'avg_over_time(errors:ratio[$window])' },
  };
  await holdfast.put('/api/v1/slos/recorded', objective);
  await holdfast.post('/api/v1/slos/preview', objective);
  const capacity = await holdfast.post('/api/v1/reports/capacity/send', {});

  const { grpc } = JSON.parse(await readFile(join(place.dataDir, 'temporal', 'run.json'), 'utf8'));
  const address = `127.0.0.1:${grpc}`;
  const cli = await findTemporalCli();
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const save = async (name: string, workflowId: string) => {
    const file = join(import.meta.dirname, `${name}.json`);
    if (existsSync(file)) return;
    const handle = client.workflow.getHandle(workflowId);
    await waitFor(
      `${name} to end`,
      async () => (await handle.describe()).status.name === 'COMPLETED',
      60_000,
    );
    const show = ['workflow', 'show', '--workflow-id', workflowId, '--output', 'json', '--address', address];
    const { stdout } = await run(cli, show, { maxBuffer: 64 * 1024 * 1024 });
    await writeFile(file, stdout);
    console.log(name);
  };
  await save('consolidation.told', await consolidate(holdfast, { client, database }));
  await database.end();
  const detail = async (number: number) => await holdfast.incident(number);
  const orgId = String(breaks.workflowId).split(':')[1];
  await save('alert.resolved', `alert:${orgId}:${breaks.alerts[0].id}`);
  await save('incident.resolved-by-its-alerts', breaks.workflowId);
  await save('incident.false-positive', works.workflowId);
  await save('incident.resolved-by-a-person', waits.workflowId);
  await save('incident.escalated', escalates.workflowId);
  await save('incident.paused-and-breached', pauses.workflowId);
  await save('incident.judged-and-split', outage.workflowId);
  await save('incident.merged', `incident:${orgId}:${split}`);
  await save('execution.rolled-back', `execution:${orgId}:${(await detail(breaks.number)).executions[0].id}`);
  await save('execution.succeeded', `execution:${orgId}:${(await detail(works.number)).executions[0].id}`);
  await save('execution.withdrawn', `execution:${orgId}:${(await detail(waits.number)).executions[0].id}`);
  await save('execution.failed-over', `execution:${orgId}:${failedOver}`);
  await save('execution.undo-decided', `execution:${orgId}:${undecided}`);
  for (const id of [`handoffs:${orgId}`, `readiness:${orgId}`, `slo:${orgId}`])
    await client.schedule.getHandle(id).trigger();
  for (const [name, type] of [
    ['contact-test.sent', 'contactTest'],
    ['handoffs.told', 'handoffs'],
    ['readiness.looked', 'readiness'],
    ['dry-run.done', 'dryRun'],
    ['git-sync.refused', 'gitSync'],
    ['slo-evaluation.measured', 'sloEvaluation'],
    ['slo-preview.tried', 'sloPreview'],
  ] as const) {
    const newest = await client.workflow
      .list({ query: `WorkflowType = '${type}'`, pageSize: 1 })
      [Symbol.asyncIterator]()
      .next();
    await save(name, newest.value?.workflowId ?? '');
  }
  const summaries = client.schedule.getHandle(`chat-summary:${orgId}:day`);
  await summaries.trigger();
  let summary: string | undefined;
  await waitFor('the summary to begin', async () => {
    summary = (await summaries.describe()).info.recentActions[0]?.action.workflow.workflowId;
    return summary !== undefined;
  });
  await save('chat-summary.sent', summary ?? '');
  await save('sla-report.sent', sla.workflowId);
  await save('sla-report.of-teams', sla.workflowId);
  await save('capacity-report.sent', capacity.workflowId);
  await connection.close();
} finally {
  await stack.stop();
  await repository.close();
  await slack.close();
  await place.remove();
}
