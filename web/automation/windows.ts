import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import type { Tx } from '../../db/database.ts';
import { createMaintenancePreview } from '../../db/maintenance-preview.ts';
import {
  createMaintenanceWindow,
  deleteMaintenanceWindow,
  getMaintenanceWindow,
  updateMaintenanceWindow,
} from '../../db/maintenance-windows.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { findTeam, listTeams } from '../../db/teams.ts';
import type { MaintenanceWindow } from '../../domain/safety/maintenance-window.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { readerZone } from '../on-call/reader-zone.ts';
import { assertVisitorRole, requireRole, visitorOf, whenLeft } from '../visitor.ts';
import {
  newWindow,
  postedWindow,
  previewView,
  readWindow,
  type WindowValues,
  windowFormView,
  windowValues,
} from './window-form.ts';

const base = '/automation/maintenance';

export function windowRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();
  const preview = createMaintenancePreview(deps.db);

  router.get(`${base}/new`, requireRole('operator'), async (request, response) => {
    await form(request, response, { id: null, values: newWindow(pages.now(), await zoneOf(request)) });
  });

  router.get(`${base}/:id`, async (request, response) => {
    const window = await ownOne(request);
    await form(request, response, { id: window.id, values: windowValues(window, await zoneOf(request)) });
  });

  router.post(`${base}/new`, requireRole('operator'), async (request, response) => {
    await save(request, response, null);
  });

  router.post(`${base}/:id`, async (request, response) => {
    const { id } = await ownOne(request);
    await save(request, response, id);
  });

  router.post(`${base}/new/try`, requireRole('operator'), async (request, response) => {
    await tryOut(request, response, null);
  });

  router.post(`${base}/:id/try`, async (request, response) => {
    const { id } = await ownOne(request);
    await tryOut(request, response, id);
  });

  router.post(`${base}/:id/delete`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { id, target } = await ownOne(request);
    await deps.db.write(scope, (tx) => deleteMaintenanceWindow(tx, { orgId, id, actor }));
    setFlash(response, 'good', `The window over ${target} is gone: automation may act there.`);
    response.redirect(303, '/automation');
  });

  async function zoneOf(request: Request): Promise<string> {
    const { scope, userId } = visitorOf(request);
    return await deps.db.read(scope, (tx) => readerZone(tx, userId, deps.timeZone));
  }

  async function ownOne(request: Request) {
    const id = uuidOf(request.params.id, 'maintenance window');
    const window = await deps.db.read(visitorOf(request).scope, (tx) => getMaintenanceWindow(tx, id));
    if (!window)
      throw new NotFoundError('There is no such maintenance window, or it belongs to another team.');
    assertVisitorRole(request, 'operator', window.team?.id ?? null);
    return window;
  }

  async function save(request: Request, response: Response, id: string | null): Promise<void> {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = postedWindow(request.body);
    const read = readWindow(values, pages.now());
    if ('problems' in read) {
      await form(request, response, { id, values, problems: read.problems });
      return;
    }
    const { window } = read;
    await deps.db.write(scope, async (tx) => {
      await assertMayKeep(tx, request, window);
      if (id === null) await createMaintenanceWindow(tx, { orgId, id: randomUUID(), window, actor });
      else await updateMaintenanceWindow(tx, { orgId, id, window, actor });
    });
    setFlash(response, 'good', `Automation keeps away from ${window.target} during this window.`);
    response.redirect(303, '/automation');
  }

  async function tryOut(request: Request, response: Response, id: string | null): Promise<void> {
    const values = postedWindow(request.body);
    // what it would hold back can be seen before the reason is written
    const read = readWindow({ ...values, reason: values.reason || '-' }, pages.now());
    if ('problems' in read) {
      await form(request, response, { id, values, problems: read.problems });
      return;
    }
    try {
      const found = await preview(visitorOf(request).scope, read.window, whenLeft(request));
      await form(request, response, { id, values, tried: previewView(found) });
    } catch (error) {
      if (error instanceof NotTriedError) await form(request, response, { id, values, notTried: error });
      else if (error instanceof UnknownReferenceError) {
        await form(request, response, { id, values, problems: { [error.field]: error.message } });
      } else throw error;
    }
  }

  async function assertMayKeep(tx: Tx, request: Request, { team: slug }: MaintenanceWindow): Promise<void> {
    const team = slug === null ? null : await findTeam(tx, slug);
    if (team === undefined) throw new NotFoundError(`There is no team ${slug}.`);
    assertVisitorRole(request, 'operator', team?.id ?? null);
  }

  async function form(
    request: Request,
    response: Response,
    given: {
      id: string | null;
      values: WindowValues;
      problems?: Problems;
      tried?: ReturnType<typeof previewView>;
      notTried?: NotTriedError;
    },
  ): Promise<void> {
    const { id, values, problems = {}, tried = null, notTried } = given;
    const teams = await deps.db.read(visitorOf(request).scope, listTeams);
    await pages.show(request, response, {
      template: 'automation/window-form',
      view: {
        form: windowFormView(values, problems, { id, teams }),
        tried,
        notTried: notTried?.message ?? null,
      },
      title: 'Maintenance window',
      section: 'automation',
      narrow: true,
      status: formStatus(problems, notTried),
    });
  }

  return router;
}
