import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { calendarSyncId, workflowTypes } from './messages.ts';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

/** Runs one sync to its end. */
async function sync(attempt: (n: number) => void) {
  const queue = randomUUID();
  const orgId = randomUUID();
  const asked: string[] = [];
  const activities = {
    readOnCallCalendars: async (input: { orgId: string }) => {
      asked.push(input.orgId);
      attempt(asked.length);
      return { read: 1, failed: 0 };
    },
  };
  const started = harness.env.client.workflow.start(workflowTypes.calendarSync, {
    workflowId: calendarSyncId(orgId),
    taskQueue: queue,
    args: [{ orgId }],
  });
  const status = await harness.withWorker(queue, activities, async () => harness.ended(await started));
  return { status, asked, orgId };
}

test('reads the calendars of its organization, once more where the database was away', async () => {
  const { status, asked, orgId } = await sync((n) => {
    if (n === 1) throw new Error('the database is away');
  });
  expect(status).toBe('COMPLETED');
  expect(asked).toEqual([orgId, orgId]);
});

test('leaves it to the next look after three attempts', async () => {
  const { status, asked } = await sync(() => {
    throw new Error('the database is away');
  });
  expect(status).toBe('FAILED');
  expect(asked).toHaveLength(3);
});
