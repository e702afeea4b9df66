import { type Request, Router } from 'express';
import { getExecution } from '../../db/executions-read.ts';
import { listPeople } from '../../db/identity.ts';
import { findIncident, getIncidentByNumber, listTimeline } from '../../db/incident-detail.ts';
import { countIncidents, incidentCounts, listIncidentServices, listIncidents } from '../../db/incidents.ts';
import { listIncidentNotifications } from '../../db/notifications-read.ts';
import { durationMs } from '../../domain/duration.ts';
import { testIncidentKinds } from '../../domain/test-incident.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { assertVisitorRole, requireRole, visitorOf } from '../visitor.ts';
import { filterOf, listView, type PersonNames, parseListQuery, windows } from './list-view.ts';
import { incidentView } from './show-view.ts';

const pageSize = 50;
const timelineSize = 60;
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

  router.get('/incidents/:number', async (request, response) => {
    const { scope } = visitorOf(request);
    const number = numberOf(request);
    const before = typeof request.query.before === 'string' ? request.query.before : undefined;
    const input = await deps.db.read(scope, async (tx) => {
      const incident = await getIncidentByNumber(tx, number);
      if (!incident) return undefined;
      const timeline = await listTimeline(tx, {
        incidentId: incident.id,
        limit: timelineSize,
        newestFirst: true,
        ...(before === undefined ? {} : { cursor: before }),
      });
      const notifications = await listIncidentNotifications(tx, { incidentId: incident.id, limit: 50 });
      const pending = incident.approvals.filter((approval) => approval.status === 'pending').slice(0, 5);
      const proposed = [];
      for (const approval of pending) {
        const execution = await getExecution(tx, approval.executionId);
        if (execution) proposed.push(execution);
      }
      const people = (await listPeople(tx)).filter((person) => person.disabledAt === null);
      return {
        incident,
        timeline: timeline.items,
        olderTimelineHref: timeline.nextCursor
          ? `/incidents/${number}?before=${encodeURIComponent(timeline.nextCursor)}#timeline-title`
          : null,
        notifications: notifications.items,
        proposed,
        people,
      };
    });
    if (!input) throw noSuchIncident(number);
    const view = incidentView({
      ...input,
      workflowUrl: deps.workflowUrl(input.incident.workflowId),
      now: pages.now(),
    });
    await pages.show(request, response, {
      template: 'incidents/show',
      view,
      title: `#${number} ${input.incident.title}`,
      section: 'incidents',
      teamId: input.incident.teamId,
    });
  });

  router.post('/incidents/:number/acknowledge', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.acknowledge(orgId, number, command);
      return 'Acknowledged: it is yours, and the escalation has stopped.';
    });
  });

  router.post('/incidents/:number/resolve', async (request, response) => {
    const { number, command, orgId, note } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.resolve(orgId, number, { ...command, ...note });
      return 'Resolved.';
    });
  });

  router.post('/incidents/:number/false-positive', async (request, response) => {
    const { number, command, orgId, note } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.resolve(orgId, number, { ...command, ...note, falsePositive: true });
      return 'Marked as a false positive.';
    });
  });

  router.post('/incidents/:number/assign', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    const to = posted(request.body, 'to');
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.assign(orgId, number, { ...command, to });
      return `Assigned to ${to}.`;
    });
  });

  router.post('/incidents/:number/snooze', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    const length = snoozes.find((known) => known === posted(request.body, 'for')) ?? '1h';
    const until = new Date(pages.now() + durationMs(length)).toISOString();
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.snooze(orgId, number, { ...command, until });
      return `Snoozed for ${length}: nobody is paged until then. The SLA clocks run on.`;
    });
  });

  router.post('/incidents/:number/notes', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    const text = posted(request.body, 'text');
    if (text === '') {
      setFlash(response, 'bad', 'The note is empty: write something first.');
      response.redirect(303, `/incidents/${number}`);
      return;
    }
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.addNote(orgId, number, { ...command, text });
      return 'The note is on the timeline.';
    });
  });

  router.get('/search', async (request, response) => {
    const { scope } = visitorOf(request);
    const q = typeof request.query.q === 'string' ? request.query.q.trim() : '';
    const number = /^#?(\d{1,9})$/.exec(q)?.[1];
    const found =
      number === undefined ? undefined : await deps.db.read(scope, (tx) => findIncident(tx, Number(number)));
    response.redirect(303, found ? `/incidents/${found.number}` : `/incidents?q=${encodeURIComponent(q)}`);
  });

  /** Who commands what: throws unless the visitor sees the incident and may act on it. */
  async function commandOf(request: Request) {
    const { orgId, email, scope } = visitorOf(request);
    const number = numberOf(request);
    const incident = await deps.db.read(scope, (tx) => findIncident(tx, number));
    if (!incident) throw noSuchIncident(number);
    assertVisitorRole(request, 'operator', incident.teamId);
    const asOf = Number(posted(request.body, 'asOf') || Number.NaN);
    const note = posted(request.body, 'note').slice(0, 2000);
    return {
      number,
      orgId,
      command: {
        actor: { name: email, via: 'page' as const },
        asOf: Number.isSafeInteger(asOf) && asOf >= 0 ? asOf : incident.recordedSeq,
      },
      note: note ? { note } : {},
    };
  }

  return router;
}

const namesOf = (people: { email: string; name: string }[]): PersonNames =>
  new Map(people.flatMap(({ email, name }) => (name ? [[email, name]] : [])));

const noSuchIncident = (number: number) =>
  new NotFoundError(`There is no incident #${number}, or it belongs to another team.`);

const snoozes = ['15m', '30m', '1h', '4h', '12h'] as const;

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

function numberOf(request: Request): number {
  const text = String(request.params.number);
  if (!/^\d{1,9}$/.test(text)) throw new NotFoundError(`'${text}' is no incident number.`);
  return Number(text);
}
