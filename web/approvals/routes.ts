import { Router } from 'express';
import { voterOf } from '../../api/auth/principal.ts';
import { getApproval, listApprovals } from '../../db/approvals.ts';
import type { Scope } from '../../db/database.ts';
import { getExecution } from '../../db/executions-read.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { act, localPath, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { approvalRow, approvalView } from './view.ts';

export function approvalRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/approvals', async (request, response) => {
    const { scope } = visitorOf(request);
    const all = request.query.status === 'all';
    const cursor = typeof request.query.cursor === 'string' ? request.query.cursor : undefined;
    const page = await deps.db.read(scope, (tx) =>
      listApprovals(tx, {
        limit: 50,
        ...(all ? {} : { status: ['pending'] as const }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
    const next =
      page.nextCursor && new URLSearchParams({ status: all ? 'all' : 'pending', cursor: page.nextCursor });
    await pages.show(request, response, {
      template: 'approvals/list',
      view: {
        choices: [
          { label: 'Waiting', href: '/approvals', current: !all },
          { label: 'All', href: '/approvals?status=all', current: all },
        ],
        rows: page.items.map(approvalRow),
        nextHref: next ? `/approvals?${next}` : null,
        emptyTitle: all ? 'Nothing has needed approval yet' : 'Nothing waits for approval',
      },
      title: 'Approvals',
      section: 'approvals',
    });
  });

  router.get('/approvals/:id', async (request, response) => {
    const { scope, principal } = visitorOf(request);
    const { approval, execution } = await find(scope, request.params.id);
    await pages.show(request, response, {
      template: 'approvals/show',
      view: approvalView(approval, execution, voterOf(principal, approval.teamId)),
      title: `Approval of ${approval.runbook}`,
      section: 'approvals',
      narrow: true,
      teamId: approval.teamId,
    });
  });

  for (const decision of ['approve', 'reject'] as const) {
    router.post(`/approvals/:id/${decision}`, async (request, response) => {
      const { scope, orgId, principal } = visitorOf(request);
      const { approval } = await find(scope, request.params.id);
      assertVisitorRole(request, 'operator', approval.teamId);
      const reason = posted(request.body, 'reason').slice(0, 500);
      const back = localPath(posted(request.body, 'back'), `/approvals/${approval.id}`);
      await act(response, back, async () => {
        await deps.messages[decision](orgId, approval.executionId, {
          actor: voterOf(principal, approval.teamId),
          approvalId: approval.id,
          ...(reason ? { reason } : {}),
        });
        return decision === 'approve'
          ? `Your approval of ${approval.runbook} counts.`
          : approval.stepIndex === null
            ? `Rejected: ${approval.runbook} does not run.`
            : `Rejected: ${approval.runbook} stops, and what has run is undone.`;
      });
    });
  }

  async function find(scope: Scope, given: unknown) {
    const id = uuidOf(given, 'approval');
    return await deps.db.read(scope, async (tx) => {
      const approval = await getApproval(tx, id);
      if (!approval) throw new NotFoundError('There is no such approval, or it belongs to another team.');
      return { approval, execution: await getExecution(tx, approval.executionId) };
    });
  }

  return router;
}
