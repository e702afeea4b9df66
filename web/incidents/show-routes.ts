import { type Request, type Response, Router } from 'express';
import type { Tx } from '../../db/database.ts';
import { getExecution } from '../../db/executions-read.ts';
import { listPeople } from '../../db/identity.ts';
import {
  getIncidentHead,
  type IncidentHead,
  listIncidentAlerts,
  listTimeline,
} from '../../db/incident-detail.ts';
import {
  getIncidentLogs,
  listIncidentChanges,
  readAnalysis,
  readMetrics,
  readSimilar,
  readSurroundings,
} from '../../db/incident-evidence.ts';
import { listIncidentNotifications } from '../../db/notifications-read.ts';
import { listEnabledDefinitions } from '../../db/runbooks.ts';
import { pendingApprovals } from '../../db/sentence-facts.ts';
import type { People } from '../../domain/people.ts';
import type { WebDeps } from '../deps.ts';
import type { Pages } from '../layout/pages.ts';
import { visitorOf } from '../visitor.ts';
import { alertsTabView } from './alerts-view.ts';
import { causeView } from './cause-view.ts';
import { changesTabView } from './changes-view.ts';
import { evidenceView } from './evidence-view.ts';
import { headView, type IncidentTab } from './head-view.ts';
import { metricsTabView } from './metrics-view.ts';
import { noSuchIncident, numberOf } from './number.ts';
import { similarTabView } from './similar-view.ts';
import { timelineTabView } from './timeline-view.ts';

const timelineSize = 60;
const alertsSize = 50;
const asksShown = 5;

/** The tabs of an incident: each reads what it shows and nothing of the others. */
export function incidentShowRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/incidents/:number', async (request, response) => {
    const before = textOf(request, 'before');
    await show(request, response, 'timeline', async (tx, incident, people) => {
      const timeline = await listTimeline(tx, {
        incidentId: incident.id,
        limit: timelineSize,
        newestFirst: true,
        ...(before === undefined ? {} : { cursor: before }),
      });
      const proposed = [];
      for (const approval of pendingApprovals(incident).slice(0, asksShown)) {
        const execution = await getExecution(tx, approval.executionId);
        if (execution) proposed.push(execution);
      }
      const analysis = await readAnalysis(tx, incident.id);
      const surroundings = await readSurroundings(tx, servicesOf(incident, analysis.causes[0]?.service));
      return {
        cause: causeView({ incident, analysis, surroundings, people }),
        ...timelineTabView({
          incident,
          timeline: timeline.items,
          olderTimelineHref: timeline.nextCursor
            ? `/incidents/${incident.number}?before=${encodeURIComponent(timeline.nextCursor)}#timeline-title`
            : null,
          proposed,
          people,
          workflowUrl: deps.workflowUrl(incident.workflowId),
          now: pages.now(),
        }),
      };
    });
  });

  router.get('/incidents/:number/alerts', async (request, response) => {
    const before = textOf(request, 'before');
    await show(request, response, 'alerts', async (tx, incident) => {
      const path = `/incidents/${incident.number}/alerts`;
      const page = await listIncidentAlerts(tx, {
        incidentId: incident.id,
        limit: alertsSize,
        ...(before === undefined ? {} : { cursor: before }),
      });
      return alertsTabView({
        incident,
        alerts: page.items,
        olderHref: page.nextCursor ? `${path}?before=${encodeURIComponent(page.nextCursor)}` : null,
        newestHref: before === undefined ? null : path,
      });
    });
  });

  router.get('/incidents/:number/logs', async (request, response) => {
    await show(request, response, 'logs', async (tx, incident) => {
      const logs = await getIncidentLogs(tx, incident.id);
      return { logs: logs ? evidenceView(logs) : null };
    });
  });

  router.get('/incidents/:number/metrics', async (request, response) => {
    await show(request, response, 'metrics', async (tx, incident) =>
      metricsTabView({
        incident,
        metrics: await readMetrics(tx, incident.id),
        changes: await listIncidentChanges(tx, incident.id),
        notes: (await readAnalysis(tx, incident.id)).notes,
      }),
    );
  });

  router.get('/incidents/:number/changes', async (request, response) => {
    await show(request, response, 'changes', async (tx, incident, people) =>
      changesTabView({
        incident,
        changes: await listIncidentChanges(tx, incident.id),
        people,
        definitions: await listEnabledDefinitions(tx),
      }),
    );
  });

  router.get('/incidents/:number/similar', async (request, response) => {
    await show(request, response, 'similar', async (tx, incident, people) =>
      similarTabView(await readSimilar(tx, incident.id), people),
    );
  });

  async function show(
    request: Request,
    response: Response,
    tab: IncidentTab,
    read: (tx: Tx, incident: IncidentHead, people: People) => Promise<object>,
  ): Promise<void> {
    const number = numberOf(request);
    const found = await deps.db.read(visitorOf(request).scope, async (tx) => {
      const incident = await getIncidentHead(tx, number);
      if (!incident) return undefined;
      const people = (await listPeople(tx)).filter((person) => person.disabledAt === null);
      const notifications = (await listIncidentNotifications(tx, { incidentId: incident.id, limit: 50 }))
        .items;
      const head = headView({ incident, notifications, people, now: pages.now() }, tab);
      return { incident, view: { head, ...(await read(tx, incident, people)) } };
    });
    if (!found) throw noSuchIncident(number);
    await pages.show(request, response, {
      template: tab === 'timeline' ? 'incidents/show' : `incidents/${tab}`,
      view: found.view,
      title: `#${number} ${found.incident.title}`,
      section: 'incidents',
      teamId: found.incident.teamId,
    });
  }

  return router;
}

/** What the failing path is drawn of: few enough for one look. */
function servicesOf(incident: IncidentHead, ranked: string | undefined): string[] {
  const cause = incident.causeService ?? ranked;
  const failing = incident.services.slice(0, 40).map(({ service }) => service);
  return [...new Set([...(cause === undefined ? [] : [cause]), ...failing])];
}

function textOf(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' ? value : undefined;
}
