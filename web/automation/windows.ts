import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { askWhoMayChange, assertMayKeepWindow } from '../../api/auth/maintenance-window.ts';
import { mayOn } from '../../api/auth/principal.ts';
import { mayOperateFor } from '../../api/auth/team-or-everybody.ts';
import type { Tx } from '../../db/database.ts';
import { createMaintenancePreview } from '../../db/maintenance-preview.ts';
import {
  createMaintenanceWindow,
  deleteMaintenanceWindow,
  getMaintenanceWindow,
  type StoredMaintenanceWindow,
  updateMaintenanceWindow,
} from '../../db/maintenance-windows.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { findTeam, listTeams } from '../../db/teams.ts';
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
    await save(request, response, await ownOne(request));
  });

  router.post(`${base}/new/try`, requireRole('operator'), async (request, response) => {
    await tryOut(request, response, null);
  });

  router.post(`${base}/:id/try`, async (request, response) => {
    await tryOut(request, response, await ownOne(request));
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

  async function ownOne(request: Request): Promise<StoredMaintenanceWindow> {
    const id = uuidOf(request.params.id, 'maintenance window');
    const { scope, principal } = visitorOf(request);
    const window = await deps.db.read(scope, (tx) => getMaintenanceWindow(tx, id));
    if (!window)
      throw new NotFoundError('There is no such maintenance window, or it belongs to another team.');
    assertMayKeepWindow(principal, window.team?.id ?? null, askWhoMayChange);
    return window;
  }

  /** @param stored what it was until now; null for a new one */
  async function save(
    request: Request,
    response: Response,
    stored: StoredMaintenanceWindow | null,
  ): Promise<void> {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = postedWindow(request.body);
    const id = stored?.id ?? null;
    const read = readWindow(values, pages.now(), stored);
    if ('problems' in read) {
      await form(request, response, { id, values, problems: read.problems });
      return;
    }
    const { window } = read;
    const refused = await deps.db.write(scope, async (tx) => {
      const problems = await problemOfTeam(tx, request, window.team);
      if (problems) return problems;
      if (id === null) await createMaintenanceWindow(tx, { orgId, id: randomUUID(), window, actor });
      else await updateMaintenanceWindow(tx, { orgId, id, window, actor });
      return undefined;
    });
    if (refused) {
      await form(request, response, { id, values, problems: refused });
      return;
    }
    setFlash(response, 'good', `Automation keeps away from ${window.target} during this window.`);
    response.redirect(303, '/automation');
  }

  async function tryOut(
    request: Request,
    response: Response,
    stored: StoredMaintenanceWindow | null,
  ): Promise<void> {
    const values = postedWindow(request.body);
    const id = stored?.id ?? null;
    // what it would hold back can be seen before the reason is written
    const read = readWindow({ ...values, reason: values.reason || '-' }, pages.now(), stored);
    if ('problems' in read) {
      await form(request, response, { id, values, problems: read.problems });
      return;
    }
    const { scope } = visitorOf(request);
    const refused = await deps.db.read(scope, (tx) => problemOfTeam(tx, request, read.window.team));
    if (refused) {
      await form(request, response, { id, values, problems: refused });
      return;
    }
    try {
      const found = await preview(scope, read.window, whenLeft(request));
      await form(request, response, { id, values, tried: previewView(found, read.window) });
    } catch (error) {
      if (error instanceof NotTriedError) await form(request, response, { id, values, notTried: error });
      else if (error instanceof UnknownReferenceError) {
        await form(request, response, { id, values, problems: { [error.field]: error.message } });
      } else throw error;
    }
  }

  /** Throws ForbiddenError for a team that is not the visitor's. */
  async function problemOfTeam(tx: Tx, request: Request, slug: string | null): Promise<Problems | undefined> {
    const { principal } = visitorOf(request);
    if (slug === null)
      return mayOperateFor(principal, null) ? undefined : { team: 'Choose one of your teams.' };
    const team = await findTeam(tx, slug);
    if (!team) return { team: `There is no team ${slug}.` };
    assertVisitorRole(request, 'operator', team.id);
    return undefined;
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
    const { scope, principal } = visitorOf(request);
    const teams = (await deps.db.read(scope, listTeams)).filter((team) =>
      mayOn(principal, 'operator', team.id),
    );
    const everybody = mayOperateFor(principal, null);
    await pages.show(request, response, {
      template: 'automation/window-form',
      view: {
        form: windowFormView(values, problems, { id, teams, everybody }),
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
