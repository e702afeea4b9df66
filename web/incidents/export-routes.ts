import { Router } from 'express';
import { readIncidentExport } from '../../db/incident-export.ts';
import { markdownOf } from '../../domain/incident-export/markdown.ts';
import type { WebDeps } from '../deps.ts';
import type { Pages } from '../layout/pages.ts';
import { visitorOf } from '../visitor.ts';
import { noSuchIncident, numberOf } from './number.ts';

/** An incident as a file: the draft of a post-mortem, or all of it as JSON. */
export function incidentExportRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/incidents/:number/export', async (request, response) => {
    const number = numberOf(request);
    const given = { publicUrl: deps.publicUrl, now: pages.now() };
    const found = await deps.db.read(visitorOf(request).scope, (tx) => readIncidentExport(tx, number, given));
    if (!found) throw noSuchIncident(number);
    const json = request.query.format === 'json';
    response
      .set('Cache-Control', 'no-store')
      .attachment(`incident-${number}.${json ? 'json' : 'md'}`)
      .type(json ? 'application/json' : 'text/markdown; charset=utf-8')
      .send(json ? JSON.stringify(found, null, 2) : markdownOf(found));
  });

  return router;
}
