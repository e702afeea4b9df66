import { type Request, type Response, Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import { type IncidentSummary, listIncidents } from '../../db/incidents.ts';
import type { WebDeps } from '../deps.ts';
import { postedAll } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { type Pages, refusalText } from '../layout/pages.ts';
import { severityMarks } from '../layout/words.ts';
import { visitorOf } from '../visitor.ts';
import { commandedIncident } from './commanded.ts';

/** Of those that go on, newest first. */
const incidentsShown = 100;
const mostGrouped = 50;

/** Merging several incidents into the one that was opened first: a message to the workflow of each other one. */
export function groupRoutes(deps: Pick<WebDeps, 'db' | 'messages'>, pages: Pages): Router {
  const router = Router();

  router.get('/incidents/group', async (request, response) => {
    await form(request, response, null);
  });

  router.post('/incidents/group', async (request, response) => {
    const numbers = tickedOf(request);
    if (numbers.length < 2 || numbers.length > mostGrouped) {
      await form(request, response, `Tick two incidents or more, at most ${mostGrouped}.`);
      return;
    }
    const incidents: IncidentSummary[] = [];
    for (const number of numbers) incidents.push(await commandedIncident(deps, request, number));
    const [into, ...others] = incidents.filter(({ mergedInto }) => mergedInto === null);
    if (!into || others.length === 0) {
      await form(request, response, 'Fewer than two of them are still apart.');
      return;
    }
    const refusals: string[] = [];
    for (const incident of others) {
      const refusal = await mergeOne(request, incident, into.number);
      if (refusal !== null) refusals.push(`#${incident.number}: ${refusal}`);
    }
    const merged = others.length - refusals.length;
    const done = `${merged === 1 ? '1 incident is' : `${merged} incidents are`} merged into this one.`;
    setFlash(response, refusals.length > 0 ? 'bad' : 'good', [done, ...refusals].join(' '));
    response.redirect(303, `/incidents/${into.number}`);
  });

  /** What to tell of one that is refused, which keeps no other from being merged; null when it is merged. */
  async function mergeOne(request: Request, incident: IncidentSummary, into: number): Promise<string | null> {
    const { orgId, email } = visitorOf(request);
    const by = { actor: { name: email, via: 'page' as const }, asOf: incident.recordedSeq };
    try {
      await deps.messages.regroup(orgId, incident.number, { ...by, alertIds: null, into });
      return null;
    } catch (error) {
      return refusalText(error);
    }
  }

  async function form(request: Request, response: Response, problem: string | null): Promise<void> {
    const { scope, principal } = visitorOf(request);
    const { items } = await deps.db.read(scope, (tx) =>
      listIncidents(tx, { active: true, limit: incidentsShown }),
    );
    const ticked = tickedOf(request);
    await pages.show(request, response, {
      template: 'incidents/group',
      view: {
        problem,
        incidents: items
          .filter(({ mergedInto, teamId }) => mergedInto === null && mayOn(principal, 'operator', teamId))
          .map((incident) => ({
            number: incident.number,
            title: incident.title,
            service: incident.service,
            severity: severityMarks[incident.severity],
            alerts: incident.alertCount === 1 ? '1 alert' : `${incident.alertCount} alerts`,
            openedAt: incident.openedAt.toISOString(),
            checked: ticked.includes(incident.number),
          })),
      },
      title: 'Group incidents',
      section: 'incidents',
      narrow: true,
      status: problem === null ? 200 : 422,
    });
  }

  return router;
}

/** The numbers that are ticked, the first opened first. */
const tickedOf = (request: Request): number[] =>
  [...new Set(postedAll(request.body, 'number'))]
    .filter((text) => /^[1-9]\d{0,8}$/.test(text))
    .map(Number)
    .sort((a, b) => a - b);
