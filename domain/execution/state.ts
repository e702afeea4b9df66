import type { ApprovalStatus, ExecutionStatus, StepStatus } from '../incident-status.ts';
import type { EscalationTarget } from '../policies.ts';
import type { RunbookMode } from '../runbook/definition.ts';

/** Everything that an execution's workflow knows. Times are epoch milliseconds; the whole is carried by JSON. */
export interface ExecutionState {
  createdAt: number;
  plan: ExecutionPlan | null;
  status: ExecutionStatus;
  reason: string | null;
  /** What it is at: in this order, `undoing` only after something went wrong. */
  phase: 'loading' | 'admission' | 'approval' | 'lock' | 'running' | 'undoing' | 'finishing';
  approval: ApprovalState | null;
  /** When the lock on the target is asked for again, while another execution holds it. */
  lockRetryAt: number | null;
  lockHeld: boolean;
  steps: StepState[];
  cancelled: { at: number; by: string; reason: string | null } | null;
  /** Why there is nothing to run any more, said before anybody could be asked. */
  withdrawn: string | null;
  startedAt: number | null;
  finishedAt: number | null;
  notices: ExecutionNotice[];
  reported: boolean;
  inFlight: string[];
  seq: number;
  recordedSeq: number;
  outbox: ExecutionEntry[];
}

/** The pinned runbook as far as the order of things depends on it. */
export interface ExecutionPlan {
  runbook: string;
  mode: RunbookMode;
  target: string;
  requestedBy: string;
  incident: { id: string; number: number } | null;
  /** Whom an approval asks, and who hears of a failure. */
  approvers: EscalationTarget[];
  approvalId: string;
  approvalsNeeded: number;
  approvalTimeoutMs: number;
  /** Whether a signal counts as a vote of 'Temporal operator'. */
  approveBySignal: boolean;
  steps: StepPlan[];
}

export interface StepPlan {
  name: string;
  timeoutMs: number;
  retries: number;
  retryDelayMs: number;
  continueOnFail: boolean;
  idempotent: boolean;
  /** Null where the step has no undo. */
  undoTimeoutMs: number | null;
}

export interface StepState {
  status: StepStatus;
  attempts: number;
  startedAt: number | null;
  finishedAt: number | null;
  error: string | null;
  /** When a failed attempt is followed by the next. */
  retryAt: number | null;
  /** Recorded before the step begins. */
  undo: UndoState | null;
}

export interface UndoState {
  status: 'registered' | 'running' | 'succeeded' | 'failed';
  attempts: number;
  startedAt: number | null;
  finishedAt: number | null;
  error: string | null;
  retryAt: number | null;
}

export interface ApprovalState {
  status: ApprovalStatus;
  requestedAt: number;
  expiresAt: number;
  votes: { person: string; decision: 'approve' | 'reject'; via: string; reason: string | null; at: number }[];
  decidedAt: number | null;
  reason: string | null;
}

export interface ExecutionNotice {
  key: string;
  type:
    | 'approval.needed'
    | 'execution.succeeded'
    | 'execution.failed'
    | 'execution.rolled_back'
    | 'execution.rollback_failed'
    | 'execution.refused';
  target: EscalationTarget;
  detail: Record<string, string | number | boolean | null>;
}

/** What a person did, or what the incident's timeline should tell. */
export interface ExecutionEntry {
  seq: number;
  at: number;
  kind: string;
  actor: string;
  summary: string;
  audit: string | null;
}

/** An undo is tried this often before a person is called. */
export const undoAttempts = 3;
export const undoRetryDelayMs = 5_000;

export function newExecutionState(now: number): ExecutionState {
  return {
    createdAt: now,
    plan: null,
    status: 'waiting',
    reason: null,
    phase: 'loading',
    approval: null,
    lockRetryAt: null,
    lockHeld: false,
    steps: [],
    cancelled: null,
    withdrawn: null,
    startedAt: null,
    finishedAt: null,
    notices: [],
    reported: false,
    inFlight: [],
    seq: 0,
    recordedSeq: 0,
    outbox: [],
  };
}

/** The state that a new run of the workflow begins with: what was on its way is begun again under its key. */
export function carryOver(state: ExecutionState): ExecutionState {
  return { ...state, inFlight: [] };
}
