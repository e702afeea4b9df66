import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { digestOf } from '../test/harness/incident-fold.ts';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { until } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { resolve, snooze } from './messages.ts';

/** Against a real server: the one that skips time forgets an attempt that fails after it was called off. */
let temporal: TriedPart<TemporalHarness>;
beforeAll(async () => {
  temporal = await tryPart(startTemporalHarness);
});
afterAll(() => temporal?.part?.close());

const actor = { name: 'ana@example.com', via: 'page' } as const;

test('an attempt that fails in a snooze is made again after it, and its history can be played again', async (context) => {
  const { startIncident, withWorker, workflowBundle } = temporal.orSkip(context);
  const attempts: number[] = [];
  let hangUp = () => {};
  const hanging = new Promise<never>((_, reject) => {
    hangUp = () => reject(new Error('the mail server hung up'));
  });
  const activities = {
    readFeed: async () => digestOf({ openedAt: Date.now(), seq: 1 }),
    recordIncident: async () => {},
    closeIncident: async () => true,
    gatherLogs: async () => ({ source: 'x', total: 0, patterns: 0, stackTraces: 0, summary: 'none' }),
    resolveLevel: async ({ targets }: { targets: object[] }) => ({
      targets: targets.map((target) => ({ target, people: [], problem: null })),
      owners: [],
    }),
    notify: async ({ type }: NotifyInput) => {
      if (type === 'escalation.page') attempts.push(Date.now());
      if (attempts.length === 1) await hanging;
      return { status: 'sent', destination: 'ops' };
    },
  };
  try {
    const history = await withWorker('snoozes', activities, async () => {
      const handle = await startIncident('snoozes');
      await until(() => attempts.length === 1, 'the page is under way');
      const ends = Date.now() + 5_000;
      await handle.executeUpdate(snooze, { args: [{ actor, until: new Date(ends).toISOString() }] });
      hangUp();
      await until(() => attempts.length === 2, 'it is made again');
      expect(attempts[1]).toBeGreaterThanOrEqual(ends);
      await handle.executeUpdate(resolve, { args: [{ actor, falsePositive: true }] });
      await handle.result();
      return await handle.fetchHistory();
    });
    expect(attempts).toHaveLength(2);
    await Worker.runReplayHistory({ workflowBundle }, history);
  } finally {
    hangUp();
  }
});
