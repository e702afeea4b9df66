import { type Request, type Response, Router } from 'express';
import { deleteSlaCalendar, getSlaCalendar, putSlaCalendar } from '../../db/sla-calendars.ts';
import type { WebDeps } from '../deps.ts';
import type { Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { deleteNamed, saveNamed } from '../named-configuration.ts';
import { readerZone } from '../on-call/reader-zone.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  type CalendarValues,
  calendarBase,
  calendarFormView,
  calendarNameProblem,
  calendarPreviewRows,
  calendarValues,
  newCalendarValues,
  postedCalendar,
  readCalendar,
} from './calendar-form.ts';

const policiesPage = '/settings/sla-policies';

/** The hours that SLA clocks run by; they are listed beneath the SLA policies. */
export function calendarRoutes(deps: Pick<WebDeps, 'db' | 'timeZone'>, pages: Pages): Router {
  const router = Router();

  router.get(calendarBase, (_request, response) => response.redirect(303, `${policiesPage}#calendars-title`));

  router.get(`${calendarBase}/new`, requireRole('admin'), async (request, response) => {
    const { scope, userId } = visitorOf(request);
    const timeZone = await deps.db.read(scope, (tx) => readerZone(tx, userId, deps.timeZone));
    await form(request, response, { values: { ...newCalendarValues, timeZone }, existing: false });
  });

  router.get(`${calendarBase}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const calendar = await deps.db.read(visitorOf(request).scope, (tx) => getSlaCalendar(tx, name));
    if (!calendar) throw new NotFoundError(`There is no SLA calendar ${name}.`);
    await form(request, response, { values: calendarValues(name, calendar.definition), existing: true });
  });

  router.post(`${calendarBase}/:name/try`, requireRole('admin'), async (request, response) => {
    const existing = request.params.name !== 'new';
    const values = postedOf(request, existing);
    const read = readCalendar(values);
    const problems = 'problems' in read ? read.problems : {};
    await form(request, response, { values, problems, existing });
  });

  router.post(`${calendarBase}/:name`, requireRole('admin'), async (request, response) => {
    const existing = request.params.name !== 'new';
    const values = postedOf(request, existing);
    const { scope, orgId, email } = visitorOf(request);
    const problems = await saveNamed(
      { db: deps.db, scope },
      {
        read: readCalendar(values),
        unnamed: calendarNameProblem(values),
        existing,
        find: (tx) => getSlaCalendar(tx, values.name),
        put: (tx, definition) => putSlaCalendar(tx, { orgId, name: values.name, definition, actor: email }),
        fieldOf: (path) => path,
      },
    );
    if (problems) {
      await form(request, response, { values, problems, existing });
      return;
    }
    setFlash(
      response,
      'good',
      `The calendar ${values.name} is saved. Incidents that open from now on go by it.`,
    );
    response.redirect(303, policiesPage);
  });

  router.post(`${calendarBase}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await deleteNamed(response, {
      remove: () => deps.db.write(scope, (tx) => deleteSlaCalendar(tx, { orgId, name, actor: email })),
      done: `The calendar ${name} is deleted.`,
    });
    response.redirect(303, policiesPage);
  });

  async function form(
    request: Request,
    response: Response,
    given: { values: CalendarValues; existing: boolean; problems?: Problems },
  ): Promise<void> {
    const { values, existing, problems = {} } = given;
    const read = readCalendar(values);
    const wrong = Object.keys(problems).length > 0;
    await pages.show(request, response, {
      template: 'settings/calendar-form',
      view: {
        form: calendarFormView(values, problems, existing),
        preview: 'definition' in read ? calendarPreviewRows(read.definition, pages.now()) : null,
      },
      title: existing ? `SLA calendar ${values.name}` : 'New SLA calendar',
      section: 'settings',
      narrow: true,
      status: wrong ? 422 : 200,
    });
  }

  return router;
}

const postedOf = (request: Request, existing: boolean): CalendarValues => ({
  ...postedCalendar(request.body),
  ...(existing ? { name: String(request.params.name) } : {}),
});
