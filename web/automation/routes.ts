import { type Request, type Response, Router } from 'express';
import { actorOf, mayOn } from '../../api/auth/principal.ts';
import { mayOperateFor } from '../../api/auth/team-or-everybody.ts';
import {
  letGoOn,
  listRunningExecutions,
  listStops,
  type RunningExecution,
  resumeAutomation,
  stopAutomation,
} from '../../db/automation.ts';
import { getOpenCircuit, listOpenCircuits, resetCircuit } from '../../db/circuit-breakers.ts';
import type { Tx } from '../../db/database.ts';
import { listMaintenanceWindows } from '../../db/maintenance-windows.ts';
import { listSafetyRules } from '../../db/safety.ts';
import { listTargets } from '../../db/target-locks.ts';
import { findTeam, listTeams } from '../../db/teams.ts';
import type { WebDeps } from '../deps.ts';
import { field, formStatus, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { act, NotFoundError, type Pages, refusalText } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { ruleRoutes } from './rules.ts';
import { automationView, windowRow } from './view.ts';
import { windowRoutes } from './windows.ts';

const base = '/automation';

export function automationRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => show(request, response, {}));

  router.post(`${base}/stop`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const reason = posted(request.body, 'reason').slice(0, 500);
    if (reason === '') {
      await show(request, response, { reason: 'Say why: whoever finds it stopped reads it.' });
      return;
    }
    const stopped = await deps.db.write(scope, async (tx) => {
      const teamId = await teamIdOf(tx, posted(request.body, 'team'));
      assertVisitorRole(request, 'operator', teamId);
      return await stopAutomation(tx, { orgId, teamId, actor, reason });
    });
    setFlash(
      response,
      stopped ? 'good' : 'plain',
      stopped ? 'Automation is stopped: nothing new runs.' : 'It was stopped already.',
    );
    response.redirect(303, base);
  });

  router.post(`${base}/resume`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const resumed = await deps.db.write(scope, async (tx) => {
      const teamId = await teamIdOf(tx, posted(request.body, 'team'));
      assertVisitorRole(request, 'admin', teamId);
      return await resumeAutomation(tx, { orgId, teamId, actor });
    });
    setFlash(
      response,
      resumed ? 'good' : 'plain',
      resumed ? 'Automation is on again. What was refused meanwhile stays refused.' : 'It was not stopped.',
    );
    response.redirect(303, base);
  });

  router.post(`${base}/executions/:id/let-go-on`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const execution = await runningOne(request);
    await deps.db.write(scope, (tx) => letGoOn(tx, { orgId, executionId: execution.id, actor }));
    setFlash(response, 'good', `${execution.runbook} goes on.`);
    response.redirect(303, base);
  });

  router.post(`${base}/executions/:id/cancel`, async (request, response) => {
    const execution = await runningOne(request);
    await act(response, base, async () => {
      await cancel(request, execution);
      return `${execution.runbook} stops, and what it has done is undone.`;
    });
  });

  router.post(`${base}/cancel-all`, async (request, response) => {
    const { scope, principal } = visitorOf(request);
    const asked = (await deps.db.read(scope, listRunningExecutions)).filter(
      ({ stopped, goesOn, teamId }) => stopped && !goesOn && mayOn(principal, 'operator', teamId),
    );
    const refusals: string[] = [];
    await Promise.all(
      asked.map(async (execution) => {
        try {
          await cancel(request, execution);
        } catch (error) {
          refusals.push(`${execution.runbook} on ${execution.target}: ${refusalText(error)}`);
        }
      }),
    );
    const done = asked.length - refusals.length;
    setFlash(
      response,
      refusals.length === 0 ? 'good' : 'bad',
      [`${done} of ${asked.length} are cancelled and rolled back.`, ...refusals].join(' '),
    );
    response.redirect(303, base);
  });

  router.post(`${base}/circuit-breakers/reset`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const of = { runbook: posted(request.body, 'runbook'), target: posted(request.body, 'target') };
    const reason = posted(request.body, 'reason').slice(0, 500);
    if (reason === '') {
      setFlash(response, 'bad', 'Not reset: say what you found.');
      response.redirect(303, base);
      return;
    }
    const reset = await deps.db.write(scope, async (tx) => {
      const circuit = await getOpenCircuit(tx, of);
      if (!circuit) return false;
      assertVisitorRole(request, 'operator', circuit.teamId);
      return await resetCircuit(tx, { orgId, ...of, actor, reason });
    });
    setFlash(
      response,
      reset ? 'good' : 'plain',
      reset ? `${of.runbook} may run on ${of.target} again.` : 'It was reset already.',
    );
    response.redirect(303, base);
  });

  router.use(windowRoutes(deps, pages));
  router.use(ruleRoutes(deps, pages));

  async function runningOne(request: Request): Promise<RunningExecution> {
    const id = uuidOf(request.params.id, 'execution');
    const running = await deps.db.read(visitorOf(request).scope, listRunningExecutions);
    const execution = running.find((candidate) => candidate.id === id);
    if (!execution) throw new NotFoundError('This execution has ended, or it belongs to another team.');
    assertVisitorRole(request, 'operator', execution.teamId);
    return execution;
  }

  async function cancel(request: Request, { id }: RunningExecution): Promise<void> {
    const { orgId, principal } = visitorOf(request);
    const reason = 'automation was stopped';
    await deps.messages.cancel(orgId, id, { actor: actorOf(principal), reason });
  }

  async function show(request: Request, response: Response, problems: Problems): Promise<void> {
    const { scope, principal } = visitorOf(request);
    const now = pages.now();
    const facts = await deps.db.read(scope, async (tx) => ({
      stops: await listStops(tx),
      running: await listRunningExecutions(tx),
      circuits: await listOpenCircuits(tx),
      targets: await listTargets(tx),
      windows: await listMaintenanceWindows(tx, new Date(now)),
      rules: await listSafetyRules(tx),
      teams: await listTeams(tx),
    }));
    await pages.show(request, response, {
      template: 'automation/show',
      view: {
        ...automationView(facts, (needed, teamId) => mayOn(principal, needed, teamId)),
        windows: facts.windows.map((window) =>
          windowRow(window, mayOperateFor(principal, window.team?.id ?? null), now),
        ),
        mayEditRules: mayOn(principal, 'admin', null),
        problems: { reason: problems.reason ?? null },
        reasonField: field('reason', 'Why', { problems, id: 'stop-reason' }),
      },
      title: 'Automation',
      section: 'automation',
      status: formStatus(problems),
    });
  }

  return router;
}

/** Null for '': the whole organization. */
async function teamIdOf(tx: Tx, slug: string): Promise<string | null> {
  if (slug === '') return null;
  const team = await findTeam(tx, slug);
  if (!team) throw new NotFoundError(`There is no team ${slug}.`);
  return team.id;
}
