import { type ApprovalRecord, getApproval, listApprovals } from '../../db/approvals.ts';
import { ClosedError, type MessageClient } from '../../workflows/messages-client.ts';
import { assertRole, type Principal, scopeOf, voterOf } from '../auth/principal.ts';
import {
  type Endpoint,
  pageOf,
  personEndpoint,
  presentPage,
  type Reader,
  withoutUndefined,
} from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { presentApproval } from './presenter.ts';
import { approval, approvalParams, approvalQuery, voteAccepted, voteBody } from './schema.ts';

const tag = 'Approvals';

export function approvalEndpoints(deps: { db: Reader; messages: MessageClient }): Endpoint[] {
  const { db, messages } = deps;

  async function seen(principal: Principal, id: string): Promise<ApprovalRecord> {
    const record = await db.read(scopeOf(principal), (tx) => getApproval(tx, id));
    if (!record) throw new NotFoundError(`approval ${id}`);
    return record;
  }

  async function vote(
    decision: 'approve' | 'reject',
    principal: Principal,
    id: string,
    reason: string | undefined,
  ) {
    const record = await seen(principal, id);
    assertRole(principal, 'operator', record.teamId);
    try {
      const args = {
        actor: voterOf(principal, record.teamId),
        approvalId: id,
        ...withoutUndefined({ reason }),
      };
      const answer = await messages[decision](principal.orgId, record.executionId, args);
      return { id, status: answer.status, seq: answer.seq };
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      throw new ConflictError(howItEnded(await seen(principal, id)), error);
    }
  }

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/approvals',
      tag,
      summary: 'List approvals, newest first',
      access: 'viewer',
      query: approvalQuery,
      status: 200,
      response: pageOf(approval),
      handle: async ({ principal, query }) => {
        const page = await db.read(scopeOf(principal), (tx) =>
          listApprovals(tx, { ...withoutUndefined(query), limit: query.limit }),
        );
        return presentPage(page, presentApproval);
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/approvals/{id}',
      tag,
      summary: 'One approval with its votes',
      access: 'viewer',
      params: approvalParams,
      status: 200,
      response: approval,
      errors: { 404: 'No approval of this id' },
      handle: async ({ principal, params }) => presentApproval(await seen(principal, params.id)),
    }),
    ...(['approve', 'reject'] as const).map((decision) =>
      personEndpoint({
        method: 'post',
        path: `/api/v1/approvals/{id}/${decision}`,
        tag,
        summary: decision === 'approve' ? 'Vote for it' : 'Reject it',
        access: 'operator',
        params: approvalParams,
        body: voteBody,
        status: 200,
        response: voteAccepted,
        errors: { 404: 'No approval of this id', 409: 'Refused, with the reason' },
        handle: ({ principal, params, body }) => vote(decision, principal, params.id, body?.reason),
      }),
    ),
  ];
}

function howItEnded(record: ApprovalRecord): string {
  if (record.status === 'pending') return 'the execution is not being worked on yet: try again in a moment';
  const at = record.decidedAt ? ` at ${record.decidedAt.toISOString()}` : '';
  return `the approval was ${record.status} already${at}${record.reason ? `: ${record.reason}` : ''}`;
}
