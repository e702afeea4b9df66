import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, test } from 'vitest';
import { digestOf } from '../test/harness/incident-fold.ts';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { until } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { resolve } from './messages.ts';

let temporal: TriedPart<TemporalHarness>;
beforeAll(async () => {
  temporal = await tryPart(startTemporalHarness);
});
afterAll(() => temporal?.part?.close());

const actor = { name: 'ana@example.com', via: 'page' } as const;
let executed: boolean;

/**
 * A worker that is started anew plays the history again, and the engine then resolves the local activities of one
 * workflow task as they were begun, whichever ended first at the time.
 */
test.for(['createIncidentExecution', 'recordIncident'])(
  'an incident goes on after a restart, though %s was slow',
  async (slow, context) => {
    const { startIncident, withWorker, workflowBundle } = temporal.orSkip(context);
    executed = false;
    const taskQueue = `replay-${slow}`;
    const history = await withWorker(taskQueue, activitiesWith(slow), async () => {
      const handle = await startIncident(taskQueue);
      await until(() => executed, 'the runbook runs');
      // to its end: the engine cannot play a history again that stops in the middle of a workflow task
      await handle.executeUpdate(resolve, { args: [{ actor, falsePositive: true }] });
      await handle.result();
      return await handle.fetchHistory();
    });
    await Worker.runReplayHistory({ workflowBundle }, history);
  },
);

function activitiesWith(slow: string) {
  const takes = (name: string) => delay(name === slow ? 200 : 0);
  return {
    readFeed: async () => digest(Date.now()),
    recordIncident: () => takes('recordIncident'),
    createIncidentExecution: () => takes('createIncidentExecution'),
    gatherLogs: async () => ({ source: 'builtin', total: 0, patterns: 0, stackTraces: 0, summary: 'none' }),
    loadExecutionPlan: async () => {
      executed = true;
      throw ApplicationFailure.nonRetryable('not part of this test');
    },
    recordExecution: async () => {},
    closeIncident: async () => true,
  };
}

const digest = (now: number) =>
  digestOf({
    openedAt: now,
    plan: {
      escalation: {
        name: 'default',
        policy: {
          levels: [
            { after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] },
            { after: '15m', targets: [{ type: 'email', address: 'b@example.com' }] },
          ],
          repeats: 0,
        },
      },
      sla: { policy: 'critical', acknowledgeMs: 300_000, resolveMs: 1_800_000 },
      reopenWindowMs: 900_000,
    },
    matches: [{ runbook: 'restart', mode: 'auto', alertId: 1, dueAt: now }],
  });
