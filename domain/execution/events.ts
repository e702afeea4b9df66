import type { Role } from '../roles.ts';
import type { ExecutionPlan } from './plan.ts';
import type { CalledFor } from './state.ts';

/** What can happen to an execution. `at` is the workflow's clock in epoch milliseconds. */
export type ExecutionEvent =
  | { type: 'tick'; at: number }
  | { type: 'move_started'; at: number; key: string }
  | { type: 'move_failed'; at: number; key: string; reason: string }
  | { type: 'loaded'; at: number; key: string; plan: ExecutionPlan }
  | { type: 'admitted'; at: number; key: string }
  | { type: 'refused'; at: number; key: string; reason: string }
  | { type: 'lock_acquired'; at: number; key: string }
  /** `ahead`: how many of those who wait come first. */
  | { type: 'lock_busy'; at: number; key: string; heldBy: string; ahead: number }
  | { type: 'target_freed'; at: number }
  | StepEnded
  | UndoEnded
  /** Nobody polls the queue of its runner: it was not begun. */
  | { type: 'step_not_taken'; at: number; key: string; index: number }
  | { type: 'undo_not_taken'; at: number; key: string; index: number }
  | { type: 'notice_sent'; at: number; key: string }
  | { type: 'announced'; at: number; key: string; notices: CalledFor[] }
  | { type: 'reported'; at: number; key: string }
  | { type: 'recorded'; at: number; key: string; seq: number; released: boolean }
  | Voted
  | { type: 'withdrawn'; at: number; reason: string }
  | { type: 'cancelled'; at: number; by: string; reason: string | null }
  | UndoDecided;

export interface StepEnded {
  type: 'step_ended';
  at: number;
  key: string;
  index: number;
  outcome: 'succeeded' | 'failed' | 'unknown' | 'cancelled';
  error: string | null;
  /** An earlier attempt's end is not known, and so it was not run again. */
  outcomeUnknown?: boolean;
}

export interface UndoEnded {
  type: 'undo_ended';
  at: number;
  key: string;
  index: number;
  ok: boolean;
  error: string | null;
}

export interface Voted {
  type: 'voted';
  at: number;
  /** Null: whichever is pending. */
  approvalId: string | null;
  person: string;
  via: string;
  role: Role | null;
  teams: readonly string[];
  decision: 'approve' | 'reject';
  reason: string | null;
}

export interface UndoDecided {
  type: 'undo_decided';
  at: number;
  index: number;
  decision: 'retry' | 'skip';
  by: string;
  reason: string | null;
}
