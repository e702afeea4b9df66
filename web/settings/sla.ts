import { type Request, type Response, Router } from 'express';
import type { Tx } from '../../db/database.ts';
import { listSlaCalendars, policiesByCalendar } from '../../db/sla-calendars.ts';
import { deleteSlaPolicy, getSlaPolicy, listSlaPolicies, putSlaPolicy } from '../../db/sla-policies.ts';
import { listTeams } from '../../db/teams.ts';
import { alwaysOpen } from '../../domain/sla/calendar.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { saveNamed } from '../named-configuration.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import { calendarRow } from './calendar-form.ts';
import { matchText } from './matching.ts';
import {
  newSlaValues,
  postedSla,
  readSla,
  type SlaChoices,
  type SlaValues,
  slaFormView,
  slaValues,
} from './sla-form.ts';

const base = '/settings/sla-policies';

export function slaRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const { policies, calendars, used } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      policies: await listSlaPolicies(tx),
      calendars: await listSlaCalendars(tx),
      used: await policiesByCalendar(tx),
    }));
    await pages.show(request, response, {
      template: 'settings/sla-list',
      view: {
        policies: policies.map(({ name, definition }) => ({
          name,
          href: `${base}/${encodeURIComponent(name)}`,
          order: definition.order,
          match: matchText(definition.match),
          acknowledgeWithin: definition.acknowledgeWithin,
          resolveWithin: definition.resolveWithin,
          runs: definition.calendar === alwaysOpen ? 'always' : definition.calendar,
          atRiskPercent: definition.atRiskPercent,
        })),
        calendars: calendars.map((calendar) => calendarRow(calendar, used.get(calendar.name) ?? [])),
      },
      title: 'SLA policies',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    await form(request, response, newSlaValues, {}, false);
  });

  router.get(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const policy = await deps.db.read(visitorOf(request).scope, (tx) => getSlaPolicy(tx, name));
    if (!policy) throw new NotFoundError(`There is no SLA policy ${name}.`);
    await form(request, response, slaValues(name, policy.definition), {}, true);
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    await save(request, response, postedSla(request.body), false);
  });

  router.post(`${base}/:name`, requireRole('admin'), async (request, response) => {
    await save(request, response, { ...postedSla(request.body), name: String(request.params.name) }, true);
  });

  router.post(`${base}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await deps.db.write(scope, (tx) => deleteSlaPolicy(tx, { orgId, name, actor: email }));
    setFlash(response, 'good', `The policy ${name} is deleted.`);
    response.redirect(303, base);
  });

  async function save(request: Request, response: Response, values: SlaValues, existing: boolean) {
    const { scope, orgId, email } = visitorOf(request);
    const problems = await saveNamed(
      { db: deps.db, scope },
      {
        read: readSla(values),
        existing,
        find: (tx) => getSlaPolicy(tx, values.name),
        put: (tx, definition) => putSlaPolicy(tx, { orgId, name: values.name, definition, actor: email }),
        fieldOf: (path) => path.replace('match.', ''),
      },
    );
    if (problems) {
      await form(request, response, values, problems, existing);
      return;
    }
    setFlash(response, 'good', `The policy ${values.name} is saved. New incidents go by it.`);
    response.redirect(303, base);
  }

  async function form(
    request: Request,
    response: Response,
    values: SlaValues,
    problems: Problems,
    existing: boolean,
  ): Promise<void> {
    const choices = await deps.db.read(visitorOf(request).scope, readChoices);
    await pages.show(request, response, {
      template: 'settings/sla-form',
      view: { form: slaFormView(values, problems, { ...choices, existing }) },
      title: existing ? `SLA policy ${values.name}` : 'New SLA policy',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

async function readChoices(tx: Tx): Promise<SlaChoices> {
  const calendars = await listSlaCalendars(tx);
  return { teams: await listTeams(tx), calendars: calendars.map(({ name }) => name) };
}
