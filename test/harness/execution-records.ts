import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';

/** Rows as the pages read them, for tests that need no database. */

const at = new Date('2026-11-21T02:14:00Z');

export function executionStep(name: string, changes: Partial<ExecutionStep> = {}): ExecutionStep {
  return {
    index: 0,
    name,
    type: 'command',
    part: 'step',
    nested: null,
    description: name,
    runner: null,
    status: 'pending',
    attempts: 0,
    maxAttempts: 1,
    waitMs: null,
    mayFail: false,
    idempotent: false,
    outcomeUnknown: false,
    startedAt: null,
    finishedAt: null,
    output: '',
    error: null,
    rollback: null,
    ...changes,
  };
}

type Undo = NonNullable<ExecutionStep['rollback']>;

export function stepUndo(changes: Partial<Undo> = {}): Undo {
  return {
    description: 'undo',
    status: 'succeeded',
    runner: null,
    attempts: 1,
    startedAt: at,
    finishedAt: at,
    output: '',
    error: null,
    decision: null,
    ...changes,
  };
}

/** Steps are numbered in their order. */
export function executionDetail(changes: Partial<ExecutionDetail> = {}): ExecutionDetail {
  const detail: ExecutionDetail = {
    id: '0a3f1f52-6d0e-4e0a-9a53-000000000001',
    teamId: null,
    runbook: 'restart',
    runbookVersion: 1,
    incidentNumber: 7,
    requestedBy: 'Holdfast',
    mode: 'semi_auto',
    target: 'checkout',
    environment: null,
    status: 'running',
    statusReason: null,
    createdAt: at,
    startedAt: at,
    finishedAt: null,
    retryOf: null,
    purpose: 'Restart the service.',
    incidentTitle: 'checkout is down',
    inputs: {},
    steps: [],
    approvals: [],
    workflowId: 'w',
    retryFrom: null,
    retries: [],
    standing: { queue: null, runner: null, next: null },
    ...changes,
  };
  return { ...detail, steps: detail.steps.map((step, index) => ({ ...step, index })) };
}

export function approvalRecord(changes: Partial<ApprovalRecord> = {}): ApprovalRecord {
  return {
    id: '0a3f1f52-6d0e-4e0a-9a53-000000000002',
    teamId: null,
    executionId: '0a3f1f52-6d0e-4e0a-9a53-000000000001',
    runbook: 'restart',
    target: 'checkout',
    inputs: {},
    incident: null,
    requestedBy: 'Holdfast',
    requestedAt: at,
    expiresAt: new Date(at.getTime() + 1_800_000),
    required: 1,
    status: 'pending',
    decidedAt: null,
    reason: null,
    stepIndex: null,
    message: '',
    role: 'operator',
    teams: [],
    notRequester: false,
    onTimeout: 'expire',
    level: 1,
    votes: [],
    ...changes,
  };
}
