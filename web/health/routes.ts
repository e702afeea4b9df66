import { Router } from 'express';
import { readDispatchGauges } from '../../db/dispatch.ts';
import type { WebDeps } from '../deps.ts';
import type { Pages } from '../layout/pages.ts';
import { healthView } from './view.ts';

export function healthRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();
  router.get('/health', async (request, response) => {
    const states = await deps.readiness();
    const gauges = await readDispatchGauges(deps.db);
    await pages.show(request, response, {
      template: 'health/show',
      view: healthView(
        states,
        { ...gauges, oldestMs: gauges.oldestSeconds * 1000 },
        {
          version: deps.version,
          publicUrl: deps.publicUrl,
          temporalUrl: deps.temporalUiUrl,
        },
      ),
      title: 'System health',
      section: 'health',
      narrow: true,
    });
  });
  return router;
}
