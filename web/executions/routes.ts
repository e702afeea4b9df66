import { type Request, Router } from 'express';
import { type ExecutionDetail, getExecution } from '../../db/executions-read.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { executionPageView } from './view.ts';

export function executionRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/executions/:id', async (request, response) => {
    const execution = await find(request);
    await pages.show(request, response, {
      template: 'executions/show',
      view: executionPageView(execution, deps.workflowUrl(execution.workflowId), pages.now()),
      title: `${execution.runbook} on ${execution.target}`,
      section: 'runbooks',
      teamId: execution.teamId,
    });
  });

  router.post('/executions/:id/cancel', async (request, response) => {
    const { orgId, email } = visitorOf(request);
    const { id, teamId } = await find(request);
    assertVisitorRole(request, 'operator', teamId);
    const reason = posted(request.body, 'reason');
    await act(response, `/executions/${id}`, async () => {
      await deps.messages.cancel(orgId, id, {
        actor: { name: email, via: 'page' },
        ...(reason ? { reason } : {}),
      });
      return 'Cancelled: what has run is being undone.';
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
