import { type Request, type Response, Router } from 'express';
import { roleOn } from '../../api/auth/principal.ts';
import { dryRunRole, planDryRun } from '../../db/dry-run.ts';
import { ExecutionRefusedError } from '../../db/executions.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { getRunbook, type RunbookDetail } from '../../db/runbooks.ts';
import { type DryRunReport, dryRunReport } from '../../domain/dry-run.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { type DryRunAsked, dryRunView } from './dry-run-view.ts';
import { givenInputs, incidentIn } from './routes.ts';

type Outcome = { problems: string[] } | { report: DryRunReport };

/** The page that shows what a run would do. Trying it is a POST like every act, although nothing comes of it. */
export function dryRunRoutes(deps: Pick<WebDeps, 'db' | 'messages'>, pages: Pages): Router {
  const router = Router();

  router.get('/runbooks/:name/dry-run', async (request, response) => {
    const runbook = await find(request);
    const asked = { incident: incidentIn(request.query.incident), environment: '', values: {} };
    await show(request, response, runbook, asked, null);
  });

  router.post('/runbooks/:name/dry-run', async (request, response) => {
    const runbook = await find(request);
    const asked: DryRunAsked = {
      incident: incidentIn(posted(request.body, 'incident')),
      environment: posted(request.body, 'environment').slice(0, 200),
      values: givenInputs(request.body),
    };
    await show(request, response, runbook, asked, await tried(request, runbook, asked));
  });

  async function find(request: Request): Promise<RunbookDetail> {
    const name = String(request.params.name);
    const runbook = await deps.db.read(visitorOf(request).scope, (tx) => getRunbook(tx, name));
    if (!runbook || runbook.removedAt) {
      throw new NotFoundError(`There is no runbook ${name}, or it belongs to another team.`);
    }
    assertVisitorRole(request, dryRunRole, runbook.teamId);
    return runbook;
  }

  async function tried(request: Request, runbook: RunbookDetail, asked: DryRunAsked): Promise<Outcome> {
    const { scope, orgId, principal } = visitorOf(request);
    try {
      const plan = await deps.db.read(scope, async (tx) => {
        const about = asked.incident === null ? undefined : await findIncident(tx, asked.incident);
        if (asked.incident !== null && !about)
          throw new NotFoundError(`There is no incident #${asked.incident}.`);
        return await planDryRun(tx, {
          runbook: runbook.name,
          requestedBy: principal.email,
          given: asked.values,
          ...(about ? { incidentId: about.id } : {}),
          ...(asked.environment === '' ? {} : { environment: asked.environment }),
        });
      });
      const permission = { needed: dryRunRole, held: roleOn(principal, plan.teamId) ?? null };
      const findings = await deps.messages.dryRun(orgId, plan.checks);
      return { report: dryRunReport({ ...plan.report, permission }, plan.checks, findings) };
    } catch (error) {
      if (error instanceof ExecutionRefusedError) return { problems: error.problems };
      if (error instanceof TemporalUnavailableError)
        return { problems: [`${error.message}: send it again.`] };
      throw error;
    }
  }

  async function show(
    request: Request,
    response: Response,
    runbook: RunbookDetail,
    asked: DryRunAsked,
    outcome: Outcome | null,
  ): Promise<void> {
    await pages.show(request, response, {
      template: 'runbooks/dry-run',
      view: dryRunView(runbook, asked, outcome),
      title: `Dry run of ${runbook.name}`,
      section: 'runbooks',
      teamId: runbook.teamId,
      status: outcome && 'problems' in outcome ? 422 : 200,
    });
  }

  return router;
}
