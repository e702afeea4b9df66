import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';

let harness: TriedPart<WorkflowHarness>;
beforeAll(async () => {
  harness = await tryPart(createWorkflowHarness);
}, 60_000);
afterAll(() => harness?.part?.close());

it('tells each channel that wants it, also where another one fails', async (test) => {
  const { env, withWorker } = harness.orSkip(test);
  const orgId = randomUUID();
  const taskQueue = randomUUID();
  const sent: NotifyInput[] = [];
  const asked: object[] = [];
  const result = await withWorker(
    taskQueue,
    {
      planSummaries: async (args: object) => {
        asked.push(args);
        return ['broken', 'war-room'];
      },
      notify: async (message: NotifyInput) => {
        if (message.target.type === 'channel' && message.target.name === 'broken') {
          throw ApplicationFailure.nonRetryable('channel_not_found', 'SlackRefused');
        }
        sent.push(message);
        return { status: 'sent', destination: 'war-room' };
      },
    },
    () =>
      env.client.workflow.execute('chatSummary', {
        taskQueue,
        workflowId: randomUUID(),
        args: [{ orgId, span: 'week' }],
      }),
  );
  expect(result).toEqual({ told: 1, failed: 1 });
  expect(asked).toEqual([{ orgId, span: 'week' }]);
  const { until } = sent[0]?.detail ?? {};
  expect(sent).toEqual([
    {
      orgId,
      key: `chat-summary:${orgId}:week:${until}:war-room`,
      type: 'chat.summary',
      target: { type: 'channel', name: 'war-room' },
      detail: { span: 'week', until },
      cause: { event: 'chat.summary', at: until },
    },
  ]);
});
