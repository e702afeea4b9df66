import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IncidentRecord } from '../db/incident-record.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { digestOf } from '../test/harness/incident-fold.ts';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { until } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { addNote, resolve } from './messages.ts';

/** The server suggests a new run after some 4,000 events; here after 60, so that a few notes are enough. */
let temporal: TriedPart<TemporalHarness>;
beforeAll(async () => {
  temporal = await tryPart(() =>
    startTemporalHarness({ dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': '60' } }),
  );
});
afterAll(() => temporal?.part?.close());

const actor = { name: 'ana@example.com', via: 'page' } as const;

test('an incident that goes on in a new run loses no note, repeats no page, and keeps what it knew', async (context) => {
  const { client, startIncident, withWorker } = temporal.orSkip(context);
  const pages: string[] = [];
  const records: IncidentRecord[] = [];
  const digest = digestOf({
    openedAt: Date.now(),
    plan: {
      escalation: {
        name: 'default',
        policy: {
          levels: [
            { after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] },
            { after: '4h', targets: [{ type: 'email', address: 'b@example.com' }] },
          ],
          repeats: 0,
        },
      },
      sla: { policy: 'critical', acknowledgeMs: 3_600_000, resolveMs: 7_200_000 },
      reopenWindowMs: 0,
    },
  });
  const activities = {
    readFeed: async () => ({ ...digest, firingJoined: records.length === 0 }),
    recordIncident: async (record: IncidentRecord) => {
      records.push(record);
    },
    closeIncident: async () => true,
    gatherLogs: async () => ({ source: 'builtin', total: 0, patterns: 0, stackTraces: 0, summary: 'none' }),
    notify: async ({ type, key }: NotifyInput) => {
      if (type === 'escalation.page') pages.push(key);
      return { status: 'sent', destination: 'a@example.com' };
    },
  };
  await withWorker('runs', activities, async () => {
    const { workflowId } = await startIncident('runs');
    const incident = client.workflow.getHandle(workflowId);
    await until(() => pages.length === 1, 'the first page is sent');
    const first = (await incident.describe()).runId;
    const texts = Array.from({ length: 40 }, (_, n) => `note ${n}`);
    for (let n = 0; n < texts.length; n += 5) {
      const batch = texts.slice(n, n + 5);
      await Promise.all(
        batch.map((text) => incident.executeUpdate(addNote, { args: [{ actor, text }], updateId: text })),
      );
    }
    expect((await incident.describe()).runId).not.toBe(first);
    await incident.executeUpdate(resolve, { args: [{ actor }] });
    await until(
      async () => (await incident.describe()).status.name === 'COMPLETED',
      'the incident is closed',
    );
    const entries = new Map(records.flatMap((record) => record.entries.map((entry) => [entry.seq, entry])));
    const notes = [...entries.values()]
      .filter((entry) => entry.kind === 'note')
      .map((entry) => entry.summary);
    expect(notes.toSorted()).toEqual(texts.toSorted());
    expect(pages).toHaveLength(1);
    expect(records.at(-1)?.standing).toMatchObject({ status: 'resolved', escalationPolicy: 'default' });
  });
});
