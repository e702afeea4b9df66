import { type Request, Router } from 'express';
import { readerZones } from '../../db/report-audience.ts';
import { getReport, listReports } from '../../db/reports.ts';
import { findTeam, listTeams } from '../../db/teams.ts';
import { reportCsv, tableCsv } from '../../domain/reports/csv.ts';
import { reportSpans } from '../../domain/reports/period.ts';
import { storedReport } from '../../domain/reports/stored.ts';
import { reportTables } from '../../domain/reports/tables.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { sendFramedHtml } from '../layout/frame-html.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, requireRole, visitorOf } from '../visitor.ts';
import { reportFigures, reportRow } from './view.ts';

const onItsWay = 'The report is being made; it appears here when it goes out.';

export function reportRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/reports', async (request, response) => {
    const cursor = typeof request.query.cursor === 'string' ? request.query.cursor : undefined;
    const { page, teams } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      page: await listReports(tx, { limit: 30, cursor }),
      teams: await listTeams(tx),
    }));
    await pages.show(request, response, {
      template: 'reports/list',
      view: {
        rows: page.items.map((report) => reportRow(report, pages.now(), teams)),
        teams: teams.map(({ slug, name }) => ({ slug, name })),
        nextHref: page.nextCursor ? `/reports?cursor=${encodeURIComponent(page.nextCursor)}` : null,
      },
      title: 'Reports',
      section: 'reports',
    });
  });

  router.post('/reports/sla/send', requireRole('operator'), async (request, response) => {
    const { orgId, email, scope } = visitorOf(request);
    const span = reportSpans.find((known) => known === posted(request.body, 'span')) ?? 'week';
    const slug = posted(request.body, 'team');
    const team = slug === '' ? undefined : await deps.db.read(scope, (tx) => findTeam(tx, slug));
    if (slug !== '' && !team) throw new NotFoundError(`There is no team ${slug}.`);
    if (team) assertVisitorRole(request, 'operator', team.id);
    await act(response, '/reports', async () => {
      await deps.messages.startReport(orgId, 'sla', email, { span, ...(team ? { teamId: team.id } : {}) });
      return onItsWay;
    });
  });

  router.post('/reports/capacity/send', requireRole('operator'), async (request, response) => {
    const { orgId, email } = visitorOf(request);
    await act(response, '/reports', async () => {
      await deps.messages.startReport(orgId, 'capacity', email);
      return onItsWay;
    });
  });

  router.get('/reports/:id', async (request, response) => {
    const report = await find(request);
    const { scope, email } = visitorOf(request);
    const { zone, teams } = await deps.db.read(scope, async (tx) => ({
      zone: (await readerZones(tx, [email])).byAddress.get(email) ?? null,
      teams: await listTeams(tx),
    }));
    await pages.show(request, response, {
      template: 'reports/show',
      view: {
        ...reportRow(report, pages.now(), teams),
        ...reportFigures(report, zone),
        csvHref: `/reports/${report.id}/csv`,
        htmlHref: `/reports/${report.id}/html`,
        textHref: `/reports/${report.id}/text`,
      },
      title: report.subject,
      section: 'reports',
    });
  });

  router.get('/reports/:id/html', async (request, response) => {
    sendFramedHtml(response, (await find(request)).html);
  });

  router.get('/reports/:id/text', async (request, response) => {
    const report = await find(request);
    response.set('Cache-Control', 'private, no-cache').type('text/plain').send(report.text);
  });

  router.get('/reports/:id/csv', async (request, response) => {
    const report = await find(request);
    const stored = storedReport(report.data);
    const tables = stored ? reportTables(stored, Date.parse(report.periodEnd)) : [];
    const wanted = typeof request.query.table === 'string' ? request.query.table : undefined;
    const table = tables.find(({ id }) => id === wanted);
    if (tables.length === 0 || (wanted !== undefined && !table)) {
      throw new NotFoundError('This report has no such table.');
    }
    response
      .set('Cache-Control', 'private, no-cache')
      .attachment(`report-${report.id}${table ? `-${table.id}` : ''}.csv`)
      .type('text/csv')
      .send(table ? tableCsv(table) : reportCsv(tables));
  });

  async function find(request: Request) {
    const id = uuidOf(request.params.id, 'report');
    const report = await deps.db.read(visitorOf(request).scope, (tx) => getReport(tx, id));
    if (!report) throw new NotFoundError('There is no such report.');
    return report;
  }

  return router;
}
