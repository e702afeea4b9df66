import { type Request, type Response, Router } from 'express';
import { findIncident } from '../../db/incident-detail.ts';
import { listLogSources } from '../../db/log-sources.ts';
import { deleteLogTemplate, getLogTemplate, putLogTemplate } from '../../db/log-templates.ts';
import type { LogTemplate } from '../../domain/logs/log-template.ts';
import type { TemplatePreview, WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import { logSourcesPath } from './log-source-form.ts';
import {
  type LogTemplateValues,
  logTemplateFormView,
  logTemplatesPath,
  logTemplateValues,
  postedLogTemplate,
  readLogTemplate,
} from './log-template-form.ts';

export function logTemplateRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(`${logTemplatesPath}/new`, requireRole('admin'), async (request, response) => {
    const sources = await deps.db.read(visitorOf(request).scope, listLogSources);
    // most have one kind of source, and write in its language
    const kind = sources.map(({ definition }) => definition.kind).find((each) => each !== 'builtin');
    await form(request, response, postedLogTemplate({ kind }), {}, { existing: false });
  });

  router.get(`${logTemplatesPath}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const template = await find(request, name);
    if (!template) throw new NotFoundError(`There is no query template ${name}.`);
    await form(request, response, logTemplateValues(name, template.definition), {}, { existing: true });
  });

  router.post(`${logTemplatesPath}/new`, requireRole('admin'), async (request, response) => {
    const values = postedLogTemplate(request.body);
    if (await find(request, values.name)) {
      await form(request, response, values, { name: 'There is one of this name.' }, { existing: false });
      return;
    }
    await saveOrTry(request, response, values, false);
  });

  router.post(`${logTemplatesPath}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    if (!(await find(request, name))) throw new NotFoundError(`There is no query template ${name}.`);
    await saveOrTry(request, response, { ...postedLogTemplate(request.body), name }, true);
  });

  router.post(`${logTemplatesPath}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await deps.db.write(scope, (tx) => deleteLogTemplate(tx, { orgId, name, actor: email }));
    setFlash(response, 'good', `The query template ${name} is deleted.`);
    response.redirect(303, logSourcesPath);
  });

  async function find(request: Request, name: string) {
    return await deps.db.read(visitorOf(request).scope, (tx) => getLogTemplate(tx, name));
  }

  /** One form with two buttons: what is tried is what stands in the form, and is not saved. */
  async function saveOrTry(
    request: Request,
    response: Response,
    values: LogTemplateValues,
    existing: boolean,
  ): Promise<void> {
    const { scope, orgId, email } = visitorOf(request);
    const read = readLogTemplate(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, { existing });
      return;
    }
    if (request.body?.do === 'try') {
      await tryOut(request, response, values, { existing, template: read.definition });
      return;
    }
    await deps.db.write(scope, (tx) =>
      putLogTemplate(tx, { orgId, name: values.name, definition: read.definition, actor: email }),
    );
    setFlash(response, 'good', `The query template ${values.name} is saved.`);
    response.redirect(303, logSourcesPath);
  }

  async function tryOut(
    request: Request,
    response: Response,
    values: LogTemplateValues,
    given: { existing: boolean; template: LogTemplate },
  ): Promise<void> {
    const { scope, orgId } = visitorOf(request);
    const number = Number(values.incident);
    const incident =
      Number.isSafeInteger(number) && number > 0
        ? await deps.db.read(scope, (tx) => findIncident(tx, number))
        : undefined;
    const preview = incident && (await deps.logDesk.preview(orgId, given.template, incident.id));
    const problems = preview ? {} : { incident: 'Write the number of an incident with alerts.' };
    await form(request, response, values, problems, {
      existing: given.existing,
      ...(preview ? { preview } : {}),
    });
  }

  async function form(
    request: Request,
    response: Response,
    values: LogTemplateValues,
    problems: Problems,
    given: { existing: boolean; preview?: TemplatePreview },
  ): Promise<void> {
    const sources = await deps.db.read(visitorOf(request).scope, listLogSources);
    await pages.show(request, response, {
      template: 'settings/log-template-form',
      view: {
        form: logTemplateFormView(values, problems, {
          existing: given.existing,
          sources: sources.map(({ name }) => name),
        }),
        preview: given.preview
          ? {
              ...given.preview,
              lines: given.preview.lines.map(({ at, level, message }) => ({
                at: new Date(at).toISOString(),
                level,
                message,
              })),
            }
          : null,
      },
      title: given.existing ? `Query template ${values.name}` : 'New query template',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}
