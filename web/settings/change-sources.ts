import { type Request, type Response, Router } from 'express';
import {
  type ChangeSource,
  changeChangeSource,
  createChangeSource,
  getChangeSource,
  listChangeSources,
  removeChangeSource,
  rotateChangeSourceSecret,
  SourceNameTakenError,
  webhookKinds,
} from '../../db/change-sources.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { listTeams } from '../../db/teams.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  changeSourcesBase as base,
  newSourceValues,
  postedSource,
  readSource,
  type SourceValues,
  sourceFormView,
  sourceValues,
} from './change-source-form.ts';
import { sourcePageView, sourceRow } from './change-source-view.ts';

/** Who tells of changes, how each is connected, and how what it sends is read. */
export function changeSourceRoutes(deps: Pick<WebDeps, 'db' | 'publicUrl'>, pages: Pages): Router {
  const { db } = deps;
  const router = Router();

  router.get(base, async (request, response) => {
    const sources = await db.read(visitorOf(request).scope, listChangeSources);
    await pages.show(request, response, {
      template: 'settings/change-source-list',
      view: {
        sources: sources.map(sourceRow),
        command: `curl -X POST ${deps.publicUrl}/api/v1/changes \\
  -H "Authorization: Bearer $HOLDFAST_INGEST_KEY" -H "Content-Type: application/json" \\
  -d '{"service":"payment-service","version":"v2.3.1","environment":"production"}'`,
      },
      title: 'Sources of changes',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    const kind = webhookKinds.find((each) => each === request.query.kind) ?? newSourceValues.kind;
    await form(request, response, { ...newSourceValues, kind }, {}, null);
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = postedSource(request.body);
    const read = readSource(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, null);
      return;
    }
    try {
      const { id, secret } = await db.write(scope, (tx) =>
        createChangeSource(tx, { orgId, kind: values.kind, ...read, actor }),
      );
      await show(request, response, await find(request, id), secret);
    } catch (error) {
      await form(request, response, values, refusal(error), null);
    }
  });

  router.get(`${base}/:id`, async (request, response) => {
    await show(request, response, await find(request, request.params.id), null);
  });

  router.get(`${base}/:id/edit`, requireRole('admin'), async (request, response) => {
    const source = await find(request, request.params.id);
    await form(request, response, sourceValues(source), {}, source);
  });

  router.post(`${base}/:id/edit`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const source = await find(request, request.params.id);
    const { id, kind } = source;
    const values = { ...postedSource(request.body), kind };
    const read = readSource(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, source);
      return;
    }
    try {
      await db.write(scope, (tx) => changeChangeSource(tx, { orgId, id, ...read, actor }));
    } catch (error) {
      await form(request, response, values, refusal(error), source);
      return;
    }
    setFlash(response, 'good', 'Saved. What it sends from now on is read so.');
    response.redirect(303, `${base}/${id}`);
  });

  router.post(`${base}/:id/secret`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const source = await find(request, request.params.id);
    const secret = await db.write(scope, (tx) =>
      rotateChangeSourceSecret(tx, { orgId, id: source.id, actor }),
    );
    await show(request, response, source, secret ?? null);
  });

  router.post(`${base}/:id/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { id } = await find(request, request.params.id);
    await db.write(scope, (tx) => removeChangeSource(tx, { orgId, id, actor }));
    setFlash(response, 'good', 'The source is removed; its changes stay.');
    response.redirect(303, base);
  });

  async function find(request: Request, given: unknown): Promise<ChangeSource> {
    const id = uuidOf(given, 'source of changes');
    const source = await db.read(visitorOf(request).scope, (tx) => getChangeSource(tx, id));
    if (!source) throw new NotFoundError('There is no such source of changes.');
    return source;
  }

  async function show(
    request: Request,
    response: Response,
    source: ChangeSource,
    secret: string | null,
  ): Promise<void> {
    await pages.show(request, response, {
      template: 'settings/change-source-show',
      view: sourcePageView(source, deps.publicUrl, secret),
      title: source.name,
      section: 'settings',
      narrow: true,
      secret: secret !== null,
    });
  }

  async function form(
    request: Request,
    response: Response,
    values: SourceValues,
    problems: Problems,
    source: ChangeSource | null,
  ): Promise<void> {
    const teams = await db.read(visitorOf(request).scope, listTeams);
    await pages.show(request, response, {
      template: 'settings/change-source-form',
      view: { form: sourceFormView(values, problems, source, teams) },
      title: source === null ? 'New source of changes' : 'Change a source of changes',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

/** What to write instead, by field; throws `error` again where it is another one. */
function refusal(error: unknown): Problems {
  const field =
    error instanceof SourceNameTakenError
      ? 'name'
      : error instanceof UnknownReferenceError
        ? error.field
        : undefined;
  if (field === undefined || !(error instanceof Error)) throw error;
  return { [field]: `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.` };
}
