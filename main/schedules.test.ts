import { randomUUID } from 'node:crypto';
import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { createSloMeasuring, sloScheduleId } from '../workflows/messages-slos.ts';
import { ensureSchedules, handoffScheduleId, readinessScheduleId, reportScheduleId } from './schedules.ts';

let temporal: TriedPart<TemporalHarness>;
let client: Client;
beforeAll(async () => {
  temporal = await tryPart(startTemporalHarness);
}, 300_000);
beforeEach((test) => {
  ({ client } = temporal.orSkip(test));
});
afterAll(() => temporal?.part?.close());

const describeSchedule = (orgId: string, kind: 'sla' | 'sla-month' | 'capacity') =>
  client.schedule.getHandle(reportScheduleId(orgId, kind)).describe();

describe('ensureSchedules', () => {
  it('makes both reports due on Monday at 08:00 in the zone of the organization', async () => {
    const orgId = randomUUID();
    await ensureSchedules(client, [{ orgId, timeZone: 'America/New_York' }]);
    for (const kind of ['sla', 'capacity'] as const) {
      const { info, policies, action } = await describeSchedule(orgId, kind);
      const next = info.nextActionTimes.slice(0, 8).map((at) =>
        new Intl.DateTimeFormat('en-GB', {
          timeZone: 'America/New_York',
          weekday: 'short',
          hour: '2-digit',
          minute: '2-digit',
        }).format(at),
      );
      expect(next.length).toBeGreaterThan(4);
      expect(new Set(next)).toEqual(new Set(['Mon 08:00']));
      expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 86_400_000 });
      expect(action).toMatchObject({
        workflowType: `${kind}Report`,
        taskQueue: 'holdfast',
        args: [{ orgId, requestedBy: 'schedule', ...(kind === 'sla' ? { span: 'week' } : {}) }],
      });
    }
  });

  it('looks for handoffs every five minutes, and at what is not ready on Monday before the reports', async () => {
    const orgId = randomUUID();
    await ensureSchedules(client, [{ orgId, timeZone: 'Asia/Kolkata' }]);
    const handoffs = await client.schedule.getHandle(handoffScheduleId(orgId)).describe();
    expect(handoffs.spec.intervals).toMatchObject([{ every: 300_000 }]);
    expect(handoffs.action).toMatchObject({ workflowType: 'handoffs', args: [{ orgId }] });
    const readiness = await client.schedule.getHandle(readinessScheduleId(orgId)).describe();
    expect(readiness.action).toMatchObject({ workflowType: 'readiness', args: [{ orgId }] });
    // 07:00 in Kolkata, where clocks never change
    expect(readiness.info.nextActionTimes[0]?.toISOString()).toMatch(/T01:30:00/);
  });

  it('makes the monthly SLA report due on the first', async () => {
    const orgId = randomUUID();
    await ensureSchedules(client, [{ orgId, timeZone: 'Europe/Berlin' }]);
    const { info, action } = await describeSchedule(orgId, 'sla-month');
    const berlin = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Berlin',
      day: '2-digit',
      hour: '2-digit',
    });
    expect(new Set(info.nextActionTimes.map((at) => berlin.format(at)))).toEqual(new Set(['01, 08']));
    expect(action).toMatchObject({ args: [{ orgId, requestedBy: 'schedule', span: 'month' }] });
  });

  it('measures objectives each minute where there are any, and has no schedule where there are none', async () => {
    const orgId = randomUUID();
    await ensureSchedules(client, [{ orgId, timeZone: 'UTC' }]);
    const schedule = client.schedule.getHandle(sloScheduleId(orgId));
    await expect(schedule.describe()).rejects.toThrow(ScheduleNotFoundError);
    const measuring = createSloMeasuring(client.schedule);
    await Promise.all([measuring.begin(orgId), measuring.begin(orgId)]);
    const { spec, policies, action } = await schedule.describe();
    expect(spec.intervals).toMatchObject([{ every: 60_000 }]);
    expect(policies).toMatchObject({ overlap: 'SKIP' });
    expect(action).toMatchObject({ workflowType: 'sloEvaluation', args: [{ orgId }] });
    await measuring.end(orgId);
    await measuring.end(orgId);
    await expect(schedule.describe()).rejects.toThrow(ScheduleNotFoundError);
  });

  it('can be called again, by several at once, and takes on a new time zone', async () => {
    const orgId = randomUUID();
    await Promise.all([1, 2, 3].map(() => ensureSchedules(client, [{ orgId, timeZone: 'UTC' }])));
    await ensureSchedules(client, [{ orgId, timeZone: 'Asia/Tokyo' }]);
    const { info, spec } = await describeSchedule(orgId, 'sla');
    expect(spec.timezone).toBe('Asia/Tokyo');
    // 08:00 in Tokyo, which has no summer time, is 23:00 of the day before in UTC
    expect(info.nextActionTimes[0]!.toISOString()).toMatch(/T23:00:00/);
  });

  it('leaves a schedule paused that was paused', async () => {
    const orgId = randomUUID();
    await ensureSchedules(client, [{ orgId, timeZone: 'UTC' }]);
    const handle = client.schedule.getHandle(reportScheduleId(orgId, 'sla'));
    await handle.pause('on holiday');
    await ensureSchedules(client, [{ orgId, timeZone: 'UTC' }]);
    const { state } = await handle.describe();
    expect(state).toMatchObject({ paused: true, note: 'on holiday' });
  });

  it('starts the workflow with the time that it was due', async () => {
    const orgId = randomUUID();
    await ensureSchedules(client, [{ orgId, timeZone: 'UTC' }]);
    const handle = client.schedule.getHandle(reportScheduleId(orgId, 'capacity'));
    await handle.trigger();
    const started = await expect
      .poll(async () => (await handle.describe()).info.recentActions[0]?.action, { timeout: 15_000 })
      .toBeDefined()
      .then(async () => (await handle.describe()).info.recentActions[0]!.action.workflow);
    expect(started.workflowId).toMatch(new RegExp(`^${reportScheduleId(orgId, 'capacity')}-\\d{4}-`));
    const { typedSearchAttributes, type } = await client.workflow.getHandle(started.workflowId).describe();
    expect(type).toBe('capacityReport');
    const due = typedSearchAttributes.getAll().find((pair) => pair.key.name === 'TemporalScheduledStartTime');
    expect(due?.value).toBeInstanceOf(Date);
    await client.workflow.getHandle(started.workflowId).terminate();
  });
});
