import { type Request, type Response, Router } from 'express';
import {
  deleteSlo,
  getSlo,
  getStandingSlo,
  listSloPoints,
  listStandingSlos,
  putSlo,
  type SloSettings,
} from '../../db/slos.ts';
import { listTeams } from '../../db/teams.ts';
import { objectiveText } from '../../domain/slo/slo.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { begunMeasuring, measuredOnceBack } from '../../workflows/messages-slos.ts';
import type { WebDeps } from '../deps.ts';
import type { Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { saveNamed } from '../named-configuration.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  newSloValues,
  postedSlo,
  readSlo,
  type SloValues,
  sloFormView,
  sloNameProblem,
  sloValues,
} from './form.ts';
import { budgetChart, type StandingView, sloBase, sloRow, standingView } from './view.ts';

const dayMs = 86_400_000;

/** Service level objectives: how much of each error budget is left, and how fast it burns. */
export function sloRoutes(deps: Pick<WebDeps, 'db' | 'messages' | 'sloMeasuring'>, pages: Pages): Router {
  const { db } = deps;
  const router = Router();

  router.get(sloBase, async (request, response) => {
    const slos = await db.read(visitorOf(request).scope, listStandingSlos);
    await pages.show(request, response, {
      template: 'slos/list',
      view: { slos: slos.map(sloRow) },
      title: 'SLOs',
      section: 'slos',
    });
  });

  router.get(`${sloBase}/new`, requireRole('admin'), async (request, response) => {
    await form(request, response, { values: newSloValues, existing: false });
  });

  router.get(`${sloBase}/:name`, async (request, response) => {
    const name = String(request.params.name);
    const found = await db.read(visitorOf(request).scope, async (tx) => {
      const slo = await getStandingSlo(tx, name);
      const since = new Date(pages.now() - (slo?.definition.windowDays ?? 0) * dayMs);
      return slo && { slo, points: await listSloPoints(tx, name, since) };
    });
    if (!found) throw new NotFoundError(`There is no SLO ${name}.`);
    const { slo, points } = found;
    const { indicator, description, service } = slo.definition;
    await pages.show(request, response, {
      template: 'slos/show',
      view: {
        name,
        editHref: `${sloBase}/${encodeURIComponent(name)}/edit`,
        description: description ?? null,
        service: service ?? null,
        team: slo.team,
        serviceHref: service ? `/services/${encodeURIComponent(service)}` : null,
        objective: objectiveText(slo.definition),
        measuredAt: slo.measuredAt?.toISOString() ?? null,
        standing: standingView(slo.definition, slo.state),
        chart: budgetChart(points, pages.now()),
        queries:
          indicator.type === 'ratio'
            ? [
                { label: 'Good', text: indicator.good },
                { label: 'Total', text: indicator.total },
              ]
            : [{ label: 'Error ratio', text: indicator.errorRatio }],
      },
      title: `SLO ${name}`,
      section: 'slos',
    });
  });

  router.get(`${sloBase}/:name/edit`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const slo = await db.read(visitorOf(request).scope, (tx) => getSlo(tx, name));
    if (!slo) throw new NotFoundError(`There is no SLO ${name}.`);
    await form(request, response, { values: sloValues(name, slo.definition), existing: true });
  });

  router.post(`${sloBase}/:name/try`, requireRole('admin'), async (request, response) => {
    const existing = request.params.name !== 'new';
    const values = postedOf(request, existing);
    const read = readSlo(values);
    if ('problems' in read) await form(request, response, { values, existing, problems: read.problems });
    else await form(request, response, { values, existing, tried: await tryOut(request, read.definition) });
  });

  for (const path of [`${sloBase}/new`, `${sloBase}/:name/edit`]) {
    router.post(path, requireRole('admin'), async (request, response) => {
      await save(request, response, request.params.name !== undefined);
    });
  }

  router.post(`${sloBase}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await db.write(scope, (tx) => deleteSlo(tx, { orgId, name, actor: email }));
    setFlash(response, 'good', `The SLO ${name} is deleted, and its alerts have ended.`);
    response.redirect(303, sloBase);
  });

  async function save(request: Request, response: Response, existing: boolean): Promise<void> {
    const values = postedOf(request, existing);
    const { scope, orgId, email } = visitorOf(request);
    const problems = await saveNamed(
      { db, scope },
      {
        read: readSlo(values),
        unnamed: sloNameProblem(values),
        existing,
        find: (tx) => getSlo(tx, values.name),
        put: (tx, definition) => putSlo(tx, { orgId, name: values.name, definition, actor: email }),
        fieldOf: (path) => path,
      },
    );
    if (problems) {
      await form(request, response, { values, existing, problems });
      return;
    }
    const begun = await begunMeasuring(deps.sloMeasuring, orgId);
    setFlash(
      response,
      begun ? 'good' : 'plain',
      `The SLO ${values.name} is saved. ${begun ? 'What Prometheus says of it stands here within a minute.' : measuredOnceBack}`,
    );
    response.redirect(303, `${sloBase}/${encodeURIComponent(values.name)}`);
  }

  async function tryOut(request: Request, { team: _, ...definition }: SloSettings): Promise<Tried> {
    try {
      const state = await deps.messages.previewSlo(visitorOf(request).orgId, definition);
      return { standing: standingView(definition, state), away: null };
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
      return { standing: null, away: 'No worker answers: try again in a moment.' };
    }
  }

  async function form(
    request: Request,
    response: Response,
    given: { values: SloValues; existing: boolean; problems?: Problems; tried?: Tried },
  ): Promise<void> {
    const { values, existing, problems = {}, tried = { standing: null, away: null } } = given;
    const wrong = Object.keys(problems).length > 0;
    const teams = await db.read(visitorOf(request).scope, listTeams);
    await pages.show(request, response, {
      template: 'slos/form',
      view: { form: sloFormView(values, problems, { existing, teams }), tried, wrong },
      title: existing ? `SLO ${values.name}` : 'New SLO',
      section: 'slos',
      narrow: true,
      status: wrong ? 422 : 200,
    });
  }

  return router;
}

interface Tried {
  standing: StandingView | null;
  /** Why it could not be tried. */
  away: string | null;
}

const postedOf = (request: Request, existing: boolean): SloValues => ({
  ...postedSlo(request.body),
  ...(existing ? { name: String(request.params.name) } : {}),
});
