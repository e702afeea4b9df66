import { type Request, type Response, Router } from 'express';
import { listIncidentAlerts } from '../../db/incident-detail.ts';
import { type IncidentSummary, listIncidents } from '../../db/incidents.ts';
import type { WebDeps } from '../deps.ts';
import { posted, postedAll } from '../layout/fields.ts';
import { act, type Pages } from '../layout/pages.ts';
import { severityMarks } from '../layout/words.ts';
import { visitorOf } from '../visitor.ts';
import { commandBy, commandedIncident } from './commanded.ts';
import { numberOf } from './number.ts';

/** Incidents that alerts may be moved into, newest first. */
const othersShown = 100;
const alertsShown = 200;

type Action = 'merge' | 'split';

/** Merging an incident into another one, and splitting alerts off: each form is a message to its workflow. */
export function regroupRoutes(deps: Pick<WebDeps, 'db' | 'messages'>, pages: Pages): Router {
  const router = Router();

  router.get('/incidents/:number/merge', async (request, response) => {
    await form(request, response, 'merge');
  });

  router.get('/incidents/:number/split', async (request, response) => {
    await form(request, response, 'split');
  });

  router.post('/incidents/:number/merge', async (request, response) => {
    const { orgId, incident, command } = await commandOf(request);
    const into = targetOf(request);
    if (into === null) {
      await form(request, response, 'merge', 'Choose the incident that goes on.');
      return;
    }
    const { number: target } = await targeted(request, into);
    await act(response, `/incidents/${target}`, async () => {
      await deps.messages.regroup(orgId, incident.number, { ...command, alertIds: null, into: target });
      return `#${incident.number} is merged into this incident. Its alerts come here from now on.`;
    });
  });

  router.post('/incidents/:number/split', async (request, response) => {
    const { orgId, incident, command } = await commandOf(request);
    const alertIds = [...new Set(postedAll(request.body, 'alert').map(Number))].filter(
      (id) => Number.isSafeInteger(id) && id > 0,
    );
    if (alertIds.length === 0) {
      await form(request, response, 'split', 'Tick the alerts that do not belong here.');
      return;
    }
    const named = targetOf(request);
    const into = named === null ? null : (await targeted(request, named)).number;
    await act(response, `/incidents/${incident.number}/alerts`, async () => {
      const moved = await deps.messages.regroup(orgId, incident.number, { ...command, alertIds, into });
      const alerts = alertIds.length === 1 ? '1 alert is' : `${alertIds.length} alerts are`;
      return `${alerts} in #${moved.into} now, and will not come back into this incident.`;
    });
  });

  async function form(
    request: Request,
    response: Response,
    action: Action,
    problem: string | null = null,
  ): Promise<void> {
    const incident = await commandedIncident(deps, request, numberOf(request));
    const found = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      others: (await listIncidents(tx, { active: true, limit: othersShown })).items,
      alerts: (await listIncidentAlerts(tx, { incidentId: incident.id, limit: alertsShown })).items,
    }));
    const path = `/incidents/${incident.number}`;
    await pages.show(request, response, {
      template: `incidents/${action}`,
      view: {
        number: incident.number,
        title: incident.title,
        path,
        asOf: incident.recordedSeq,
        problem,
        alertCount: incident.alertCount,
        others: found.others
          .filter(({ id, mergedInto }) => id !== incident.id && mergedInto === null)
          .map((other) => ({ value: other.number, label: labelOf(other) })),
        chosen: posted(request.body, 'into'),
        alerts: found.alerts.map((alert) => ({
          id: alert.id,
          name: alert.name,
          service: alert.service,
          severity: severityMarks[alert.severity],
          summary: alert.annotations.summary ?? null,
          receivedAt: alert.receivedAt.toISOString(),
          checked: postedAll(request.body, 'alert').includes(String(alert.id)),
        })),
        cut: incident.alertCount > found.alerts.length ? found.alerts.length : 0,
      },
      title: action === 'merge' ? `Merge #${incident.number}` : `Split #${incident.number}`,
      section: 'incidents',
      narrow: true,
      status: problem === null ? 200 : 422,
      teamId: incident.teamId,
    });
  }

  /** Where the alerts go on: what was merged is followed, if the visitor may act there, too. */
  async function targeted(request: Request, number: number): Promise<IncidentSummary> {
    let incident = await commandedIncident(deps, request, number);
    while (incident.mergedInto !== null)
      incident = await commandedIncident(deps, request, incident.mergedInto);
    return incident;
  }

  async function commandOf(request: Request) {
    const { orgId } = visitorOf(request);
    const incident = await commandedIncident(deps, request, numberOf(request));
    return {
      orgId,
      incident,
      command: commandBy(request, incident),
    };
  }

  return router;
}

/** The incident that was chosen; null: a new one. */
function targetOf(request: Request): number | null {
  const number = posted(request.body, 'into').replace(/^#/, '');
  return /^\d{1,9}$/.test(number) && Number(number) !== numberOf(request) ? Number(number) : null;
}

function labelOf({ number, title, service, alertCount }: IncidentSummary): string {
  const alerts = alertCount === 1 ? '1 alert' : `${alertCount} alerts`;
  const where = service === null ? '' : `, ${service}`;
  return `#${number} ${title.length > 70 ? `${title.slice(0, 69)}…` : title}${where} (${alerts})`;
}
