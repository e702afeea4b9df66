import type { z } from 'zod';
import type { Database } from '../../db/database.ts';
import {
  deleteOnCallSchedule,
  getOnCallSchedule,
  listOnCallSchedules,
  type OnCallScheduleSettings,
  putOnCallSchedule,
  readScheduleFacts,
  readScheduleHealth,
} from '../../db/oncall.ts';
import type { CalendarReadings } from '../../workflows/messages-calendars.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { assertMayPutSchedule, assertMayRemoveSchedule } from '../auth/on-call-schedule.ts';
import { mayOn, scopeOf } from '../auth/principal.ts';
import { configurationEndpoints } from '../configuration.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { overrideEndpoints } from './overrides.ts';
import { presentHealth, presentSchedule, presentShifts } from './presenter.ts';
import {
  onCallScheduleBody,
  onCallScheduleParams,
  onCallScheduleShown,
  readingAsked,
  scheduleHealthShown,
  shiftsQuery,
  shiftsShown,
  spanOf,
} from './schema.ts';

const tag = 'On call';
const path = '/api/v1/on-call-schedules/{name}';
const notFound = { 404: 'No on-call schedule of this name' };

export function onCallScheduleEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  calendarReadings: CalendarReadings;
}): Endpoint[] {
  const { db, calendarReadings } = deps;

  /** A calendar that was just written is read at once; where Temporal is just gone, within 15 minutes. */
  async function readCalendarsOf(
    orgId: string,
    { rotations }: OnCallScheduleSettings,
  ): Promise<string | undefined> {
    if (!rotations.some(({ calendar }) => calendar)) return undefined;
    try {
      await calendarReadings.readNow(orgId);
      return undefined;
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
      return 'Temporal does not answer just now: calendars are read within 15 minutes of its return.';
    }
  }

  return [
    ...configurationEndpoints<OnCallScheduleSettings, z.input<typeof onCallScheduleShown>>(
      {
        plural: 'on-call-schedules',
        singular: 'on-call schedule',
        tag,
        body: onCallScheduleBody,
        shown: onCallScheduleShown,
        present: (settings, { teamId }, reader) =>
          presentSchedule(settings, { addresses: mayOn(reader, 'admin', teamId) }),
        list: listOnCallSchedules,
        get: getOnCallSchedule,
        put: putOnCallSchedule,
        remove: deleteOnCallSchedule,
        owned: {
          assertMayPut: (tx, principal, { name, definition: { team } }) =>
            assertMayPutSchedule(tx, principal, { name, team }),
          assertMayRemove: assertMayRemoveSchedule,
        },
        afterPut: readCalendarsOf,
      },
      deps,
    ),
    personEndpoint({
      method: 'get',
      path: `${path}/shifts`,
      tag,
      summary: 'Who is on call from one time to another, with gaps and overlaps',
      access: 'viewer',
      params: onCallScheduleParams,
      query: shiftsQuery,
      status: 200,
      response: shiftsShown,
      errors: notFound,
      handle: async ({ principal, params: { name }, query }) => {
        const span = spanOf(query, Date.now());
        if (typeof span === 'string') throw new InvalidRequestError([{ field: 'to', message: span }]);
        const [facts] = await db.read(scopeOf(principal), (tx) => readScheduleFacts(tx, [name], span));
        if (!facts) throw new NotFoundError(`on-call schedule '${name}'`);
        return presentShifts(facts, span);
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${path}/health`,
      tag,
      summary: 'How reading its calendars went, and who in it cannot be reached',
      access: 'viewer',
      params: onCallScheduleParams,
      status: 200,
      response: scheduleHealthShown,
      errors: notFound,
      handle: async ({ principal, params: { name } }) => {
        const health = await db.read(scopeOf(principal), (tx) => readScheduleHealth(tx, name));
        if (!health) throw new NotFoundError(`on-call schedule '${name}'`);
        return presentHealth(health);
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${path}/calendars/read`,
      tag,
      summary: 'Read the calendars of the organization now, rather than within 15 minutes',
      access: 'operator',
      params: onCallScheduleParams,
      status: 202,
      response: readingAsked,
      errors: notFound,
      handle: async ({ principal, params: { name } }) => {
        const schedule = await db.read(scopeOf(principal), (tx) => getOnCallSchedule(tx, name));
        if (!schedule) throw new NotFoundError(`on-call schedule '${name}'`);
        await calendarReadings.readNow(principal.orgId);
        return { name };
      },
    }),
    ...overrideEndpoints(deps),
  ];
}
