import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IncidentRecord } from '../db/incident-record.ts';
import type { FeedDigest } from '../domain/incident/events.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { escalationPolicy } from '../domain/policies.ts';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { until } from '../test/harness/workflows.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { acknowledge, resolve } from './messages.ts';

/** Many incidents at once against a real server, whose levels follow each other by the second. */
let temporal: TriedPart<TemporalHarness>;
beforeAll(async () => {
  temporal = await tryPart(startTemporalHarness);
});
afterAll(() => temporal?.part?.close());

const incidents = 30;
const levels = 4;
const actor = { name: 'ana@example.com', via: 'page' } as const;
const user = (name: string) => ({ type: 'user' as const, email: `${name}@example.com` });
const policy = escalationPolicy.parse({
  levels: Array.from({ length: levels }, (_, n) => ({ after: `${n}s`, targets: [user(`level${n}`)] })),
});

test('no page begins after an acknowledgement or a resolve was answered, none is missing, none has a key twice', async (context) => {
  const { startIncident, withWorker } = temporal.orSkip(context);
  const begun: { orgId: string; key: string }[] = [];
  const answered = new Set<string>();
  const activities = {
    readFeed: async () => digest(Date.now()),
    recordIncident: async ({ orgId, standing }: Pick<IncidentRecord, 'orgId' | 'standing'>) => {
      if (standing.acknowledged || standing.resolved) answered.add(orgId);
    },
    closeIncident: async () => true,
    gatherLogs: async () => ({ source: 'x', total: 0, patterns: 0, stackTraces: 0, summary: 'none' }),
    resolveLevel: async ({ targets }: { targets: ReturnType<typeof user>[] }) => ({
      targets: targets.map((target) => ({
        target,
        people: [{ email: target.email, steps: [{ afterMs: 0, method: { type: 'email' } }], entry: null }],
        problem: null,
      })),
      owners: [],
    }),
    notify: async ({ orgId, key, type, target }: NotifyInput) => {
      const destination = target.type === 'contact' ? target.email : target.type;
      // Temporal may have handed it out just before it was called off: then the record is what stops it
      if (type === 'escalation.page' && answered.has(orgId)) {
        return { status: 'skipped', destination, reason: 'somebody has answered' };
      }
      if (type === 'escalation.page') begun.push({ orgId, key });
      await delay(5 * (key.length % 7));
      return { status: 'sent', destination };
    },
  };
  const incident = async (n: number) => {
    const orgId = randomUUID();
    const handle = await startIncident('races', orgId);
    const pages = () => begun.filter((page) => page.orgId === orgId);
    await until(() => pages().length > 0, 'it has paged');
    // spread over the time in which the levels follow each other
    await delay((n * 3_500) / incidents);
    const act = (['acknowledge', 'resolve', 'nothing'] as const)[n % 3];
    if (act === 'acknowledge') await handle.executeUpdate(acknowledge, { args: [{ actor }] });
    if (act === 'resolve') await handle.executeUpdate(resolve, { args: [{ actor, falsePositive: true }] });
    return { handle, pages, act };
  };
  await withWorker('races', activities, async () => {
    const running = await Promise.all(Array.from({ length: incidents }, (_, n) => incident(n)));
    const left = running.filter(({ act }) => act === 'nothing');
    await until(
      () => left.every(({ pages }) => pages().length === levels),
      'every level of the others has paged',
    );
    for (const { handle } of running.filter(({ act }) => act !== 'nothing')) {
      expect(pagesAfterAnswer(await handle.fetchHistory())).toEqual([]);
    }
    const open = running.filter(({ act }) => act !== 'resolve');
    await Promise.all(open.map(({ handle }) => handle.terminate()));
  });
  expect(new Set(begun.map(({ key }) => key)).size).toBe(begun.length);
});

/** What was handed to Temporal after it. */
function pagesAfterAnswer({ events }: Awaited<ReturnType<WorkflowHandle['fetchHistory']>>): string[] {
  const all = events ?? [];
  const answer = all.findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
  expect(answer).toBeGreaterThan(0);
  return all
    .slice(answer)
    .flatMap((event) => event.activityTaskScheduledEventAttributes?.input?.payloads ?? [])
    .map(({ data }) => Buffer.from(data ?? []).toString())
    .filter((input) => input.includes('"escalation.page"'));
}

const digest = (now: number): FeedDigest => ({
  seq: 1,
  title: 'HighLatency on checkout',
  service: 'checkout',
  severity: 'critical',
  openedAt: now,
  alertCount: 1,
  firingCount: 1,
  firingJoined: true,
  plan: { escalation: { name: 'default', policy }, sla: null, reopenWindowMs: 900_000, resolves: true },
  matches: [],
});
