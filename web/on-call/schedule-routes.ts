import { type Request, type RequestHandler, type Response, Router } from 'express';
import { assertMayPutSchedule, assertMayRemoveSchedule } from '../../api/auth/on-call-schedule.ts';
import { mayOn } from '../../api/auth/principal.ts';
import { listPeople } from '../../db/identity.ts';
import {
  deleteOnCallSchedule,
  getOnCallSchedule,
  type OnCallScheduleSettings,
  putOnCallSchedule,
  readScheduleFacts,
} from '../../db/oncall.ts';
import { listTeams } from '../../db/teams.ts';
import { roleAtLeast } from '../../domain/roles.ts';
import { dayMs, timeOfDay, wallTimeAt, weekdayOf } from '../../domain/wall-clock.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { deleteNamed, saveNamed } from '../named-configuration.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { aheadMs, schedulePath } from './list-view.ts';
import { readerZone } from './reader-zone.ts';
import {
  newRotation,
  postedSchedule,
  readSchedule,
  type ScheduleValues,
  scheduleFieldOf,
  scheduleFormView,
  scheduleValues,
  withRotations,
} from './schedule-form.ts';
import { scheduleView } from './show-view.ts';

const base = '/on-call';

/** Makes and changes schedules; what an edited one would do is shown before it is saved. */
export function scheduleRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(`${base}/new`, adminSomewhere, async (request, response) => {
    const { scope, userId, email } = visitorOf(request);
    const timeZone = await deps.db.read(scope, (tx) => readerZone(tx, userId, deps.timeZone));
    const first = {
      ...newRotation(lastHandoff(timeZone, pages.now())),
      name: 'primary',
      participants: email,
    };
    await form(request, response, { name: '', timeZone, team: '', rotations: [first] }, {}, false);
  });

  router.post(`${base}/new`, adminSomewhere, async (request, response) => {
    await pressed(request, response, postedSchedule(request.body), false);
  });

  router.get(`${base}/:name/edit`, async (request, response) => {
    const { name, definition } = await owned(request);
    await form(request, response, scheduleValues(name, definition), {}, true);
  });

  router.post(`${base}/:name/edit`, async (request, response) => {
    const { name } = await owned(request);
    await pressed(request, response, { ...postedSchedule(request.body), name }, true);
  });

  router.post(`${base}/:name/delete`, async (request, response) => {
    const { name } = await owned(request);
    const { principal, scope, orgId, email: actor } = visitorOf(request);
    const deleted = await deleteNamed(response, {
      remove: () =>
        deps.db.write(scope, async (tx) => {
          await assertMayRemoveSchedule(tx, principal, name);
          await deleteOnCallSchedule(tx, { orgId, name, actor });
        }),
      done: `The schedule ${name} is deleted.`,
    });
    response.redirect(303, deleted ? base : schedulePath(name));
  });

  /** Throws ForbiddenError for whoever may not change what its team owns. */
  async function owned(request: Request) {
    const name = String(request.params.name);
    const schedule = await deps.db.read(visitorOf(request).scope, (tx) => getOnCallSchedule(tx, name));
    if (!schedule) throw new NotFoundError(`There is no schedule ${name}.`);
    assertVisitorRole(request, 'admin', schedule.teamId);
    return schedule;
  }

  async function pressed(request: Request, response: Response, values: ScheduleValues, existing: boolean) {
    const button = String(request.body?.do ?? 'save');
    const edited = withRotations(values, button, lastHandoff(values.timeZone || 'UTC', pages.now()));
    if (edited) {
      await form(request, response, edited, {}, existing);
      return;
    }
    const read = readSchedule(values);
    if ('problems' in read || button === 'preview') {
      const problems = 'problems' in read ? read.problems : {};
      const shown = 'definition' in read ? read.definition : undefined;
      await form(request, response, values, problems, existing, shown);
      return;
    }
    const problems = await save(request, values.name, read.definition, existing);
    if (problems) {
      await form(request, response, values, problems, existing);
      return;
    }
    await readCalendarsOf(visitorOf(request).orgId, read.definition);
    setFlash(response, 'good', `The schedule ${values.name} is saved. The next page goes by it.`);
    response.redirect(303, schedulePath(values.name));
  }

  /** A calendar that was just written is read at once; where Temporal is just gone, within 15 minutes. */
  async function readCalendarsOf(orgId: string, { rotations }: OnCallScheduleSettings): Promise<void> {
    if (!rotations.some(({ calendar }) => calendar)) return;
    try {
      await deps.calendarReadings.readNow(orgId);
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
    }
  }

  async function save(
    request: Request,
    name: string,
    definition: OnCallScheduleSettings,
    existing: boolean,
  ): Promise<Problems | undefined> {
    const { principal, scope, orgId, email: actor } = visitorOf(request);
    return await saveNamed(
      { db: deps.db, scope },
      {
        read: { definition },
        existing,
        find: (tx) => getOnCallSchedule(tx, name),
        put: async (tx) => {
          await assertMayPutSchedule(tx, principal, { name, team: definition.team });
          await putOnCallSchedule(tx, { orgId, name, definition, actor });
        },
        fieldOf: (path) => scheduleFieldOf(path.split('.')),
      },
    );
  }

  async function form(
    request: Request,
    response: Response,
    values: ScheduleValues,
    problems: Problems,
    existing: boolean,
    shown?: OnCallScheduleSettings,
  ): Promise<void> {
    const { scope, userId, principal } = visitorOf(request);
    const now = pages.now();
    const { teams, people, zone, stored } = await deps.db.read(scope, async (tx) => ({
      teams: (await listTeams(tx)).filter(({ id }) => mayOn(principal, 'admin', id)),
      people: (await listPeople(tx)).filter(({ disabledAt }) => disabledAt === null),
      zone: await readerZone(tx, userId, shown?.timeZone ?? deps.timeZone),
      stored: shown && (await readScheduleFacts(tx, [values.name], { from: now, to: now + aheadMs }))[0],
    }));
    const preview = shown && {
      ...scheduleView({
        facts: {
          name: values.name,
          definition: shown,
          overrides: stored?.overrides ?? [],
          calendarShifts: stored?.calendarShifts ?? [],
        },
        people: new Map(people.map(({ email, name }) => [email.toLowerCase(), { name, contactRules: [] }])),
        zone,
        now,
        week: '',
      }),
    };
    await pages.show(request, response, {
      template: 'on-call/schedule-form',
      view: {
        form: scheduleFormView(values, problems, {
          existing,
          teams,
          organization: mayOn(principal, 'admin', null),
          people,
        }),
        preview: preview ?? null,
      },
      title: existing ? `Change ${values.name}` : 'New schedule',
      section: 'on-call',
      status: formStatus(problems),
    });
  }

  return router;
}

/** Admins of a team make schedules for it; which one it is for is checked when it is saved. */
const adminSomewhere: RequestHandler = (request, _response, next) => {
  const { memberships } = visitorOf(request).principal;
  if (!memberships.some(({ role }) => roleAtLeast(role, 'admin'))) assertVisitorRole(request, 'admin', null);
  next();
};

/** This week's Monday at nine, as a form holds it: a rotation that begins there has somebody now. */
function lastHandoff(zone: string, now: number): string {
  const wall = wallTimeAt(safeZone(zone), now);
  const midnight = wall - timeOfDay(wall);
  return `${new Date(midnight - weekdayOf(midnight) * dayMs).toISOString().slice(0, 10)}T09:00`;
}

/** What was typed may be no zone, which the form says when it is saved. */
function safeZone(zone: string): string {
  try {
    wallTimeAt(zone, 0);
    return zone;
  } catch {
    return 'UTC';
  }
}
