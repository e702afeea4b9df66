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

/**
 * What is held back of how many incidents when it is asked for the first, the second… time, how many are open, and how many
 * of the messages are of use; the last stays. `startedAnew`: an earlier workflow sent the first message, and failed.
 * `skipped`: keys of what is in hand when it is about to be sent.
 */
async function told(
  held: [held: number, incidents: number, open?: number, due?: number][],
  {
    updates,
    resolves,
    lastsMinutes = 10,
    startedAnew = false,
    skipped = [],
  }: {
    updates: boolean;
    resolves?: true;
    lastsMinutes?: number;
    startedAnew?: boolean;
    skipped?: string[];
  },
): Promise<NotifyInput[]> {
  const messages: NotifyInput[] = [];
  let asked = 0;
  const activities = {
    countHeld: async () => {
      const last = held[Math.min(asked++, held.length - 1)] ?? [0, 0];
      const [count, incidents, open = incidents, due = count] = last;
      return { held: count, incidents, open, due, told: startedAnew || messages.length > 0 };
    },
    notify: async (input: NotifyInput) => {
      if (skipped.includes(input.key)) return { status: 'skipped', destination: 'ops', reason: 'in hand' };
      messages.push(input);
      return { status: 'sent', destination: 'ops' };
    },
  };
  const orgId = randomUUID();
  const taskQueue = `test-${orgId}`;
  await harness.withWorker(taskQueue, activities, async () => {
    const ends = new Date((await harness.env.currentTimeMs()) + lastsMinutes * 60_000).toISOString();
    const target = { type: 'channel', name: 'ops' };
    const handle = await harness.env.client.workflow.start(workflowTypes.consolidation, {
      workflowId: consolidationWorkflowId(orgId, 7),
      taskQueue,
      args: [
        {
          ...{ orgId, limit: 7, key: 'k', pattern: 'HighLatency checkout', ends, target, updates },
          ...(resolves && { resolves }),
        },
      ],
    });
    expect(await harness.ended(handle)).toBe('COMPLETED');
  });
  return messages;
}

test('a channel that can change its message gets it at once, and again only when it counts on', async () => {
  const counts: [number, number][] = [
    [1, 1],
    [1, 1],
    [4, 1],
    [4, 1],
    [4, 1],
    [9, 1],
  ];
  const messages = await told(counts, { updates: true });
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:2:4', 'k:5:9']);
  expect(messages[0]).toMatchObject({
    type: 'notifications.consolidated',
    detail: { limit: 7 },
    pattern: 'HighLatency checkout',
  });
});

test('a mail comes at once, and at the end of the hour if there was more', async () => {
  const keys = async (...held: [number, number][]) =>
    (await told(held, { updates: false })).map(({ key }) => key);
  expect(await keys([1, 1], [40, 1])).toEqual(['k', 'k:1:40']);
  expect(await keys([1, 1], [1, 1])).toEqual(['k']);
});

test('a mail comes again within minutes when there is an incident in it that no mail has told of', async () => {
  const held: [number, number][] = [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [4, 2],
  ];
  const messages = await told(held, { updates: false, lastsMinutes: 40 });
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:2:3', 'k:4:4']);
});

test('nothing is told while somebody has all of it, and what they leave is told within a minute', async () => {
  const counts: [number, number, number, number][] = [
    [1, 1, 1, 0],
    [2, 2, 2, 0],
    [2, 2, 2, 2],
  ];
  for (const updates of [true, false]) {
    const messages = await told(counts, { updates });
    expect(messages.map(({ key }) => key)).toEqual(['k']);
  }
});

test('what somebody took before it left is told when they leave it', async () => {
  const counts: [number, number, number, number][] = [
    [1, 1, 1, 1],
    [3, 2, 2, 2],
    [3, 2, 2, 0],
    [3, 2, 2, 3],
  ];
  const messages = await told(counts, { updates: false, lastsMinutes: 40, skipped: ['k:1:3'] });
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:3:3']);
});

const paging = { updates: true, resolves: true, lastsMinutes: 3 } as const;

test('where it pages somebody, it says that all is over once the last of its incidents is, also after the hour', async () => {
  const counts: [number, number, number][] = [
    [1, 1, 1],
    [4, 3, 3],
    [4, 3, 2],
    [4, 3, 2],
    [4, 3, 1],
    [4, 3, 1],
    [4, 3, 0],
  ];
  const messages = await told(counts, paging);
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:1:4', 'k:6:4:over']);
  expect(messages.map(({ detail }) => detail.over)).toEqual([false, false, true]);
});

test('what is over within the hour is said at once, and again when more came in the meantime', async () => {
  const counts: [number, number, number][] = [
    [2, 2, 2],
    [2, 2, 0],
    [3, 3, 1],
    [3, 3, 0],
  ];
  const messages = await told(counts, paging);
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:1:2:over', 'k:2:3', 'k:3:3:over']);
});

test('what began again while it was said to be over is said to be over once more', async () => {
  const counts: [number, number, number][] = [
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 0],
    [1, 1, 1],
    [1, 1, 0],
  ];
  const messages = await told(counts, paging);
  expect(messages.map(({ key }) => key)).toEqual(['k', 'k:3:1:over', 'k:5:1:over']);
});

test('what is about no incident is over with its hour', async () => {
  expect((await told([[1, 0, 0]], paging)).map(({ key }) => key)).toEqual(['k', 'k:3:1:over']);
});

test('elsewhere it ends with its hour, whatever is open', async () => {
  expect((await told([[1, 1, 1]], { updates: true, lastsMinutes: 3 })).map(({ key }) => key)).toEqual(['k']);
});

test('where nothing is held back any more, nothing is told at the end of the hour', async () => {
  expect(await told([[0, 0]], paging)).toEqual([]);
});

test('what is started anew after a failure tells what came since, and does not take it for told', async () => {
  const counts: [number, number, number][] = [
    [40, 2, 2],
    [40, 2, 0],
  ];
  const messages = await told(counts, { ...paging, startedAnew: true });
  expect(messages.map(({ key }) => key)).toEqual(['k:0:40', 'k:1:40:over']);
});
