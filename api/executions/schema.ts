import { z } from 'zod';
import { executionStatuses, stepStatuses, undoStatuses } from '../../domain/incident-status.ts';
import { approval } from '../approvals/schema.ts';
import { anyOf, instant, pageQuery } from '../endpoint.ts';

export const executionParams = z.object({ id: z.uuid('write the id of an execution') });

export const stepParams = z.object({
  id: z.uuid('write the id of an execution'),
  index: z.coerce.number().int().min(0).max(999).meta({ description: 'Of the step, from 0' }),
});

export const executionQuery = z.strictObject({
  runbook: z.string().max(200).optional(),
  target: z.string().max(500).optional(),
  status: anyOf(executionStatuses).optional(),
  waitsForPerson: z.stringbool('write true or false').optional().meta({
    description: 'Only those that ask for an approval, or whose undo failed and waits for a decision',
  }),
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
  environment: z.string().nullable(),
  status: z.enum(executionStatuses),
  statusReason: z.string().nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  retryOf: z.uuid().nullable().meta({ description: 'The execution that this one goes on from' }),
};
export const executionSummary = z.object(summary).meta({ id: 'ExecutionSummary' });

const rollback = z.object({
  description: z.string(),
  status: z.enum(undoStatuses).nullable().meta({
    description:
      'Null until its step has begun. `waiting`: it failed and waits for a person; `skipped`: a person left it undone',
  }),
  runner: z.string().nullable(),
  attempts: z.int(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  output: z.string(),
  error: z.string().nullable(),
  decision: z
    .object({ decision: z.enum(['retry', 'skip']), by: z.string(), reason: z.string().nullable() })
    .nullable()
    .meta({ description: 'What a person decided about it after it had failed' }),
});

const standing = z.object({
  queue: z
    .object({
      holder: z.object({ id: z.uuid(), runbook: z.string() }).nullable(),
      place: z.int().meta({ description: '1: next' }),
    })
    .nullable()
    .meta({ description: 'It waits for its target, which another execution holds' }),
  runner: z
    .object({ index: z.int(), queue: z.string(), lastSeenAt: instant.nullable() })
    .nullable()
    .meta({ description: 'Its step waits for a runner to take it' }),
  next: z
    .object({ at: instant, what: z.string() })
    .nullable()
    .meta({ description: 'The next running timer, and what happens at its end' }),
});

export const executionDetail = z
  .object({
    ...summary,
    inputs: z.record(z.string(), z.string()).meta({ description: 'Secrets are masked' }),
    steps: z.array(
      z.object({
        index: z.int(),
        name: z.string(),
        type: z.string(),
        part: z.enum(['step', 'verify']),
        nestedRunbook: z.string().nullable().meta({ description: 'The nested runbook that it comes from' }),
        description: z.string(),
        runner: z.string().nullable().meta({ description: "Null: Holdfast's own worker" }),
        status: z.enum(stepStatuses),
        attempts: z.int(),
        maxAttempts: z.int(),
        outcomeUnknown: z.boolean().meta({ description: 'A crash left open how an attempt of it ended' }),
        startedAt: instant.nullable(),
        finishedAt: instant.nullable(),
        output: z.string(),
        error: z.string().nullable(),
        rollback: rollback.nullable(),
      }),
    ),
    approvals: z.array(approval),
    retryFrom: z
      .int()
      .nullable()
      .meta({ description: 'Of one that goes on from another: the first step that it may run itself' }),
    retries: z
      .array(z.object({ id: z.uuid(), status: z.enum(executionStatuses), createdAt: instant }))
      .meta({ description: 'Those that went on from this one, newest first' }),
    standing,
    workflowId: z.string(),
    workflowUrl: z.string().nullable(),
  })
  .meta({ id: 'Execution' });

export const cancelBody = z.strictObject({ reason: z.string().trim().max(2000).optional() }).optional();
export const cancelAccepted = z
  .object({ id: z.uuid(), status: z.string(), seq: z.int() })
  .meta({ id: 'CancelAccepted' });

export const retryStarted = z
  .object({
    id: z.uuid().meta({ description: 'Of the new execution' }),
    retryOf: z.uuid(),
    status: z.literal('waiting'),
    started: z
      .boolean()
      .meta({ description: 'False while Temporal is away: it is written down and starts when it is back' }),
  })
  .meta({ id: 'RetryStarted' });

const skipNeedsReason = 'say why it is left undone: `skip` needs a reason';
export const undoBody = z
  .strictObject({
    decision: z.enum(['retry', 'skip']),
    reason: z.string().trim().max(2000).default(''),
  })
  .refine(({ decision, reason }) => decision === 'retry' || reason !== '', {
    path: ['reason'],
    message: skipNeedsReason,
  });
export const undoDecided = z
  .object({ id: z.uuid(), index: z.int(), status: z.string(), seq: z.int() })
  .meta({ id: 'UndoDecided' });
