import { randomUUID } from 'node:crypto';
import { type Request, Router } from 'express';
import { actorOf, voterOf } from '../../api/auth/principal.ts';
import { RetryRefusedError, retryExecution } from '../../db/execution-retry.ts';
import { ExecutionRefusedError } from '../../db/executions.ts';
import {
  countExecutions,
  type ExecutionDetail,
  getExecution,
  listExecutions,
  whichWaitForPerson,
} from '../../db/executions-read.ts';
import { listRunbooks } from '../../db/runbooks.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { executionWorkflowId } from '../../workflows/messages.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { executionListView, filterOf, mostCounted, pageSize, parseExecutionQuery } from './list-view.ts';
import { executionPageView } from './view.ts';

export function executionRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/executions', async (request, response) => {
    const query = parseExecutionQuery(request.query);
    const filter = filterOf(query);
    const found = await deps.db.read(visitorOf(request).scope, async (tx) => {
      const page = await listExecutions(tx, {
        ...filter,
        limit: pageSize,
        ...(query.cursor === null ? {} : { cursor: query.cursor }),
      });
      return {
        page,
        counted: await countExecutions(tx, filter, mostCounted),
        runbooks: (await listRunbooks(tx)).map(({ name }) => name),
        waitForPerson: await whichWaitForPerson(tx, page.items),
      };
    });
    await pages.show(request, response, {
      template: 'executions/list',
      view: executionListView(query, found),
      title: 'Executions',
      section: 'executions',
    });
  });

  router.get('/executions/:id', async (request, response) => {
    const execution = await find(request);
    const { principal } = visitorOf(request);
    const reader = voterOf(principal, execution.teamId);
    await pages.show(request, response, {
      template: 'executions/show',
      view: executionPageView(execution, deps.workflowUrl(execution.workflowId), reader),
      title: visible(`${execution.runbook} on ${execution.target}`),
      section: 'executions',
      teamId: execution.teamId,
    });
  });

  router.post('/executions/:id/cancel', async (request, response) => {
    const { orgId, principal } = visitorOf(request);
    const { id, teamId } = await find(request);
    assertVisitorRole(request, 'operator', teamId);
    const reason = posted(request.body, 'reason').slice(0, 500);
    await act(response, `/executions/${id}`, async () => {
      await deps.messages.cancel(orgId, id, { actor: actorOf(principal), ...(reason ? { reason } : {}) });
      return 'Cancelled: what has run is being undone.';
    });
  });

  router.post('/executions/:id/retry', async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const { id: of, teamId } = await find(request);
    assertVisitorRole(request, 'operator', teamId);
    const id = randomUUID();
    const workflowId = executionWorkflowId(orgId, id);
    try {
      await deps.db.write(scope, (tx) =>
        retryExecution(tx, { orgId, id, of, workflowId, requestedBy: email }),
      );
    } catch (error) {
      if (!(error instanceof RetryRefusedError || error instanceof ExecutionRefusedError)) throw error;
      setFlash(response, 'bad', `Refused: ${error.message}`);
      response.redirect(303, `/executions/${of}`);
      return;
    }
    try {
      await deps.messages.startExecution(orgId, id);
      setFlash(response, 'good', 'It goes on from its failed step, as this new execution.');
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
      setFlash(response, 'plain', 'It is written down and starts by itself when Temporal answers again.');
    }
    response.redirect(303, `/executions/${id}`);
  });

  router.post('/executions/:id/steps/:index/undo', async (request, response) => {
    const { orgId, principal } = visitorOf(request);
    const { id, teamId, steps } = await find(request);
    assertVisitorRole(request, 'operator', teamId);
    const step = steps.find(({ index }) => String(index) === request.params.index);
    if (!step?.rollback) throw new NotFoundError('There is no such step, or nothing undoes it.');
    const decision = posted(request.body, 'decision') === 'skip' ? 'skip' : 'retry';
    const reason = posted(request.body, 'reason').slice(0, 500);
    const { index } = step;
    const asOf = Number(posted(request.body, 'asOf')) || step.rollback.attempts;
    if (decision === 'skip' && reason === '') {
      setFlash(response, 'bad', `Not done: say why ‘${step.name}’ is left undone; the next reader needs it.`);
      response.redirect(303, `/executions/${id}#undo-${index}`);
      return;
    }
    await act(response, `/executions/${id}`, async () => {
      const actor = actorOf(principal);
      await deps.messages.decideUndo(orgId, id, {
        actor,
        index,
        decision,
        asOf,
        ...(reason ? { reason } : {}),
      });
      return decision === 'retry'
        ? `The undo of ‘${step.name}’ is tried again.`
        : `‘${step.name}’ is left as it is; what is left to undo follows.`;
    });
  });

  async function find(request: Request): Promise<ExecutionDetail> {
    const id = uuidOf(request.params.id, 'execution');
    const execution = await deps.db.read(visitorOf(request).scope, (tx) => getExecution(tx, id));
    if (!execution) throw new NotFoundError('There is no such execution, or it belongs to another team.');
    return execution;
  }

  return router;
}
