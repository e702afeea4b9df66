import { type ExecutionDetail, getExecution, listExecutions } from '../../db/executions-read.ts';
import { ClosedError, type MessageClient } from '../../workflows/messages-client.ts';
import { actorOf, assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import {
  type Endpoint,
  pageOf,
  personEndpoint,
  presentPage,
  type Reader,
  withoutUndefined,
} from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { presentExecution, presentExecutionSummary } from './presenter.ts';
import {
  cancelAccepted,
  cancelBody,
  executionDetail,
  executionParams,
  executionQuery,
  executionSummary,
} from './schema.ts';

const tag = 'Executions';

export function executionEndpoints(deps: {
  db: Reader;
  messages: MessageClient;
  workflowUrl(workflowId: string): string | null;
}): Endpoint[] {
  const { db, messages } = deps;

  async function seen(principal: Principal, id: string): Promise<ExecutionDetail> {
    const execution = await db.read(scopeOf(principal), (tx) => getExecution(tx, id));
    if (!execution) throw new NotFoundError(`execution ${id}`);
    return execution;
  }

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/executions',
      tag,
      summary: 'List executions of runbooks, newest first',
      access: 'viewer',
      query: executionQuery,
      status: 200,
      response: pageOf(executionSummary),
      handle: async ({ principal, query }) => {
        const page = await db.read(scopeOf(principal), (tx) =>
          listExecutions(tx, { ...withoutUndefined(query), limit: query.limit }),
        );
        return presentPage(page, presentExecutionSummary);
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/executions/{id}',
      tag,
      summary: 'One execution with its steps, their output and their rollbacks',
      access: 'viewer',
      params: executionParams,
      status: 200,
      response: executionDetail,
      errors: { 404: 'No execution of this id' },
      handle: async ({ principal, params }) => {
        const execution = await seen(principal, params.id);
        return presentExecution(execution, deps.workflowUrl(execution.workflowId));
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/executions/{id}/cancel',
      tag,
      summary: 'Stop it and undo what it has done',
      access: 'operator',
      params: executionParams,
      body: cancelBody,
      status: 200,
      response: cancelAccepted,
      errors: { 404: 'No execution of this id', 409: 'Refused, with the reason' },
      handle: async ({ principal, params, body }) => {
        const execution = await seen(principal, params.id);
        assertRole(principal, 'operator', execution.teamId);
        try {
          const args = { actor: actorOf(principal), ...withoutUndefined({ reason: body?.reason }) };
          const answer = await messages.cancel(principal.orgId, params.id, args);
          return { id: params.id, status: answer.status, seq: answer.seq };
        } catch (error) {
          if (!(error instanceof ClosedError)) throw error;
          const { status, finishedAt } = await seen(principal, params.id);
          throw new ConflictError(
            finishedAt
              ? `the execution ended already: ${status} at ${finishedAt.toISOString()}`
              : 'the execution is not being worked on yet: try again in a moment',
            error,
          );
        }
      },
    }),
  ];
}
