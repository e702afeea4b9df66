import type { Database } from '../../db/database.ts';
import {
  deleteSlaCalendar,
  getSlaCalendar,
  listSlaCalendars,
  putSlaCalendar,
} from '../../db/sla-calendars.ts';
import { previewCalendar, type SlaCalendar } from '../../domain/sla/calendar.ts';
import { configurationEndpoints } from '../configuration.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { calendarPreview, slaCalendarBody, slaCalendarShown } from './schema.ts';

const tag = 'SLA calendars';

export function slaCalendarEndpoints(deps: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/sla-calendars/preview',
      tag,
      summary: 'The coming two weeks of a calendar as edited',
      access: 'viewer',
      body: slaCalendarShown,
      status: 200,
      response: calendarPreview,
      handle: async ({ body }) => ({ days: previewCalendar(body, Date.now()) }),
    }),
    ...configurationEndpoints<SlaCalendar, SlaCalendar>(
      {
        plural: 'sla-calendars',
        singular: 'SLA calendar',
        tag,
        body: slaCalendarBody,
        shown: slaCalendarShown,
        present: (calendar) => calendar,
        list: listSlaCalendars,
        get: getSlaCalendar,
        put: putSlaCalendar,
        remove: deleteSlaCalendar,
      },
      deps,
    ),
  ];
}
