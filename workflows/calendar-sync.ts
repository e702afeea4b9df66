import { proxyActivities } from '@temporalio/workflow';
import type { CalendarActivities, CalendarsOutcome } from '../activities/calendars.ts';
import type { CalendarSyncInput } from './messages.ts';

const { readOnCallCalendars } = proxyActivities<CalendarActivities>({
  // a calendar gets 15 s to answer and as long to be read
  startToCloseTimeout: '10m',
  // the next look comes by itself
  retry: { initialInterval: '5s', backoffCoefficient: 3, maximumAttempts: 3 },
});

/** Reads the calendars that say who is on call, once. Started by the schedule of the organization alone. */
export async function calendarSync(input: CalendarSyncInput): Promise<CalendarsOutcome> {
  return await readOnCallCalendars(input);
}
