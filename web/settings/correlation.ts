import { type Request, type Response, Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import {
  findRemembered,
  forgetAlert,
  listRemembered,
  type RememberedAlert,
} from '../../db/correlation-memory.ts';
import { createRulesPreview } from '../../db/correlation-preview.ts';
import {
  deleteCorrelationRules,
  getCorrelationRules,
  listCorrelationRules,
  putCorrelationRules,
} from '../../db/correlation-rules.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { findTeam, listTeams, type Team } from '../../db/teams.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf, whenLeft } from '../visitor.ts';
import {
  type CorrelationValues,
  correlationBase,
  correlationFormView,
  correlationValues,
  postedCorrelation,
  previewView,
  readCorrelation,
  rulesRow,
} from './correlation-form.ts';

const rememberedOnPage = 50;

/** How alerts become incidents: rules of the organization and of teams, and what people decided by hand. */
export function correlationRoutes(deps: Pick<WebDeps, 'db'>, pages: Pages): Router {
  const { db } = deps;
  const router = Router();
  const preview = createRulesPreview(db);

  router.get(correlationBase, async (request, response) => {
    const { scope, principal } = visitorOf(request);
    const cursor = typeof request.query.before === 'string' ? request.query.before : undefined;
    const { stored, teams, remembered } = await db.read(scope, async (tx) => ({
      stored: await listCorrelationRules(tx),
      teams: await listTeams(tx),
      remembered: await listRemembered(tx, {
        limit: rememberedOnPage,
        ...(cursor === undefined ? {} : { cursor }),
      }),
    }));
    await pages.show(request, response, {
      template: 'settings/correlation-list',
      view: {
        rules: [null, ...teams].map((team) => ({
          ...rulesRow(
            team,
            stored.find((one) => (one.team?.id ?? null) === (team?.id ?? null)),
          ),
          editable: mayOn(principal, 'admin', team?.id ?? null),
        })),
        remembered: remembered.items.map((alert) => ({
          ...rememberedRow(alert),
          forgettable: mayOn(principal, 'operator', alert.teamId),
        })),
        olderHref: remembered.nextCursor
          ? `${correlationBase}?before=${encodeURIComponent(remembered.nextCursor)}#memory-title`
          : null,
        newestHref: cursor === undefined ? null : correlationBase,
      },
      title: 'Correlation',
      section: 'settings',
      narrow: true,
    });
  });

  router.post(`${correlationBase}/forget`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const integrationId = uuidOf(posted(request.body, 'integration'), 'alert');
    const fingerprint = posted(request.body, 'fingerprint');
    const gone = await db.write(scope, async (tx) => {
      const remembered = await findRemembered(tx, { integrationId, fingerprint });
      if (!remembered) return false;
      assertVisitorRole(request, 'operator', remembered.teamId);
      return await forgetAlert(tx, { orgId, integrationId, fingerprint, actor });
    });
    const outcome = gone
      ? 'Forgotten: from its next sighting on only the rules hold for this alert.'
      : 'Nothing was remembered of this alert any more.';
    setFlash(response, gone ? 'good' : 'plain', outcome);
    response.redirect(303, correlationBase);
  });

  for (const path of [`${correlationBase}/organization`, `${correlationBase}/teams/:team`]) {
    router.get(path, async (request, response) => {
      const team = await ownerOf(request);
      const stored = await db.read(visitorOf(request).scope, (tx) =>
        getCorrelationRules(tx, team?.slug ?? null),
      );
      await form(request, response, { team, values: correlationValues(stored?.rules ?? {}) });
    });

    router.post(path, async (request, response) => {
      const team = await ownerOf(request);
      const { scope, orgId, email: actor } = visitorOf(request);
      const values = postedCorrelation(request.body);
      const read = readCorrelation(values);
      if ('problems' in read) {
        await form(request, response, { team, values, problems: read.problems });
        return;
      }
      await db.write(scope, (tx) =>
        putCorrelationRules(tx, { orgId, team: team?.slug ?? null, rules: read.rules, actor }),
      );
      setFlash(response, 'good', 'The rules are saved: alerts that come from now on go by them.');
      response.redirect(303, correlationBase);
    });

    router.post(`${path}/try`, async (request, response) => {
      const team = await ownerOf(request);
      const values = postedCorrelation(request.body);
      const read = readCorrelation(values);
      if ('problems' in read) {
        await form(request, response, { team, values, problems: read.problems });
        return;
      }
      const { scope } = visitorOf(request);
      try {
        const tried = await preview(
          scope,
          { team: team?.slug ?? null, rules: read.rules },
          whenLeft(request),
        );
        await form(request, response, { team, values, tried: previewView(tried) });
      } catch (error) {
        if (!(error instanceof NotTriedError)) throw error;
        await form(request, response, { team, values, notTried: error });
      }
    });

    router.post(`${path}/delete`, async (request, response) => {
      const team = await ownerOf(request);
      const { scope, orgId, email: actor } = visitorOf(request);
      await db.write(scope, (tx) => deleteCorrelationRules(tx, { orgId, team: team?.slug ?? null, actor }));
      const now = team ? "The organization's" : 'The default';
      setFlash(response, 'good', `${now} rules hold from now on.`);
      response.redirect(303, correlationBase);
    });
  }

  /** Whose rules the address names; null: the organization's. Throws unless the visitor is an admin of them. */
  async function ownerOf(request: Request): Promise<Team | null> {
    const slug = request.params.team;
    if (slug === undefined) {
      assertVisitorRole(request, 'admin', null);
      return null;
    }
    const team = await db.read(visitorOf(request).scope, (tx) => findTeam(tx, String(slug)));
    if (!team) throw new NotFoundError(`There is no team ${slug}.`);
    assertVisitorRole(request, 'admin', team.id);
    return team;
  }

  async function form(
    request: Request,
    response: Response,
    given: {
      team: Team | null;
      values: CorrelationValues;
      problems?: Problems;
      tried?: ReturnType<typeof previewView>;
      notTried?: NotTriedError;
    },
  ): Promise<void> {
    const { team, values, problems = {}, tried = null, notTried } = given;
    const stored = await db.read(visitorOf(request).scope, (tx) =>
      getCorrelationRules(tx, team?.slug ?? null),
    );
    await pages.show(request, response, {
      template: 'settings/correlation-form',
      view: {
        form: correlationFormView(values, problems, { team, stored: stored !== undefined }),
        tried,
        notTried: notTried?.message ?? null,
        wrong: Object.keys(problems).length > 0,
      },
      title: 'Rules of correlation',
      section: 'settings',
      narrow: true,
      status: formStatus(problems, notTried),
    });
  }

  return router;
}

function rememberedRow(alert: RememberedAlert) {
  const { integrationId, fingerprint, name, service, together, apart, incidentNumber } = alert;
  const alerts = (count: number) => (count === 1 ? '1 alert' : `${count} alerts`);
  const decided = [
    ...(together > 0 ? [`together with ${alerts(together)}`] : []),
    ...(apart > 0 ? [`apart from ${alerts(apart)}`] : []),
  ];
  return {
    integrationId,
    fingerprint,
    name,
    service,
    decided: decided.join(', ') || 'by itself',
    number: incidentNumber,
    by: alert.decidedBy,
    at: alert.decidedAt.toISOString(),
  };
}
