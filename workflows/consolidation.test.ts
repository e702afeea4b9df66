import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { consolidationWorkflowId, workflowTypes } from './messages.ts';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

/** What is held back when it is asked for the first, the second… time; the last stays. */
async function told(held: number[], updates: boolean): Promise<NotifyInput[]> {
  const messages: NotifyInput[] = [];
  let asked = 0;
  const activities = {
    countHeld: async () => held[Math.min(asked++, held.length - 1)],
    notify: async (input: NotifyInput) => {
      messages.push(input);
      return { status: 'sent', destination: 'ops' };
    },
  };
  const orgId = randomUUID();
  const taskQueue = `test-${orgId}`;
  await harness.withWorker(taskQueue, activities, async () => {
    const ends = new Date((await harness.env.currentTimeMs()) + 10 * 60_000).toISOString();
    const target = { type: 'channel', name: 'ops' };
    const handle = await harness.env.client.workflow.start(workflowTypes.consolidation, {
      workflowId: consolidationWorkflowId(orgId, 7),
      taskQueue,
      args: [{ orgId, limit: 7, key: 'k', pattern: 'HighLatency checkout', ends, target, updates }],
    });
    expect(await harness.ended(handle)).toBe('COMPLETED');
  });
  return messages;
}

test('a channel that can change its message gets it at once, and again only when it counts on', async () => {
  const messages = await told([1, 1, 4, 4, 4, 9, 9], true);
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:2', 'k:5']);
  expect(messages[0]).toMatchObject({
    type: 'notifications.consolidated',
    detail: { limit: 7 },
    pattern: 'HighLatency checkout',
  });
});

test('a mail comes at once, and at the end of the hour if there was more', async () => {
  expect((await told([1, 40], false)).map(({ key }) => key)).toEqual(['k', 'k:1']);
  expect((await told([1, 1], false)).map(({ key }) => key)).toEqual(['k']);
});
