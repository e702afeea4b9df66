import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { workflowTypes } from './messages.ts';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

const refused = ApplicationFailure.nonRetryable('Slack refuses the message: invalid_auth.', 'SlackRefused');
const activities = {
  notify: async ({ target }: NotifyInput) => {
    if (target.type === 'channel' && target.name === 'broken') throw refused;
    return { status: 'sent', destination: 'ops (C0OPS)' };
  },
  previewChannel: async ({ type }: { type: string }) => ({ type, text: '{}' }),
};

async function ask(workflowType: string, input: object): Promise<unknown> {
  const orgId = randomUUID();
  const taskQueue = `test-${orgId}`;
  return await harness.withWorker(taskQueue, activities, () =>
    harness.env.client.workflow.execute(workflowType, {
      workflowId: orgId,
      taskQueue,
      args: [{ orgId, ...input }],
    }),
  );
}

test('whoever tests a channel hears where the message arrived, or why it did not', async () => {
  const test_ = { key: 'k', requestedBy: 'ana@example.com' };
  expect(await ask(workflowTypes.channelTest, { ...test_, channel: 'ops' })).toEqual({
    ok: true,
    destination: 'ops (C0OPS)',
  });
  expect(await ask(workflowTypes.channelTest, { ...test_, channel: 'broken' })).toEqual({
    ok: false,
    reason: refused.message,
  });
  expect(await ask(workflowTypes.channelPreview, { channel: 'ops', type: 'incident.opened' })).toEqual({
    ok: true,
    type: 'incident.opened',
    text: '{}',
  });
});
