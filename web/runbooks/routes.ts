import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { createExecution, ExecutionRefusedError } from '../../db/executions.ts';
import { listExecutions, whichWaitForPerson } from '../../db/executions-read.ts';
import { type GitSourceStanding, listGitSources } from '../../db/git-sources.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { matchingNow } from '../../db/runbook-matches.ts';
import { getRunbook, listRunbookProblems, listRunbooks } from '../../db/runbooks.ts';
import { executionWorkflowId } from '../../workflows/messages.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { executionRow } from '../executions/list-view.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { problemView, runbookRow, type Sources, sourceProblems } from './list-view.ts';
import { versionRoutes } from './version-routes.ts';
import { runbookView } from './view.ts';

export function runbookRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/runbooks', async (request, response) => {
    const incident = incidentIn(request.query.incident);
    const found = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      runbooks: await listRunbooks(tx),
      problems: await listRunbookProblems(tx),
      sources: await listGitSources(tx),
    }));
    const sources = byId(found.sources);
    await pages.show(request, response, {
      template: 'runbooks/list',
      view: {
        folder: deps.runbooksFolder,
        incident,
        problems: [...found.problems.map(problemView), ...sourceProblems(found.sources)],
        rows: found.runbooks.map((runbook) => runbookRow(runbook, incident, sources)),
      },
      title: 'Runbooks',
      section: 'runbooks',
    });
  });

  router.get('/runbooks/:name', async (request, response) => {
    await show(request, response, {
      incident: incidentIn(request.query.incident),
      // a link may fill the form in; nothing runs before somebody sends it
      values: givenInputs(request.query),
      environment: posted(request.query, 'environment').slice(0, 200),
      runProblems: [],
    });
  });

  router.post('/runbooks/:name/run', async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    const incident = incidentIn(posted(request.body, 'incident'));
    const environment = posted(request.body, 'environment').slice(0, 200);
    const given = givenInputs(request.body);
    const id = randomUUID();
    try {
      await deps.db.write(scope, async (tx) => {
        const runbook = await getRunbook(tx, name);
        if (!runbook) throw noSuchRunbook(name);
        assertVisitorRole(request, 'operator', runbook.teamId);
        const about = incident === null ? undefined : await findIncident(tx, incident);
        if (incident !== null && !about) throw new NotFoundError(`There is no incident #${incident}.`);
        await createExecution(tx, {
          orgId,
          id,
          runbook: name,
          workflowId: executionWorkflowId(orgId, id),
          requestedBy: email,
          given,
          ...(about ? { incidentId: about.id } : {}),
          ...(environment ? { environment } : {}),
        });
      });
    } catch (error) {
      if (!(error instanceof ExecutionRefusedError)) throw error;
      await show(request, response, { incident, values: given, environment, runProblems: error.problems });
      return;
    }
    try {
      await deps.messages.startExecution(orgId, id);
      setFlash(response, 'good', `${name} is on its way. This page follows it.`);
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
      setFlash(response, 'plain', 'It is written down and starts by itself when Temporal answers again.');
    }
    response.redirect(303, `/executions/${id}`);
  });

  router.use(versionRoutes(deps, pages));

  async function show(
    request: Request,
    response: Response,
    given: {
      incident: number | null;
      values: Record<string, string>;
      environment: string;
      runProblems: string[];
    },
  ): Promise<void> {
    const name = String(request.params.name);
    const found = await deps.db.read(visitorOf(request).scope, async (tx) => {
      const runbook = await getRunbook(tx, name);
      if (!runbook) throw noSuchRunbook(name);
      const executions = (await listExecutions(tx, { runbook: name, limit: 8 })).items;
      return {
        runbook,
        problems: await listRunbookProblems(tx),
        sources: byId(await listGitSources(tx)),
        matching: runbook.removedAt ? [] : await matchingNow(tx, runbook.definition),
        executions,
        waitForPerson: await whichWaitForPerson(tx, executions),
      };
    });
    const { runbook, executions, waitForPerson, ...more } = found;
    await pages.show(request, response, {
      template: 'runbooks/show',
      view: {
        ...runbookView(runbook, { ...given, ...more, now: pages.now() }),
        executions: executions.map((execution) => executionRow(execution, waitForPerson.has(execution.id))),
        executionsHref: `/executions?${new URLSearchParams({ runbook: name })}`,
      },
      title: name,
      section: 'runbooks',
      teamId: runbook.teamId,
      status: given.runProblems.length > 0 ? 422 : 200,
    });
  }

  return router;
}

const byId = (sources: GitSourceStanding[]): Sources => new Map(sources.map((source) => [source.id, source]));

const noSuchRunbook = (name: string) =>
  new NotFoundError(`There is no runbook ${name}, or it belongs to another team.`);

export function incidentIn(text: unknown): number | null {
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Fields 'input.<name>'; an empty one is not given. */
export function givenInputs(body: unknown): Record<string, string> {
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(
    Object.entries(body).flatMap(([key, value]) =>
      key.startsWith('input.') && typeof value === 'string' && value !== '' ? [[key.slice(6), value]] : [],
    ),
  );
}
