import { randomUUID } from 'node:crypto';
import { CancelledFailure, Context } from '@temporalio/activity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunStepInput } from '../activities/steps.ts';
import type { ExecutionRecord } from '../db/execution-record.ts';
import type { IncidentRecord } from '../db/incident-record.ts';
import { executionPlan, stepPlan } from '../test/harness/execution-fold.ts';
import { digestOf } from '../test/harness/incident-fold.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from '../test/harness/workflows.ts';
import { executionWorkflowId, feedUnread, incidentWorkflowId } from './messages.ts';

// 'Request cancellation' in the Temporal UI is what an operator reaches for first

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

const orgId = randomUUID();

test('an execution that is cancelled in Temporal ends its step, undoes what was done and frees its target', async () => {
  const plan = executionPlan({
    incident: null,
    levels: [],
    steps: [stepPlan('one'), stepPlan('two')],
  });
  const ran: string[] = [];
  const records: ExecutionRecord[] = [];
  const activities = {
    loadExecutionPlan: async () => plan,
    admitExecution: async () => null,
    lockTarget: async () => null,
    recordExecution: async (record: ExecutionRecord) => {
      records.push(record);
    },
    notify: async () => ({ status: 'sent', destination: 'x' }),
    runStep: async ({ phase, index }: RunStepInput) => {
      ran.push(`${phase} ${index}`);
      if (phase === 'undo' || index === 0) return { ok: true };
      const beat = setInterval(() => Context.current().heartbeat(), 50);
      await Context.current().cancelled.catch(() => {});
      clearInterval(beat);
      ran.push('two was ended');
      throw new CancelledFailure('it was ended');
    },
  };
  const taskQueue = `test-${randomUUID()}`;
  await harness.withWorker(taskQueue, activities, async () => {
    const executionId = randomUUID();
    const handle = await harness.env.client.workflow.start('execution', {
      workflowId: executionWorkflowId(orgId, executionId),
      taskQueue,
      args: [{ orgId, executionId }],
    });
    await until(() => ran.includes('step 1'), 'the second step runs');
    await handle.cancel();
    expect(await harness.ended(handle)).toBe('COMPLETED');
  });
  expect(ran).toEqual(['step 0', 'step 1', 'two was ended', 'undo 1', 'undo 0']);
  expect(records.at(-1)).toMatchObject({ release: true, standing: { status: 'rolled_back' } });
  expect(records.flatMap((record) => record.entries).map(({ kind, actor }) => [kind, actor])).toContainEqual([
    'execution_cancel',
    'Temporal operator',
  ]);
});

test('an incident that is cancelled in Temporal is resolved by the operator', async () => {
  const now = await harness.env.currentTimeMs();
  const digest = digestOf({
    openedAt: now,
    plan: {
      escalation: {
        name: 'default',
        policy: {
          levels: [{ after: '1h', targets: [{ type: 'email', address: 'a@example.com' }] }],
          repeats: 0,
        },
      },
      sla: null,
      reopenWindowMs: 60_000,
    },
  });
  const records: IncidentRecord[] = [];
  const activities = {
    readFeed: async () => digest,
    recordIncident: async (record: IncidentRecord) => {
      records.push(record);
    },
    closeIncident: async () => true,
    gatherLogs: async () => ({ source: 'builtin', total: 0, patterns: 0, stackTraces: 0, summary: 'none' }),
    notify: async () => ({ status: 'sent', destination: 'x' }),
  };
  const taskQueue = `test-${randomUUID()}`;
  await harness.withWorker(taskQueue, activities, async () => {
    const handle = await harness.env.client.workflow.signalWithStart('incident', {
      workflowId: incidentWorkflowId(orgId, 1),
      taskQueue,
      args: [{ orgId, incidentId: randomUUID(), number: 1 }],
      signal: feedUnread,
      signalArgs: [],
    });
    await until(() => records.length > 0, 'the incident is recorded');
    await harness.skip(1_000);
    await handle.cancel();
    expect(await harness.ended(handle)).toBe('COMPLETED');
  });
  expect(records.at(-1)?.standing).toMatchObject({
    status: 'resolved',
    resolved: { by: 'Temporal operator' },
  });
});
