import { z } from 'zod';
import {
  type CalendarFeed,
  createCalendarFeed,
  type FeedOf,
  listCalendarFeeds,
  openCalendarFeed,
  revokeCalendarFeed,
} from '../../db/calendar-feeds.ts';
import type { Database } from '../../db/database.ts';
import { getOnCallSchedule } from '../../db/oncall.ts';
import { createAttempts } from '../auth/attempts.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, endpoint, iso, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { onCallScheduleParams } from '../on-call-schedules/schema.ts';
import { readCalendarText } from './calendar.ts';
import {
  calendarFeed,
  calendarParams,
  madeCalendarFeed,
  personFeedParams,
  scheduleFeedParams,
} from './schema.ts';

const tag = 'On call';
const ofSchedule = '/api/v1/on-call-schedules/{name}/calendar-feeds';
const ofPerson = '/api/v1/me/calendar-feeds';
const noSchedule = { 404: 'No on-call schedule of this name' };
/** Of one address: enough for the calendars of an office, too few to guess by. */
const asksPerMinute = 120;

/** Links to calendars, for programs that cannot sign in: of a schedule, or of one's own shifts. */
export function calendarFeedEndpoints(deps: {
  db: Pick<Database, 'read' | 'write' | 'unscoped'>;
  publicUrl: string;
}): Endpoint[] {
  const { db, publicUrl } = deps;

  async function list(principal: Principal, of: FeedOf) {
    const feeds = await db.read(scopeOf(principal), (tx) => listCalendarFeeds(tx, of));
    return { items: feeds.map(present) };
  }

  async function make(principal: Principal, of: FeedOf) {
    const { orgId, email: actor } = principal;
    const { feed, token } = await db.write(scopeOf(principal), (tx) =>
      createCalendarFeed(tx, { orgId, of, actor }),
    );
    return { ...present(feed), url: `${publicUrl}/calendar/${token}.ics` };
  }

  async function revoke(principal: Principal, of: FeedOf, id: string): Promise<undefined> {
    const { orgId, email: actor } = principal;
    const done = await db.write(scopeOf(principal), (tx) => revokeCalendarFeed(tx, { orgId, of, id, actor }));
    if (!done) throw new NotFoundError(`link ${id} that works`);
    return undefined;
  }

  /** Whoever has the link sees the shifts, so making one takes more than seeing them. */
  async function scheduleOf(principal: Principal, name: string): Promise<FeedOf> {
    const schedule = await db.read(scopeOf(principal), (tx) => getOnCallSchedule(tx, name));
    if (!schedule) throw new NotFoundError(`on-call schedule '${name}'`);
    assertRole(principal, 'operator', schedule.teamId);
    return { schedule: name };
  }

  return [
    personEndpoint({
      method: 'get',
      path: ofSchedule,
      tag,
      summary: 'Links to the calendar of a schedule that work, newest first',
      access: 'operator',
      params: onCallScheduleParams,
      status: 200,
      response: z.object({ items: z.array(calendarFeed) }),
      errors: noSchedule,
      handle: async ({ principal, params: { name } }) => list(principal, await scheduleOf(principal, name)),
    }),
    personEndpoint({
      method: 'post',
      path: ofSchedule,
      tag,
      summary: 'Make a link to the calendar of a schedule; shown this once',
      access: 'operator',
      params: onCallScheduleParams,
      status: 201,
      response: madeCalendarFeed,
      errors: { ...noSchedule, 409: 'It has too many links already' },
      handle: async ({ principal, params: { name } }) => make(principal, await scheduleOf(principal, name)),
    }),
    personEndpoint({
      method: 'delete',
      path: `${ofSchedule}/{id}`,
      tag,
      summary: 'Revoke a link to the calendar of a schedule',
      access: 'operator',
      params: scheduleFeedParams,
      status: 204,
      errors: { 404: 'No on-call schedule of this name, or no such link that works' },
      handle: async ({ principal, params: { name, id } }) =>
        revoke(principal, await scheduleOf(principal, name), id),
    }),
    personEndpoint({
      method: 'get',
      path: ofPerson,
      tag,
      summary: 'Links to the calendar of your shifts that work, newest first',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(calendarFeed) }),
      handle: ({ principal }) => list(principal, { userId: principal.userId }),
    }),
    personEndpoint({
      method: 'post',
      path: ofPerson,
      tag,
      summary: 'Make a link to the calendar of your shifts in all schedules; shown this once',
      access: 'viewer',
      status: 201,
      response: madeCalendarFeed,
      errors: { 409: 'You have too many links already' },
      handle: ({ principal }) => make(principal, { userId: principal.userId }),
    }),
    personEndpoint({
      method: 'delete',
      path: `${ofPerson}/{id}`,
      tag,
      summary: 'Revoke a link to the calendar of your shifts',
      access: 'viewer',
      params: personFeedParams,
      status: 204,
      errors: { 404: 'You have no such link that works' },
      handle: ({ principal, params: { id } }) => revoke(principal, { userId: principal.userId }, id),
    }),
    calendarEndpoint(deps),
  ];
}

/** What a calendar program reads. */
function calendarEndpoint({
  db,
  publicUrl,
}: {
  db: Pick<Database, 'read' | 'unscoped'>;
  publicUrl: string;
}): Endpoint {
  const attempts = createAttempts(asksPerMinute, 60_000);
  return endpoint({
    method: 'get',
    path: '/calendar/{token}.ics',
    tag,
    summary: 'Shifts of a schedule or a person as iCalendar, 30 days back and 90 ahead',
    access: 'public',
    params: calendarParams,
    status: 200,
    response: z.string().meta({ description: 'iCalendar (RFC 5545)' }),
    answersAs: { 'text/calendar': z.string() },
    errors: { 304: 'As before, by its ETag', 404: 'No such link, or it was revoked' },
    handle: async ({ params: { token }, request }) => {
      const now = Date.now();
      attempts.take([`address ${request.ip ?? ''}`], now);
      const feed = await openCalendarFeed(db, token);
      const text = feed && (await readCalendarText(db, feed, { now, publicUrl }));
      if (text === undefined) throw new NotFoundError('calendar at this address: it may have been revoked');
      return text;
    },
    // Express answers 304 by the ETag that it makes of the text
    send: (text, _request, response) => {
      response.set({
        'Cache-Control': 'private, no-cache',
        'X-Content-Type-Options': 'nosniff',
        'X-Robots-Tag': 'noindex, nofollow',
      });
      response.type('text/calendar; charset=utf-8').send(text);
    },
  });
}

function present({ id, createdBy, createdAt }: CalendarFeed): z.input<typeof calendarFeed> {
  return { id, createdBy, createdAt: iso(createdAt) };
}
