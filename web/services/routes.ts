import { type Request, Router } from 'express';
import { InvalidCursorError } from '../../db/cursor.ts';
import type { Tx } from '../../db/database.ts';
import {
  callsOf,
  getService,
  kindsOf,
  listDependencies,
  listServices,
  listTrouble,
} from '../../db/services.ts';
import { serviceGraph } from '../../domain/topology/graph.ts';
import type { WebDeps } from '../deps.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { visitorOf } from '../visitor.ts';
import { declareRoutes } from './declare.ts';
import { importRoutes } from './import.ts';
import { pageSize, parseServicesQuery, servicesView } from './list-view.ts';
import { serviceView } from './show-view.ts';
import { type KnownTopology, parseTopologyQuery, topologyView } from './topology-view.ts';

/** What services there are, who calls whom, and where it fails. */
export function serviceRoutes(deps: Pick<WebDeps, 'db' | 'parseTopology'>, pages: Pages): Router {
  const { db } = deps;
  const router = Router();

  router.get('/services', async (request, response) => {
    const query = parseServicesQuery(request.query);
    const found = await db
      .read(visitorOf(request).scope, async (tx) => {
        const page = await listServices(tx, {
          limit: pageSize,
          ...(query.q ? { q: query.q } : {}),
          ...(query.cursor ? { cursor: query.cursor } : {}),
        });
        const everAny = page.items.length > 0 || (await listServices(tx, { limit: 1 })).items.length > 0;
        return { page, trouble: await listTrouble(tx), everAny };
      })
      .catch((error: unknown) => {
        throw error instanceof InvalidCursorError
          ? new NotFoundError('This page of services is not there.')
          : error;
      });
    await pages.show(request, response, {
      template: 'services/list',
      view: servicesView(query, found),
      title: 'Services',
      section: 'services',
      search: query.q,
    });
  });

  router.get('/topology', async (request, response) => {
    const query = parseTopologyQuery(request.query);
    const known = await db.read(visitorOf(request).scope, readTopology);
    await pages.show(request, response, {
      template: 'services/topology',
      view: topologyView(query, known),
      title: query.around === '' ? 'Who calls whom' : `Around ${query.around}`,
      section: 'services',
    });
  });

  router.use(importRoutes(deps, pages));
  router.use(declareRoutes(deps, pages));

  router.get('/services/:name', async (request, response) => {
    const name = nameIn(request);
    const found = await db.read(visitorOf(request).scope, async (tx) => {
      const service = await getService(tx, name);
      return service && { service, ...(await readTopology(tx)), ...(await callsOf(tx, name)) };
    });
    if (!found) throw new NotFoundError('There is no such service, or it belongs to another team.');
    await pages.show(request, response, {
      template: 'services/show',
      view: serviceView(found.service, found),
      title: name,
      section: 'services',
      teamId: found.service.teamId,
    });
  });

  return router;
}

async function readTopology(tx: Tx): Promise<KnownTopology> {
  const dependencies = await listDependencies(tx);
  const graph = serviceGraph(dependencies);
  return {
    graph,
    dependencies,
    incidents: await listTrouble(tx),
    kinds: await kindsOf(tx, graph.services),
  };
}

function nameIn(request: Request): string {
  return String(request.params.name);
}
