import { listApprovals } from '../../db/approvals.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { scopeOf } from '../auth/principal.ts';
import {
  type Endpoint,
  pageOf,
  personEndpoint,
  presentPage,
  type Reader,
  withoutUndefined,
} from '../endpoint.ts';
import { presentApproval } from './presenter.ts';
import { approval, approvalParams, approvalQuery, voteAccepted, voteBody } from './schema.ts';
import { seenApproval, vote } from './vote.ts';

const tag = 'Approvals';

export function approvalEndpoints(deps: { db: Reader; messages: MessageClient }): Endpoint[] {
  const { db } = deps;

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
      handle: async ({ principal, params }) => presentApproval(await seenApproval(db, principal, params.id)),
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
        handle: ({ principal, params, body }) => vote(deps, decision, principal, params.id, body?.reason),
      }),
    ),
  ];
}
