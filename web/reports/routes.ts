import { type Request, Router } from 'express';
import { getReport, listReports } from '../../db/reports.ts';
import type { WebDeps } from '../deps.ts';
import { sendFramedHtml } from '../layout/frame-html.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import { reportFigures, reportRow } from './view.ts';

export function reportRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/reports', async (request, response) => {
    const cursor = typeof request.query.cursor === 'string' ? request.query.cursor : undefined;
    const page = await deps.db.read(visitorOf(request).scope, (tx) => listReports(tx, { limit: 30, cursor }));
    await pages.show(request, response, {
      template: 'reports/list',
      view: {
        rows: page.items.map((report) => reportRow(report, pages.now())),
        nextHref: page.nextCursor ? `/reports?cursor=${encodeURIComponent(page.nextCursor)}` : null,
      },
      title: 'Reports',
      section: 'reports',
    });
  });

  for (const kind of ['sla', 'capacity'] as const) {
    router.post(`/reports/${kind}/send`, requireRole('operator'), async (request, response) => {
      const { orgId, email } = visitorOf(request);
      await act(response, '/reports', async () => {
        await deps.messages.startReport(orgId, kind, email);
        return 'The report is being made; it appears here when it goes out.';
      });
    });
  }

  router.get('/reports/:id', async (request, response) => {
    const report = await find(request);
    await pages.show(request, response, {
      template: 'reports/show',
      view: {
        ...reportRow(report, pages.now()),
        ...reportFigures(report),
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

  async function find(request: Request) {
    const id = uuidOf(request.params.id, 'report');
    const report = await deps.db.read(visitorOf(request).scope, (tx) => getReport(tx, id));
    if (!report) throw new NotFoundError('There is no such report.');
    return report;
  }

  return router;
}
