import type { ApprovalStatus, ExecutionStatus, StepStatus, UndoStatus } from '../incident-status.ts';
import type { NotificationCause, NotifyTarget } from '../notification.ts';
import type { NotificationTrigger } from '../notification-rules/rule.ts';
import type { ApprovalPlan, ExecutionPlan } from './plan.ts';

/** Everything that an execution's workflow knows. Times are epoch milliseconds; the whole is carried by JSON. */
export interface ExecutionState {
  createdAt: number;
  plan: ExecutionPlan | null;
  status: ExecutionStatus;
  reason: string | null;
  /** What it is at: in this order, `undoing` only after something went wrong. */
  phase: 'loading' | 'admission' | 'approval' | 'lock' | 'running' | 'undoing' | 'finishing';
  /** In the order in which they were asked for; the last one alone can be pending. */
  approvals: ApprovalState[];
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
  /** What rules of notification are still to be asked about; absent in what began before they were. */
  announcements?: Announcement[];
  reported: boolean;
  inFlight: string[];
  seq: number;
  recordedSeq: number;
  outbox: ExecutionEntry[];
}

export interface StepState {
  status: StepStatus;
  attempts: number;
  startedAt: number | null;
  finishedAt: number | null;
  error: string | null;
  /** A crash left open how an attempt ended. */
  outcomeUnknown: boolean;
  /** When a failed attempt is followed by the next. */
  retryAt: number | null;
  /** Of a step that waits: until when. */
  waitUntil: number | null;
  /** Since when no runner has taken it up. */
  runnerMissingSince: number | null;
  /** Recorded before the step begins. */
  undo: UndoState | null;
}

export interface UndoState {
  status: UndoStatus;
  attempts: number;
  /** Attempts that had been made when a person last said to try again. */
  attemptsBefore: number;
  startedAt: number | null;
  finishedAt: number | null;
  error: string | null;
  retryAt: number | null;
  runnerMissingSince: number | null;
  decision: { decision: 'retry' | 'skip'; by: string; reason: string | null; at: number } | null;
}

export interface ApprovalState {
  plan: ApprovalPlan;
  /** The step that asks; null: before the first. */
  step: number | null;
  status: ApprovalStatus;
  /** The state's `seq` when it was asked for. */
  askedSeq: number;
  requestedAt: number;
  expiresAt: number;
  /** How many levels were asked, from 1. */
  level: number;
  votes: Vote[];
  decidedAt: number | null;
  reason: string | null;
}

export interface Vote {
  person: string;
  decision: 'approve' | 'reject';
  via: string;
  reason: string | null;
  at: number;
}

export interface ExecutionNotice {
  key: string;
  type:
    | 'approval.needed'
    | 'execution.succeeded'
    | 'execution.failed'
    | 'execution.rolled_back'
    | 'execution.rollback_failed'
    | 'execution.refused'
    | 'execution.undo_failed'
    | 'execution.runner_missing';
  target: NotifyTarget;
  detail: Record<string, string | number | boolean | null>;
  /** Of `approval.needed`. */
  approvalId?: string;
  /** Of what a rule calls for. */
  cause?: NotificationCause;
}

/** What an execution can tell rules of notification. */
export const executionTriggers = [
  'approval.needed',
  'execution.succeeded',
  'execution.failed',
  'execution.rolled_back',
] as const satisfies readonly NotificationTrigger[];
export type ExecutionTrigger = (typeof executionTriggers)[number];

/** What rules are to be asked about, once the record of it can be read. */
export interface Announcement {
  trigger: ExecutionTrigger;
  /** Unique within the execution, so that the keys of the messages follow from it. */
  occurrence: string;
  at: number;
  /** Of the state when it happened. */
  seq: number;
  approvalId?: string;
}

/** A message that a rule calls for. */
export interface CalledFor {
  key: string;
  target: NotifyTarget;
  detail: ExecutionNotice['detail'];
  cause: NotificationCause;
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
    approvals: [],
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

export function newStepState(): StepState {
  return {
    status: 'pending',
    attempts: 0,
    startedAt: null,
    finishedAt: null,
    error: null,
    outcomeUnknown: false,
    retryAt: null,
    waitUntil: null,
    runnerMissingSince: null,
    undo: null,
  };
}

export function newUndoState(): UndoState {
  return {
    status: 'registered',
    attempts: 0,
    attemptsBefore: 0,
    startedAt: null,
    finishedAt: null,
    error: null,
    retryAt: null,
    runnerMissingSince: null,
    decision: null,
  };
}

/** The state that a new run of the workflow begins with: what was on its way is begun again under its key. */
export function carryOver(state: ExecutionState): ExecutionState {
  return { ...state, inFlight: [] };
}
