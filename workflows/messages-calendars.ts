import {
  type ScheduleClient,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  ServiceError,
} from '@temporalio/client';
import { type CalendarSyncInput, calendarSyncId, taskQueue, workflowTypes } from './messages.ts';
import { TemporalUnavailableError } from './messages-client.ts';
import { ensureSchedule } from './messages-schedules.ts';

/** How often calendars are read. */
const every = '15 minutes';

/** Has the calendars of an organization read, which its schedule does by itself. */
export interface CalendarReadings {
  /** While one reading runs, one more follows it. Throws TemporalUnavailableError. */
  readNow(orgId: string): Promise<void>;
}

export function createCalendarReadings(
  client: ScheduleClient,
  { deadlineMs = 5_000 }: { deadlineMs?: number } = {},
): CalendarReadings {
  const trigger = (orgId: string) =>
    client.getHandle(calendarSyncId(orgId)).trigger(ScheduleOverlapPolicy.BUFFER_ONE);

  return {
    async readNow(orgId) {
      try {
        await client.withDeadline(Date.now() + deadlineMs, async () => {
          try {
            await trigger(orgId);
          } catch (error) {
            if (!(error instanceof ScheduleNotFoundError)) throw error;
            // an organization that was made since the workers started
            await ensureSchedule(client, calendarSchedule(orgId));
            await trigger(orgId);
          }
        });
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        throw new TemporalUnavailableError('Temporal does not answer', { cause: error });
      }
    },
  };
}

/** Of each organization. */
export function calendarSchedule(orgId: string): ScheduleOptions {
  const input: CalendarSyncInput = { orgId };
  const scheduleId = calendarSyncId(orgId);
  return {
    scheduleId,
    spec: { intervals: [{ every }] },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.calendarSync,
      taskQueue,
      workflowId: scheduleId,
      args: [input],
      // one that no worker carries on does not stand in the way of the next for longer
      workflowExecutionTimeout: '40m',
    },
    // after Temporal was away, one look makes up for all that were missed
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: every },
    memo: { what: 'reads the calendars of on-call schedules' },
  };
}
