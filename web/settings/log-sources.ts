import { type Request, type Response, Router } from 'express';
import {
  deleteLogSource,
  getLogSource,
  type LogSourceRow,
  listLogSources,
  putLogSource,
  recordProbe,
} from '../../db/log-sources.ts';
import { listLogTemplates } from '../../db/log-templates.ts';
import { logSourceKindNames, logSourceKinds } from '../../domain/logs/log-source.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  kindOf,
  type LogSourceValues,
  logSourceFormView,
  logSourcesPath,
  logSourceValues,
  newLogSource,
  postedLogSource,
  readLogSource,
} from './log-source-form.ts';
import { templateRow } from './log-template-form.ts';
import { matchText } from './matching.ts';

export function logSourceRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(logSourcesPath, async (request, response) => {
    const { sources, templates } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      sources: await listLogSources(tx),
      templates: await listLogTemplates(tx),
    }));
    await pages.show(request, response, {
      template: 'settings/log-source-list',
      view: {
        sources: sources.map(sourceRow),
        templates: templates.map(templateRow),
        kinds: logSourceKinds.map((kind) => ({
          name: logSourceKindNames[kind],
          href: `${logSourcesPath}/new?kind=${kind}`,
        })),
      },
      title: 'Logs',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${logSourcesPath}/new`, requireRole('admin'), async (request, response) => {
    await form(request, response, newLogSource(kindOf(String(request.query.kind))), {}, null);
  });

  router.get(`${logSourcesPath}/:name`, requireRole('admin'), async (request, response) => {
    const row = await present(request);
    await form(request, response, logSourceValues(row.name, row.definition), {}, row);
  });

  router.post(`${logSourcesPath}/new`, requireRole('admin'), async (request, response) => {
    const values = postedLogSource(request.body);
    if (await find(request, values.name)) {
      await form(request, response, values, { name: 'There is one of this name.' }, null);
      return;
    }
    await save(request, response, values, null);
  });

  router.post(`${logSourcesPath}/:name`, requireRole('admin'), async (request, response) => {
    const row = await present(request);
    const values = { ...postedLogSource(request.body), name: row.name, kind: row.definition.kind };
    await save(request, response, values, row);
  });

  router.post(`${logSourcesPath}/:name/probe`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { name } = await present(request);
    await deps.db.write(scope, (tx) => recordProbe(tx, { orgId, name, actor }));
    const outcome = await deps.logDesk.probe(orgId, name);
    if (outcome && 'health' in outcome) setFlash(response, 'good', `${name}: ${outcome.health}.`);
    else setFlash(response, 'bad', `${name}: ${outcome?.error ?? 'it is not there any more'}`.slice(0, 400));
    response.redirect(303, `${logSourcesPath}/${encodeURIComponent(name)}`);
  });

  router.post(`${logSourcesPath}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await deps.db.write(scope, (tx) => deleteLogSource(tx, { orgId, name, actor: email }));
    setFlash(response, 'good', `The log source ${name} is deleted.`);
    response.redirect(303, logSourcesPath);
  });

  async function find(request: Request, name: string): Promise<LogSourceRow | undefined> {
    return await deps.db.read(visitorOf(request).scope, (tx) => getLogSource(tx, name));
  }

  async function present(request: Request): Promise<LogSourceRow> {
    const name = String(request.params.name);
    const row = await find(request, name);
    if (!row) throw new NotFoundError(`There is no log source ${name}.`);
    return row;
  }

  async function save(
    request: Request,
    response: Response,
    values: LogSourceValues,
    existing: LogSourceRow | null,
  ): Promise<void> {
    const { scope, orgId, email } = visitorOf(request);
    const read = readLogSource(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, existing);
      return;
    }
    const { definition } = read;
    await deps.db.write(scope, (tx) =>
      putLogSource(tx, { orgId, name: values.name, definition, actor: email }),
    );
    setFlash(response, 'good', `The log source ${values.name} is saved. Ask it how it is.`);
    response.redirect(303, `${logSourcesPath}/${encodeURIComponent(values.name)}`);
  }

  async function form(
    request: Request,
    response: Response,
    values: LogSourceValues,
    problems: Problems,
    existing: LogSourceRow | null,
  ): Promise<void> {
    await pages.show(request, response, {
      template: 'settings/log-source-form',
      view: {
        form: logSourceFormView(values, problems, existing !== null),
        standing: existing ? sourceRow(existing) : null,
      },
      title: existing ? `Log source ${values.name}` : 'New log source',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

function sourceRow({ name, definition, health, error, checkedAt }: LogSourceRow) {
  return {
    name,
    href: `${logSourcesPath}/${encodeURIComponent(name)}`,
    kind: logSourceKindNames[definition.kind],
    place: placeOf(definition),
    match: matchText(definition.match),
    state:
      checkedAt === null
        ? { word: 'Not asked yet', tone: 'quiet', icon: 'clock' }
        : error !== null
          ? { word: 'Fails', tone: 'warning', icon: 'warning' }
          : { word: 'Answers', tone: 'good', icon: 'done' },
    said: error ?? health,
    checkedAt: checkedAt?.toISOString() ?? null,
  };
}

function placeOf(definition: LogSourceRow['definition']): string {
  switch (definition.kind) {
    case 'builtin':
      return 'lines sent to Holdfast';
    case 'cloudwatch':
      return `${definition.region}: ${definition.logGroups.join(', ')}`;
    default:
      return definition.url;
  }
}
