import { z } from 'zod';

/*
 * What the CLI reads of the API's answers. Words such as a status are plain text: a Holdfast that has learnt another
 * one is still shown.
 */

export const problemPlace = z.object({
  file: z.string(),
  line: z.int(),
  col: z.int(),
  message: z.string(),
});

const run = z.object({
  id: z.string(),
  status: z.string(),
  target: z.string(),
  requestedBy: z.string(),
  createdAt: z.string(),
});

export const runbookSummary = z.object({
  name: z.string(),
  description: z.string(),
  mode: z.string(),
  version: z.int(),
  inputs: z.array(
    z.object({
      name: z.string(),
      description: z.string().nullable(),
      required: z.boolean(),
      default: z.string().nullable(),
      secret: z.boolean(),
    }),
  ),
  steps: z.array(z.object({ name: z.string(), type: z.string(), hasRollback: z.boolean() })),
  triggers: z.array(z.object({ alertPattern: z.string() })),
  successRate: z.number().nullable(),
  lastRun: run.nullable(),
});

export const runbookList = z.object({ items: z.array(runbookSummary), problems: z.array(problemPlace) });

export const runbookDetail = runbookSummary.extend({
  file: z.string(),
  source: z.string(),
  removedAt: z.string().nullable(),
  lastRuns: z.array(run),
});

export const runStarted = z.object({ id: z.string(), target: z.string(), started: z.boolean() });
export const retryStarted = z.object({ id: z.string(), started: z.boolean() });

export const approval = z.object({
  id: z.string(),
  executionId: z.string(),
  status: z.string(),
  required: z.int(),
  expiresAt: z.string(),
  requestedBy: z.string(),
  votes: z.array(z.object({ person: z.string(), decision: z.string(), reason: z.string().nullable() })),
});
export type Approval = z.output<typeof approval>;

export const executionSummary = z.object({
  id: z.string(),
  runbook: z.string(),
  runbookVersion: z.int(),
  incidentNumber: z.int().nullable(),
  requestedBy: z.string(),
  target: z.string(),
  status: z.string(),
  statusReason: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
});

const attempted = {
  description: z.string(),
  attempts: z.int(),
  output: z.string(),
  error: z.string().nullable(),
};

export const executionDetail = executionSummary.extend({
  steps: z.array(
    z.object({
      ...attempted,
      name: z.string(),
      type: z.string(),
      status: z.string(),
      rollback: z.object({ ...attempted, status: z.string().nullable() }).nullable(),
    }),
  ),
  approvals: z.array(approval),
  standing: z.object({
    queue: z
      .object({ holder: z.object({ id: z.string(), runbook: z.string() }).nullable(), place: z.int() })
      .nullable(),
    runner: z.object({ index: z.int(), queue: z.string(), lastSeenAt: z.string().nullable() }).nullable(),
  }),
});
export type ExecutionDetail = z.output<typeof executionDetail>;
export type ExecutionStep = ExecutionDetail['steps'][number];

export const executionList = z.object({
  items: z.array(executionSummary),
  nextCursor: z.string().nullable(),
});

/** What a vote, a cancellation and a decision on an undo answer. */
export const accepted = z.object({ id: z.string(), status: z.string() });

export const automationState = z.object({
  stopped: z.array(
    z.object({ team: z.string().nullable(), since: z.string(), by: z.string(), reason: z.string() }),
  ),
  running: z.array(
    z.object({
      id: z.string(),
      runbook: z.string(),
      target: z.string(),
      step: z.string().nullable(),
      since: z.string(),
      stopped: z.boolean(),
      goesOn: z.boolean(),
    }),
  ),
});
export type AutomationState = z.output<typeof automationState>;

const outcome = z.object({ ok: z.boolean(), what: z.string(), detail: z.string() });

export const dryRunReport = z.object({
  runbook: z.string(),
  version: z.int(),
  target: z.string(),
  environment: z.string().nullable(),
  ready: z.boolean(),
  sentence: z.string(),
  refusal: z.object({ rule: z.string(), reason: z.string(), until: z.string().nullable() }).nullable(),
  lock: z.object({ heldBy: z.string(), runbook: z.string(), waiting: z.int() }).nullable(),
  approvals: z.array(z.object({ when: z.string(), who: z.string(), able: z.int() })),
  steps: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      part: z.string(),
      where: z.string(),
      description: z.string(),
      rollback: z.object({ where: z.string(), description: z.string() }).nullable(),
      condition: z.object({ state: z.enum(['met', 'not_met', 'open']), detail: z.string() }).nullable(),
      findings: z.array(outcome),
    }),
  ),
});
export type DryRunReport = z.output<typeof dryRunReport>;
