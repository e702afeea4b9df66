import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { bundleWorkflows } from '../main/workflow-bundle.ts';
import type { EmbeddedTemporal } from '../stack/temporal.ts';
import { digestOf } from '../test/harness/incident-fold.ts';
import { quietRuntime, until } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { startTemporalDevServer } from '../test/parts/temporal-dev-server.ts';
import { feedUnread, incidentWorkflowId, notificationTaskQueue, resolve, snooze } from './messages.ts';

/** Against a real server: the one that skips time forgets an attempt that fails after it was called off. */
let temporal: TriedPart<EmbeddedTemporal>;
beforeAll(async () => {
  quietRuntime();
  temporal = await tryPart(startTemporalDevServer);
});
afterAll(() => temporal?.part?.close());

const actor = { name: 'ana@example.com', via: 'page' } as const;

test('an attempt that fails in a snooze is made again after it, and its history can be played again', async (context) => {
  const server = temporal.orSkip(context);
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
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const workflowBundle = await bundleWorkflows();
  const taskQueue = `snoozes-${randomUUID()}`;
  try {
    const common = { connection: native, activities };
    const messenger = await Worker.create({ ...common, taskQueue: notificationTaskQueue });
    const worker = await Worker.create({ ...common, taskQueue, workflowBundle });
    const work = worker.runUntil(async () => {
      const orgId = randomUUID();
      const handle = await new Client({ connection }).workflow.signalWithStart('incident', {
        workflowId: incidentWorkflowId(orgId, 1),
        taskQueue,
        args: [{ orgId, incidentId: orgId, number: 1 }],
        signal: feedUnread,
        signalArgs: [],
      });
      await until(() => attempts.length === 1, 'the page is under way');
      const ends = Date.now() + 3_000;
      await handle.executeUpdate(snooze, { args: [{ actor, until: new Date(ends).toISOString() }] });
      hangUp();
      await until(() => attempts.length === 2, 'it is made again');
      expect(attempts[1]).toBeGreaterThanOrEqual(ends);
      await handle.executeUpdate(resolve, { args: [{ actor, falsePositive: true }] });
      await handle.result();
      return await handle.fetchHistory();
    });
    const history = await messenger.runUntil(work);
    expect(attempts).toHaveLength(2);
    await Worker.runReplayHistory({ workflowBundle }, history);
  } finally {
    hangUp();
    await connection.close();
    await native.close();
  }
});
