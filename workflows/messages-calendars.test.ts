import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EmbeddedTemporal } from '../stack/temporal.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { startTemporalDevServer } from '../test/parts/temporal-dev-server.ts';
import { calendarSyncId, taskQueue } from './messages.ts';
import { createCalendarReadings } from './messages-calendars.ts';
import { TemporalUnavailableError } from './messages-client.ts';

let server: TriedPart<EmbeddedTemporal>;
let connection: Connection | undefined;
let client: Client;
beforeAll(async () => {
  server = await tryPart(startTemporalDevServer);
  if (!server.part) return;
  connection = await Connection.connect({ address: server.part.address });
  client = new Client({ connection });
}, 300_000);
afterAll(async () => {
  await connection?.close();
  await server?.part?.close();
});

it('has the calendars of an organization read at once, and every 15 minutes from then on', async (test) => {
  server.orSkip(test);
  const orgId = randomUUID();
  await createCalendarReadings(client.schedule).readNow(orgId);
  const { spec, policies, action, info } = await client.schedule.getHandle(calendarSyncId(orgId)).describe();
  expect(spec.intervals).toMatchObject([{ every: 900_000 }]);
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 900_000 });
  expect(action).toMatchObject({ workflowType: 'calendarSync', taskQueue, args: [{ orgId }] });
  expect(info.numActionsTaken + info.runningActions.length).toBeGreaterThan(0);
});

it('says that Temporal does not answer', async (test) => {
  server.orSkip(test);
  const readings = createCalendarReadings(client.schedule, { deadlineMs: 0 });
  await expect(readings.readNow(randomUUID())).rejects.toThrow(TemporalUnavailableError);
});
