import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { RetryRefusedError, retryExecution } from '../../db/execution-retry.ts';
import { type ExecutionDetail, getExecution, listExecutions } from '../../db/executions-read.ts';
import { executionWorkflowId } from '../../workflows/messages.ts';
import {
  ClosedError,
  type MessageClient,
  TemporalUnavailableError,
} from '../../workflows/messages-client.ts';
import { actorOf, assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, pageOf, personEndpoint, presentPage, withoutUndefined } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { presentExecution, presentExecutionSummary } from './presenter.ts';
import {
  cancelAccepted,
  cancelBody,
  executionDetail,
  executionParams,
  executionQuery,
  executionSummary,
  retryStarted,
  stepParams,
  undoBody,
  undoDecided,
} from './schema.ts';

const tag = 'Executions';

export function executionEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
  workflowUrl(workflowId: string): string | null;
}): Endpoint[] {
  const { db, messages } = deps;

  async function seen(principal: Principal, id: string): Promise<ExecutionDetail> {
    const execution = await db.read(scopeOf(principal), (tx) => getExecution(tx, id));
    if (!execution) throw new NotFoundError(`execution ${id}`);
    return execution;
  }

  /** Says of an execution that no workflow works on how it ended. */
  async function told<T>(principal: Principal, id: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      const { status, finishedAt } = await seen(principal, id);
      throw new ConflictError(
        finishedAt
          ? `the execution ended already: ${status} at ${finishedAt.toISOString()}`
          : 'the execution is not being worked on yet: try again in a moment',
        error,
      );
    }
  }

  async function writeRetryDown(principal: Principal, of: string): Promise<string> {
    const { orgId, email: requestedBy } = principal;
    const id = randomUUID();
    const workflowId = executionWorkflowId(orgId, id);
    try {
      await db.write(scopeOf(principal), (tx) =>
        retryExecution(tx, { orgId, id, of, workflowId, requestedBy }),
      );
      return id;
    } catch (error) {
      if (error instanceof RetryRefusedError) throw new ConflictError(error.message, error);
      throw error;
    }
  }

  /** False while Temporal is away: the reconciler starts what is written down. */
  async function start(orgId: string, id: string): Promise<boolean> {
    try {
      await messages.startExecution(orgId, id);
      return true;
    } catch (error) {
      if (error instanceof TemporalUnavailableError) return false;
      throw error;
    }
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
        const args = { actor: actorOf(principal), ...withoutUndefined({ reason: body?.reason }) };
        const answer = await told(principal, params.id, () =>
          messages.cancel(principal.orgId, params.id, args),
        );
        return { id: params.id, status: answer.status, seq: answer.seq };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/executions/{id}/retry',
      tag,
      summary:
        'Go on from its failed step, as a new execution: what succeeded and was not undone is taken over',
      access: 'operator',
      params: executionParams,
      status: 202,
      response: retryStarted,
      errors: {
        404: 'No execution of this id',
        409: 'It succeeded, still runs or was retried already',
        422: 'It cannot be made as asked, with the reasons',
      },
      handle: async ({ principal, params }) => {
        const { teamId } = await seen(principal, params.id);
        assertRole(principal, 'operator', teamId);
        const id = await writeRetryDown(principal, params.id);
        return {
          id,
          retryOf: params.id,
          status: 'waiting' as const,
          started: await start(principal.orgId, id),
        };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/executions/{id}/steps/{index}/undo',
      tag,
      summary: 'Decide about an undo that failed and waits: try it again, or leave the step undone',
      access: 'operator',
      params: stepParams,
      body: undoBody,
      status: 200,
      response: undoDecided,
      errors: { 404: 'No execution of this id', 409: 'Refused, with the reason' },
      handle: async ({ principal, params, body }) => {
        const { id, index } = params;
        const execution = await seen(principal, id);
        assertRole(principal, 'operator', execution.teamId);
        const rollback = execution.steps.find((step) => step.index === index)?.rollback;
        if (!rollback) throw new NotFoundError(`step ${index} with an undo in execution ${id}`);
        const { decision, reason } = body;
        const args = { actor: actorOf(principal), index, decision, asOf: rollback.attempts };
        const answer = await told(principal, id, () =>
          messages.decideUndo(principal.orgId, id, { ...args, ...(reason ? { reason } : {}) }),
        );
        return { id, index, status: answer.status, seq: answer.seq };
      },
    }),
  ];
}
