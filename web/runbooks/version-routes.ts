import { type Request, Router } from 'express';
import { pinRunbook, unpinRunbook } from '../../db/runbook-pins.ts';
import { getRunbook, getRunbookVersion, type RunbookDetail } from '../../db/runbooks.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { diffView, versionView } from './version-view.ts';

/** Versions of a runbook: what each says, what differs, and which one is in force. */
export function versionRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/runbooks/:name/versions/:version', async (request, response) => {
    const { runbook, versions } = await find(request, [request.params.version]);
    const [version] = versions;
    if (!version) return;
    await pages.show(request, response, {
      template: 'runbooks/version',
      view: versionView(runbook, version),
      title: `${runbook.name}, version ${version.version}`,
      section: 'runbooks',
      teamId: runbook.teamId,
    });
  });

  router.get('/runbooks/:name/diff', async (request, response) => {
    const { runbook, versions } = await find(request, [request.query.from, request.query.to]);
    const [from, to] = versions;
    if (!from || !to) return;
    await pages.show(request, response, {
      template: 'runbooks/diff',
      view: diffView(runbook, from, to),
      title: `${runbook.name}: version ${from.version} to ${to.version}`,
      section: 'runbooks',
      teamId: runbook.teamId,
    });
  });

  router.post('/runbooks/:name/pin', async (request, response) => {
    const { orgId, scope, email } = visitorOf(request);
    const { runbook, versions } = await find(request, [posted(request.body, 'version')]);
    assertVisitorRole(request, 'admin', runbook.teamId);
    const version = versions[0]?.version ?? 0;
    await deps.db.write(scope, (tx) => pinRunbook(tx, { orgId, name: runbook.name, version, actor: email }));
    setFlash(
      response,
      'good',
      `Version ${version} is in force and stays so until it is unpinned, whatever is pushed meanwhile.`,
    );
    response.redirect(303, `/runbooks/${encodeURIComponent(runbook.name)}`);
  });

  router.post('/runbooks/:name/unpin', async (request, response) => {
    const { orgId, scope, email } = visitorOf(request);
    const { runbook } = await find(request, []);
    assertVisitorRole(request, 'admin', runbook.teamId);
    await deps.db.write(scope, (tx) => unpinRunbook(tx, { orgId, name: runbook.name, actor: email }));
    setFlash(response, 'good', `The newest version, ${runbook.latestVersion}, is in force again.`);
    response.redirect(303, `/runbooks/${encodeURIComponent(runbook.name)}`);
  });

  /** The runbook as the visitor sees it, and these of its versions. */
  async function find(request: Request, asked: unknown[]) {
    const name = String(request.params.name);
    const numbers = asked.map((text) => {
      if (typeof text !== 'string' || !/^[1-9]\d{0,8}$/.test(text)) throw noSuchVersion(name);
      return Number(text);
    });
    return await deps.db.read(visitorOf(request).scope, async (tx) => {
      const runbook: RunbookDetail | undefined = await getRunbook(tx, name);
      if (!runbook) throw new NotFoundError(`There is no runbook ${name}, or it belongs to another team.`);
      const versions = [];
      for (const version of numbers) {
        const found = await getRunbookVersion(tx, { name, version });
        if (!found) throw noSuchVersion(name);
        versions.push(found);
      }
      return { runbook, versions };
    });
  }

  return router;
}

const noSuchVersion = (name: string) => new NotFoundError(`There is no such version of ${name}.`);
