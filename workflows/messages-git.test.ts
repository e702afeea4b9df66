import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureSearchAttributes } from '../main/search-attributes.ts';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { gitSyncId, taskQueue } from './messages.ts';
import { TemporalUnavailableError } from './messages-client.ts';
import { createGitSchedules, type GitSchedules } from './messages-git.ts';

let temporal: TriedPart<TemporalHarness>;
let client: Client;
let schedules: GitSchedules;
beforeAll(async () => {
  temporal = await tryPart(startTemporalHarness);
  if (!temporal.part) return;
  ({ client } = temporal.part);
  await ensureSearchAttributes(temporal.part.connection, 'default');
  schedules = createGitSchedules(client.schedule);
}, 300_000);
afterAll(() => temporal?.part?.close());

const intervalMs = 3_600_000;
const newSource = () => ({ orgId: randomUUID(), sourceId: randomUUID(), intervalMs });
const handleOf = ({ orgId, sourceId }: { orgId: string; sourceId: string }) =>
  client.schedule.getHandle(gitSyncId(orgId, sourceId));

describe('the schedule of a Git source', () => {
  it('is made, changed and removed with the source', async (test) => {
    temporal.orSkip(test);
    const source = newSource();
    await Promise.all([1, 2, 3].map(() => schedules.keep(source)));
    const made = await handleOf(source).describe();
    expect(made.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: intervalMs });
    expect(made.spec.intervals).toMatchObject([{ every: intervalMs }]);
    expect(made.action).toMatchObject({
      workflowType: 'gitSync',
      taskQueue,
      args: [{ orgId: source.orgId, sourceId: source.sourceId }],
    });
    await handleOf(source).pause('on holiday');
    await schedules.keep({ ...source, intervalMs: 60_000 });
    const changed = await handleOf(source).describe();
    expect(changed.spec.intervals).toMatchObject([{ every: 60_000 }]);
    expect(changed.state).toMatchObject({ paused: true });
    await schedules.remove(source.orgId, source.sourceId);
    await schedules.remove(source.orgId, source.sourceId);
    await expect(handleOf(source).describe()).rejects.toThrow();
  });

  it('ends with the newest commit, however quickly pushes follow each other', async (test) => {
    const { withWorker } = temporal.orSkip(test);
    const source = newSource();
    // the branch, what was imported of it, and how many syncs ran at once
    let head = 1;
    let imported = 0;
    let running = 0;
    let most = 0;
    let syncs = 0;
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const activities = {
      async syncGitSource() {
        most = Math.max(most, ++running);
        const read = head;
        if (++syncs === 1) await held;
        else await delay(20);
        imported = read;
        running--;
        return { status: 'imported', commit: String(read), added: 0, changed: 0, removed: 0 };
      },
    };
    await withWorker(taskQueue, activities, async () => {
      // without a schedule, as after somebody deleted it
      await schedules.sync(source);
      await expect.poll(() => running, { timeout: 20_000 }).toBe(1);
      for (head = 2; head < 5; head++) await schedules.sync(source);
      expect(imported).toBe(0);
      release();
      await expect.poll(() => imported, { timeout: 20_000 }).toBe(head);
      await expect
        .poll(async () => (await handleOf(source).describe()).info.runningActions, { timeout: 20_000 })
        .toEqual([]);
      head = 9;
      await schedules.sync(source);
      await schedules.sync(source);
      await expect.poll(() => imported, { timeout: 20_000 }).toBe(9);
      // what somebody asks for is done while an operator has paused the regular looks
      await handleOf(source).pause('on holiday');
      head = 10;
      await schedules.sync(source);
      await expect.poll(() => imported, { timeout: 20_000 }).toBe(10);
    });
    expect(most).toBe(1);
    expect(syncs).toBeLessThanOrEqual(5);
    await schedules.remove(source.orgId, source.sourceId);
  });

  it('says that Temporal is away', async () => {
    const away = Connection.lazy({ address: '127.0.0.1:1' });
    const lost = createGitSchedules(new Client({ connection: away }).schedule, { deadlineMs: 500 });
    const source = newSource();
    await expect(lost.keep(source)).rejects.toThrow(TemporalUnavailableError);
    await expect(lost.sync(source)).rejects.toThrow(TemporalUnavailableError);
    await expect(lost.remove(source.orgId, source.sourceId)).rejects.toThrow(TemporalUnavailableError);
    await away.close();
  });
});
