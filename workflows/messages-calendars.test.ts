import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startTemporalHarness, type TemporalHarness } from '../test/harness/temporal.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { calendarSyncId, taskQueue } from './messages.ts';
import { createCalendarReadings } from './messages-calendars.ts';
import { TemporalUnavailableError } from './messages-client.ts';

let temporal: TriedPart<TemporalHarness>;
let client: Client;
beforeAll(async () => {
  temporal = await tryPart(startTemporalHarness);
}, 300_000);
beforeEach((test) => {
  ({ client } = temporal.orSkip(test));
});
afterAll(() => temporal?.part?.close());

it('has the calendars of an organization read at once, and every 15 minutes from then on', async () => {
  const orgId = randomUUID();
  await createCalendarReadings(client.schedule).readNow(orgId);
  const { spec, policies, action, info } = await client.schedule.getHandle(calendarSyncId(orgId)).describe();
  expect(spec.intervals).toMatchObject([{ every: 900_000 }]);
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 900_000 });
  expect(action).toMatchObject({ workflowType: 'calendarSync', taskQueue, args: [{ orgId }] });
  expect(info.numActionsTaken + info.runningActions.length).toBeGreaterThan(0);
});

it('says that Temporal does not answer', async () => {
  const readings = createCalendarReadings(client.schedule, { deadlineMs: 0 });
  await expect(readings.readNow(randomUUID())).rejects.toThrow(TemporalUnavailableError);
});
