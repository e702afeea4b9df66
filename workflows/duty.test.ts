import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DutyActivities, HandoffNotice } from '../activities/duty.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';

let harness: TriedPart<WorkflowHarness>;
beforeAll(async () => {
  harness = await tryPart(createWorkflowHarness);
}, 60_000);
afterAll(() => harness?.part?.close());

/** Runs a workflow of this type with these activities, and answers its result and what it sent. */
async function run(
  { env, withWorker }: WorkflowHarness,
  type: string,
  input: object,
  activities: Partial<DutyActivities>,
  refuse: (input: NotifyInput) => boolean = () => false,
) {
  const sent: NotifyInput[] = [];
  const taskQueue = randomUUID();
  const result = await withWorker(
    taskQueue,
    {
      ...activities,
      notify: async (message: NotifyInput) => {
        if (refuse(message)) throw ApplicationFailure.nonRetryable('no such mailbox', 'MailRefused');
        sent.push(message);
        return { status: 'sent', destination: '' };
      },
    },
    () => env.client.workflow.execute(type, { taskQueue, workflowId: randomUUID(), args: [input] }),
  );
  return { result, sent };
}

const orgId = randomUUID();
const notice = (email: string, direction: 'on' | 'off'): HandoffNotice => ({
  key: `handoff:${email}`,
  email,
  schedule: 'payments',
  at: '2026-11-23T09:00:00.000Z',
  direction,
});

it('tells both sides of a handoff, also where one of them cannot be reached', async (test) => {
  const windows: { from: number; to: number }[] = [];
  const { result, sent } = await run(
    harness.orSkip(test),
    'handoffs',
    { orgId },
    {
      findHandoffs: async (window) => {
        windows.push(window);
        return [notice('ana@example.com', 'on'), notice('ben@example.com', 'off')];
      },
    },
    ({ target }) => target.type === 'user' && target.email === 'ben@example.com',
  );
  expect(result).toEqual({ told: 1, failed: 1 });
  expect(sent).toMatchObject([
    { orgId, key: 'handoff:ana@example.com', type: 'oncall.handoff', detail: { direction: 'on' } },
  ]);
  expect(windows[0]!.to - windows[0]!.from).toBe(6 * 3_600_000 + 5 * 60_000);
});

it('tells nobody of readiness where there is nothing to mend', async (test) => {
  const { result, sent } = await run(
    harness.orSkip(test),
    'readiness',
    { orgId },
    { planReadiness: async () => [] },
  );
  expect(result).toEqual({ told: 0, failed: 0 });
  expect(sent).toEqual([]);
});

it('tries each way of a person, and says of each what came of it', async (test) => {
  const methods = [{ type: 'slack', channel: 'ops-bot' }, { type: 'email' }];
  const input = {
    orgId,
    key: 'contact-test:1',
    email: 'ana@example.com',
    methods,
    requestedBy: 'ana@example.com',
  };
  const { result, sent } = await run(
    harness.orSkip(test),
    'contactTest',
    input,
    {},
    ({ target }) => target.type === 'contact' && target.method.type === 'slack',
  );
  expect(result).toEqual([
    { status: 'failed', reason: expect.stringContaining('no such mailbox') },
    { status: 'sent' },
  ]);
  expect(sent).toMatchObject([{ key: 'contact-test:1:1', type: 'contact.test' }]);
});
