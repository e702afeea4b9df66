import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Sighting } from '../activities/alert.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from '../test/harness/workflows.ts';
import { alertChanged, alertWorkflowId } from './messages.ts';

const minute = 60_000;
let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

let row: Pick<Sighting, 'status' | 'severity' | 'lastSeenAt'>;
let looks: { before: string | null }[];
let silences: number;
let onSilence: () => void;
beforeEach(async () => {
  row = { status: 'firing', severity: 'critical', lastSeenAt: await harness.env.currentTimeMs() };
  looks = [];
  silences = 0;
  onSilence = () => {};
});

const activities = {
  observeAlert: async ({ before }: { before: { status: string } | null }): Promise<Sighting> => {
    looks.push({ before: before?.status ?? null });
    return {
      version: looks.length,
      ...row,
      resendIntervalMs: 4 * 60 * minute,
      name: 'HighLatency',
      fingerprint: 'f1',
      alertmanagerUrl: null,
      incident: { id: 'i', number: 1 },
      owesSignal: false,
    };
  },
  checkSilence: async () => {
    silences += 1;
    onSilence();
  },
};

async function withAlert(work: (handle: Alert) => Promise<void>) {
  const taskQueue = `test-${randomUUID()}`;
  await harness.withWorker(taskQueue, activities, async () => {
    const handle = await harness.env.client.workflow.start('alert', {
      workflowId: alertWorkflowId(randomUUID(), 1),
      taskQueue,
      args: [{ orgId: randomUUID(), alertId: 1 }],
    });
    await until(() => looks.length > 0, 'the row is looked at');
    await harness.skip(1_000);
    await work(handle);
    row = { ...row, status: 'resolved' };
    await handle.signal(alertChanged).catch(() => {});
    await harness.ended(handle);
  });
}
type Alert = Awaited<ReturnType<typeof harness.env.client.workflow.start>>;

test('looks at its row whenever it is told to, and ends with the resolve', async () => {
  await withAlert(async (handle) => {
    await handle.signal(alertChanged);
    await until(() => looks.length === 2, 'the row is looked at again');
    row = { ...row, status: 'resolved' };
    await handle.signal(alertChanged);
    expect(await harness.ended(handle)).toBe('COMPLETED');
    expect(looks).toEqual([{ before: null }, { before: 'firing' }, { before: 'firing' }]);
  });
});

test('a resolve that overtook the firing ends it at the first look', async () => {
  row = { ...row, status: 'resolved' };
  await withAlert(async (handle) => {
    expect(await harness.ended(handle)).toBe('COMPLETED');
    expect(looks).toHaveLength(1);
  });
});

test('asks after an alert that is not repeated within its interval and a margin, and not before', async () => {
  await withAlert(async () => {
    await harness.skip(4 * 60 * minute + 25 * minute);
    expect(silences).toBe(0);
    onSilence = () => {
      row = { ...row, status: 'stale' };
    };
    await harness.skip(10 * minute);
    await until(() => looks.length === 2, 'the row is looked at after the silence');
    expect(silences).toBe(1);
    // stale is not resolved: it waits, without asking again and again
    await harness.skip(24 * 60 * minute);
    expect([silences, looks.length]).toEqual([1, 2]);
  });
});

test('a repeat moves the time at which silence counts', async () => {
  await withAlert(async (handle) => {
    await harness.skip(4 * 60 * minute);
    row = { ...row, lastSeenAt: await harness.env.currentTimeMs() };
    await handle.signal(alertChanged);
    await until(() => looks.length === 2, 'the repeat is seen');
    await harness.skip(4 * 60 * minute);
    expect(silences).toBe(0);
  });
});
