import { type Request, type Response, Router } from 'express';
import { putReportSettings, readReportSettings } from '../../db/report-audience.ts';
import { listTeams } from '../../db/teams.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  postedReports,
  type ReportValues,
  readReports,
  reportsFormView,
  reportValues,
} from './reports-form.ts';

const base = '/settings/reports';

/** Who gets the weekly and monthly reports, and in which time zone they count. */
export function reportSettingsRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, requireRole('admin'), async (request, response) => {
    const settings = await deps.db.read(visitorOf(request).scope, readReportSettings);
    await form(request, response, reportValues(settings), {});
  });

  router.post(base, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const values = postedReports(request.body);
    const teams = await deps.db.read(scope, listTeams);
    const read = readReports(
      values,
      teams.map(({ slug }) => slug),
    );
    if ('problems' in read) {
      await form(request, response, values, read.problems);
      return;
    }
    const { settings } = read;
    await deps.db.write(scope, (tx) => putReportSettings(tx, { orgId, settings, actor: email }));
    setFlash(response, 'good', 'Saved. The next reports go by it.');
    response.redirect(303, base);
  });

  async function form(request: Request, response: Response, values: ReportValues, problems: Problems) {
    await pages.show(request, response, {
      template: 'settings/reports',
      view: { form: reportsFormView(values, problems) },
      title: 'Report settings',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}
