import type { z } from 'zod';
import type { ExecutionDetail, ExecutionStep, ExecutionSummary } from '../../db/executions-read.ts';
import { presentApproval } from '../approvals/presenter.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { executionDetail, executionSummary } from './schema.ts';

export function presentExecutionSummary(execution: ExecutionSummary): z.input<typeof executionSummary> {
  return {
    id: execution.id,
    runbook: execution.runbook,
    runbookVersion: execution.runbookVersion,
    incidentNumber: execution.incidentNumber,
    requestedBy: execution.requestedBy,
    mode: execution.mode,
    target: execution.target,
    environment: execution.environment,
    status: execution.status,
    statusReason: execution.statusReason,
    createdAt: iso(execution.createdAt),
    startedAt: isoOrNull(execution.startedAt),
    finishedAt: isoOrNull(execution.finishedAt),
    retryOf: execution.retryOf,
  };
}

export function presentExecution(
  execution: ExecutionDetail,
  workflowUrl: string | null,
): z.input<typeof executionDetail> {
  const { queue, runner, next } = execution.standing;
  return {
    ...presentExecutionSummary(execution),
    inputs: execution.inputs,
    steps: execution.steps.map(presentStep),
    approvals: execution.approvals.map(presentApproval),
    retryFrom: execution.retryFrom,
    retries: execution.retries.map((retry) => ({ ...retry, createdAt: iso(retry.createdAt) })),
    standing: {
      queue,
      runner: runner && { ...runner, lastSeenAt: isoOrNull(runner.lastSeenAt) },
      next: next && { ...next, at: iso(next.at) },
    },
    workflowId: execution.workflowId,
    workflowUrl,
  };
}

function presentStep(step: ExecutionStep): z.input<typeof executionDetail>['steps'][number] {
  return {
    index: step.index,
    name: step.name,
    type: step.type,
    part: step.part,
    nestedRunbook: step.nested?.runbook ?? null,
    description: step.description,
    runner: step.runner,
    status: step.status,
    attempts: step.attempts,
    maxAttempts: step.maxAttempts,
    outcomeUnknown: step.outcomeUnknown,
    startedAt: isoOrNull(step.startedAt),
    finishedAt: isoOrNull(step.finishedAt),
    output: step.output,
    error: step.error,
    rollback: step.rollback && {
      ...step.rollback,
      startedAt: isoOrNull(step.rollback.startedAt),
      finishedAt: isoOrNull(step.rollback.finishedAt),
    },
  };
}
