import { z } from 'zod';
import { executionStatuses, stepStatuses } from '../../domain/incident-status.ts';
import { approval } from '../approvals/schema.ts';
import { anyOf, instant, pageQuery } from '../endpoint.ts';

export const executionParams = z.object({ id: z.uuid('write the id of an execution') });

export const executionQuery = z.strictObject({
  runbook: z.string().max(200).optional(),
  status: anyOf(executionStatuses).optional(),
  ...pageQuery,
});

const summary = {
  id: z.uuid(),
  runbook: z.string(),
  runbookVersion: z.int(),
  incidentNumber: z.int().nullable(),
  requestedBy: z.string(),
  mode: z.enum(['manual', 'semi_auto', 'auto']),
  target: z.string(),
  status: z.enum(executionStatuses),
  statusReason: z.string().nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
};
export const executionSummary = z.object(summary).meta({ id: 'ExecutionSummary' });

const rollback = z.object({
  description: z.string(),
  status: z
    .enum(['registered', 'running', 'succeeded', 'failed'])
    .nullable()
    .meta({ description: 'Null until its step has begun' }),
  attempts: z.int(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  output: z.string(),
  error: z.string().nullable(),
});

export const executionDetail = z
  .object({
    ...summary,
    inputs: z.record(z.string(), z.string()).meta({ description: 'Secrets are masked' }),
    steps: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        description: z.string(),
        status: z.enum(stepStatuses),
        attempts: z.int(),
        startedAt: instant.nullable(),
        finishedAt: instant.nullable(),
        output: z.string(),
        error: z.string().nullable(),
        rollback: rollback.nullable(),
      }),
    ),
    approvals: z.array(approval),
    workflowId: z.string(),
    workflowUrl: z.string().nullable(),
  })
  .meta({ id: 'Execution' });

export const cancelBody = z.strictObject({ reason: z.string().trim().max(2000).optional() }).optional();
export const cancelAccepted = z
  .object({ id: z.uuid(), status: z.string(), seq: z.int() })
  .meta({ id: 'CancelAccepted' });
