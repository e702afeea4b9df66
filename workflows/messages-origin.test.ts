import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { executionPlan } from '../test/harness/execution-fold.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { executionWorkflowId } from './messages.ts';
import { createOriginReader } from './messages-origin.ts';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

test('finds the event of a history that scheduled a message, with its cause', async () => {
  const sent: NotifyInput[] = [];
  const cause = { event: 'execution.succeeded', at: '2026-01-01T00:00:00.000Z' };
  const target = { type: 'email', address: 'team@example.com' };
  const activities = {
    loadExecutionPlan: async () => ({
      ...executionPlan({ mode: 'auto', incident: null, announces: ['execution.succeeded'] }),
      levels: [],
    }),
    admitExecution: async () => null,
    lockTarget: async () => null,
    recordExecution: async () => ({ next: null }),
    runStep: async () => ({ ok: true }),
    announce: async () => ({ notices: [{ key: 'rule:x', target, detail: {}, cause }] }),
    notify: async (input: NotifyInput) => {
      sent.push(input);
      return { status: 'sent', destination: 'team@example.com' };
    },
  };
  const taskQueue = `test-${randomUUID()}`;
  const [orgId, executionId] = [randomUUID(), randomUUID()];
  const workflowId = executionWorkflowId(orgId, executionId);
  await harness.withWorker(taskQueue, activities, async () => {
    const handle = await harness.env.client.workflow.start('execution', {
      workflowId,
      taskQueue,
      args: [{ orgId, executionId }],
    });
    await harness.ended(handle);
    const readOrigin = createOriginReader(harness.env.client.workflow, 'default');
    const [message] = sent;
    expect(message?.cause).toEqual(cause);
    const { runId } = await handle.describe();
    expect(await readOrigin(workflowId, `execution:${executionId}:rule:x`)).toEqual({
      workflowId,
      runId,
      eventId: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      cause,
    });
    expect(await readOrigin(workflowId, 'another')).toBeNull();
    expect(await readOrigin('no-such-workflow', 'rule:x')).toBeNull();
  });
});
