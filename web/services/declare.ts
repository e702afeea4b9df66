import { type Request, type Response, Router } from 'express';
import type { Tx } from '../../db/database.ts';
import { declareService, undeclareService } from '../../db/declared-topology.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { callsOf, getService, type ServiceRecord } from '../../db/services.ts';
import { listTeams } from '../../db/teams.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import { emptyService, postedService, readService, type ServiceValues, serviceFormView } from './form.ts';
import { serviceHref } from './words.ts';

/** One service by form. */
export function declareRoutes({ db }: Pick<WebDeps, 'db'>, pages: Pages): Router {
  const router = Router();

  router.get('/topology/declare', requireRole('admin'), async (request, response) => {
    await form(request, response, emptyService, {}, undefined);
  });

  router.post('/topology/declare', requireRole('admin'), async (request, response) => {
    const values = postedService(request.body);
    const there = await find(request, values.name);
    const problems = there?.declared ? { name: 'It is declared already: change it on its page.' } : {};
    await save(request, response, values, { problems, service: undefined });
  });

  router.get('/services/:name/edit', requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const found = await db.read(visitorOf(request).scope, (tx) => readValues(tx, name));
    if (!found) throw noSuchService();
    await form(request, response, found.values, {}, found.service);
  });

  router.post('/services/:name/edit', requireRole('admin'), async (request, response) => {
    const service = await find(request, String(request.params.name));
    if (!service) throw noSuchService();
    const values = { ...postedService(request.body), name: service.name };
    await save(request, response, values, { problems: {}, service });
  });

  router.post('/services/:name/undeclare', requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const name = String(request.params.name);
    await db.write(scope, (tx) => undeclareService(tx, { orgId, actor, name }));
    setFlash(response, 'good', `${name} is declared no longer. What alerts and traces show of it stays.`);
    response.redirect(303, '/services');
  });

  async function save(
    request: Request,
    response: Response,
    values: ServiceValues,
    given: { problems: Problems; service: ServiceRecord | undefined },
  ): Promise<void> {
    const { scope, orgId, email: actor } = visitorOf(request);
    const read = readService(values);
    const problems = { ...given.problems, ...('problems' in read ? read.problems : {}) };
    if ('problems' in read || Object.keys(problems).length > 0) {
      await form(request, response, values, problems, given.service);
      return;
    }
    try {
      await db.write(scope, (tx) => declareService(tx, { orgId, actor, ...read }));
    } catch (error) {
      if (!(error instanceof UnknownReferenceError)) throw error;
      await form(request, response, values, { team: 'There is no such team.' }, given.service);
      return;
    }
    setFlash(response, 'good', `${values.name} is declared.`);
    response.redirect(303, serviceHref(values.name));
  }

  async function find(request: Request, name: string): Promise<ServiceRecord | undefined> {
    return await db.read(visitorOf(request).scope, (tx) => getService(tx, name));
  }

  async function form(
    request: Request,
    response: Response,
    values: ServiceValues,
    problems: Problems,
    service: ServiceRecord | undefined,
  ): Promise<void> {
    const teams = await db.read(visitorOf(request).scope, listTeams);
    await pages.show(request, response, {
      template: 'services/form',
      view: {
        form: serviceFormView(values, problems, {
          existing: service !== undefined,
          declared: service?.declared ?? false,
          teams,
        }),
      },
      title: service === undefined ? 'Declare a service' : service.name,
      section: 'services',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

/** What stands in the form of a service: of its calls those that were declared. */
async function readValues(
  tx: Tx,
  name: string,
): Promise<{ service: ServiceRecord; values: ServiceValues } | undefined> {
  const service = await getService(tx, name);
  if (!service) return undefined;
  const { callees } = await callsOf(tx, name);
  const declared = callees.filter((call) => call.declared).map(({ to }) => to);
  const { kind, description, team } = service;
  return { service, values: { name, kind, description, team: team ?? '', calls: declared.join('\n') } };
}

function noSuchService(): NotFoundError {
  return new NotFoundError('There is no such service, or it belongs to another team.');
}
