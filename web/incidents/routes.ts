import { Router } from 'express';
import { listPeople } from '../../db/identity.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { countIncidents, incidentCounts, listIncidentServices, listIncidents } from '../../db/incidents.ts';
import { testIncidentKinds } from '../../domain/test-incident.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import { filterOf, listView, type PersonNames, parseListQuery, windows } from './list-view.ts';

const pageSize = 50;
const countLimit = 10_000;

export function incidentRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/incidents', async (request, response) => {
    const { scope } = visitorOf(request);
    const query = parseListQuery(request.query);
    const filter = filterOf(query, pages.now());
    const found = await deps.db.read(scope, async (tx) => {
      const page = await listIncidents(tx, {
        ...filter,
        limit: pageSize,
        ...(query.cursor ? { cursor: query.cursor } : {}),
      });
      return {
        items: page.items,
        nextCursor: page.nextCursor ?? null,
        matching: await countIncidents(tx, filter, countLimit),
        counts: await incidentCounts(tx, { windowMs: windows[query.window] }),
        services: await listIncidentServices(tx),
        names: namesOf(await listPeople(tx)),
        everAny: page.items.length > 0 || (await listIncidents(tx, { limit: 1 })).items.length > 0,
      };
    });
    const view = listView({ ...found, query, countLimit, publicUrl: deps.publicUrl });
    await pages.show(request, response, {
      template: 'incidents/list',
      view: { ...view, testKinds },
      title: found.counts.active > 0 ? `(${found.counts.active}) Incidents` : 'Incidents',
      section: 'incidents',
      search: query.q,
    });
  });

  router.post('/incidents/test', requireRole('operator'), async (request, response) => {
    const given = posted(request.body, 'kind');
    const kind = testKinds.find((known) => known.kind === given)?.kind;
    if (!kind) throw new NotFoundError('There is no such test incident.');
    await deps.sendTestIncident(visitorOf(request).orgId, kind);
    setFlash(
      response,
      'good',
      'The test alert is in. Its incident is in this list within a second or two; one that is open already sees it again.',
    );
    response.redirect(303, '/incidents');
  });

  router.get('/search', async (request, response) => {
    const { scope } = visitorOf(request);
    const q = typeof request.query.q === 'string' ? request.query.q.trim() : '';
    const number = /^#?(\d{1,9})$/.exec(q)?.[1];
    const found =
      number === undefined ? undefined : await deps.db.read(scope, (tx) => findIncident(tx, Number(number)));
    response.redirect(303, found ? `/incidents/${found.number}` : `/incidents?q=${encodeURIComponent(q)}`);
  });

  return router;
}

const namesOf = (people: { email: string; name: string }[]): PersonNames =>
  new Map(people.flatMap(({ email, name }) => (name ? [[email, name]] : [])));

const testLabels = {
  database: 'Database down',
  cpu: 'High CPU',
  latency: 'API latency',
  random: 'Surprise me',
};
const testKinds = ([...testIncidentKinds, 'random'] as const).map((kind) => ({
  kind,
  label: testLabels[kind],
}));
