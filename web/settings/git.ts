import { type Request, type Response, Router } from 'express';
import { InvalidCursorError } from '../../db/cursor.ts';
import {
  changeGitSource,
  createGitSource,
  EnvironmentTakenError,
  type GitSourceStanding,
  getGitSource,
  listGitSources,
  listImports,
  removeGitSource,
  rotateWebhookSecret,
} from '../../db/git-sources.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  type GitValues,
  gitBase,
  gitFormView,
  gitValues,
  newGitValues,
  postedGit,
  readGit,
} from './git-form.ts';
import { gitRow, importRow, sentenceOf } from './git-view.ts';

const importsOnPage = 20;

/** Where runbooks come from besides the folder, how each source stands, and its webhook. */
export function gitRoutes(deps: Pick<WebDeps, 'db' | 'gitSchedules' | 'publicUrl'>, pages: Pages): Router {
  const { db, gitSchedules } = deps;
  const router = Router();

  router.get(gitBase, async (request, response) => {
    const sources = await db.read(visitorOf(request).scope, listGitSources);
    await pages.show(request, response, {
      template: 'settings/git-list',
      view: { sources: sources.map(gitRow) },
      title: 'Git sources',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${gitBase}/new`, requireRole('admin'), async (request, response) => {
    await form(request, response, newGitValues, {}, null);
  });

  router.post(`${gitBase}/new`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = postedGit(request.body);
    const read = readGit(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, null);
      return;
    }
    const { settings, environment } = read;
    try {
      const { id, webhookSecret } = await db.write(scope, async (tx) => {
        const made = await createGitSource(tx, { orgId, environment, settings, actor });
        await gitSchedules.keep({ orgId, sourceId: made.id, intervalMs: settings.intervalMs });
        return made;
      });
      await syncSoon(orgId, id, settings.intervalMs);
      await show(request, response, await find(request, id), webhookSecret);
    } catch (error) {
      if (!(error instanceof EnvironmentTakenError)) throw error;
      const problem = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
      await form(request, response, values, { environment: problem }, null);
    }
  });

  router.get(`${gitBase}/:id`, async (request, response) => {
    await show(request, response, await find(request, request.params.id), null);
  });

  router.get(`${gitBase}/:id/edit`, requireRole('admin'), async (request, response) => {
    const source = await find(request, request.params.id);
    await form(request, response, gitValues(source), {}, source.id);
  });

  router.post(`${gitBase}/:id/edit`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { id, environment } = await find(request, request.params.id);
    const values = { ...postedGit(request.body), environment };
    const read = readGit(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, id);
      return;
    }
    const { settings } = read;
    await db.write(scope, async (tx) => {
      await changeGitSource(tx, { orgId, id, settings, actor });
      await gitSchedules.keep({ orgId, sourceId: id, intervalMs: settings.intervalMs });
    });
    await syncSoon(orgId, id, settings.intervalMs);
    setFlash(response, 'good', 'Saved. What it names now is read at once.');
    response.redirect(303, `${gitBase}/${id}`);
  });

  router.post(`${gitBase}/:id/sync`, requireRole('admin'), async (request, response) => {
    const { orgId } = visitorOf(request);
    const { id, intervalMs } = await find(request, request.params.id);
    await gitSchedules.sync({ orgId, sourceId: id, intervalMs });
    setFlash(response, 'plain', 'The branch is being read; what comes of it stands here in a moment.');
    response.redirect(303, `${gitBase}/${id}`);
  });

  router.post(`${gitBase}/:id/webhook-secret`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const source = await find(request, request.params.id);
    const secret = await db.write(scope, (tx) => rotateWebhookSecret(tx, { orgId, id: source.id, actor }));
    await show(request, response, source, secret ?? null);
  });

  router.post(`${gitBase}/:id/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { id } = await find(request, request.params.id);
    await db.write(scope, (tx) => removeGitSource(tx, { orgId, id, actor }));
    // a schedule that stays finds no source when it is due, and goes then
    await unlessAway(() => gitSchedules.remove(orgId, id));
    setFlash(response, 'good', 'The source and its runbooks are removed. What runs goes on.');
    response.redirect(303, gitBase);
  });

  async function find(request: Request, given: unknown): Promise<GitSourceStanding> {
    const id = uuidOf(given, 'Git source');
    const source = await db.read(visitorOf(request).scope, (tx) => getGitSource(tx, id));
    if (!source) throw new NotFoundError('There is no such Git source.');
    return source;
  }

  async function syncSoon(orgId: string, sourceId: string, intervalMs: number): Promise<void> {
    await unlessAway(() => gitSchedules.sync({ orgId, sourceId, intervalMs }));
  }

  async function show(
    request: Request,
    response: Response,
    source: GitSourceStanding,
    secret: string | null,
  ): Promise<void> {
    const cursor = typeof request.query.cursor === 'string' ? request.query.cursor : undefined;
    const page = await db
      .read(visitorOf(request).scope, (tx) =>
        listImports(tx, { sourceId: source.id, limit: importsOnPage, cursor }),
      )
      .catch((error: unknown) => {
        throw error instanceof InvalidCursorError
          ? new NotFoundError('This page of imports is not there.')
          : error;
      });
    const own = `${gitBase}/${source.id}`;
    await pages.show(request, response, {
      template: 'settings/git-show',
      view: {
        row: gitRow(source),
        sentence: sentenceOf(source),
        refused: source.lastImport?.status === 'refused' ? importRow(source.lastImport) : null,
        editHref: `${own}/edit`,
        syncAction: `${own}/sync`,
        runbooksHref: '/runbooks',
        webhook: {
          url: `${deps.publicUrl}/api/v1/git-sources/${source.id}/webhook`,
          secret,
          rotateAction: `${own}/webhook-secret`,
        },
        imports: page.items.map(importRow),
        olderHref: page.nextCursor ? `${own}?cursor=${encodeURIComponent(page.nextCursor)}` : null,
      },
      title: 'Git source',
      section: 'settings',
      narrow: true,
      secret: secret !== null,
    });
  }

  async function form(
    request: Request,
    response: Response,
    values: GitValues,
    problems: Problems,
    id: string | null,
  ): Promise<void> {
    await pages.show(request, response, {
      template: 'settings/git-form',
      view: { form: gitFormView(values, problems, id) },
      title: id === null ? 'New Git source' : 'Change Git source',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

async function unlessAway(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof TemporalUnavailableError)) throw error;
  }
}
