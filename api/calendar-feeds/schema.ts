import { z } from 'zod';
import { instant } from '../endpoint.ts';
import { onCallScheduleParams } from '../on-call-schedules/schema.ts';

const feedId = z.uuid('write the id of a link');
export const scheduleFeedParams = z.object({ ...onCallScheduleParams.shape, id: feedId });
export const personFeedParams = z.object({ id: feedId });
export const calendarParams = z.object({ token: z.string().max(200) });

export const calendarFeed = z
  .object({ id: z.uuid(), createdBy: z.string(), createdAt: instant })
  .meta({ id: 'CalendarFeed' });

export const madeCalendarFeed = calendarFeed
  .extend({ url: z.string().meta({ description: 'Shown this once: whoever has it sees the shifts' }) })
  .meta({ id: 'MadeCalendarFeed' });
