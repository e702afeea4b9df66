import type { ExecutionPlan } from './state.ts';

/** What can happen to an execution. `at` is the workflow's clock in epoch milliseconds. */
export type ExecutionEvent =
  | { type: 'tick'; at: number }
  | { type: 'move_started'; at: number; key: string }
  | { type: 'move_failed'; at: number; key: string; reason: string }
  | { type: 'loaded'; at: number; key: string; plan: ExecutionPlan }
  | { type: 'admitted'; at: number; key: string }
  | { type: 'refused'; at: number; key: string; reason: string }
  | { type: 'lock_acquired'; at: number; key: string }
  | { type: 'lock_busy'; at: number; key: string; heldBy: string }
  | {
      type: 'step_ended';
      at: number;
      key: string;
      index: number;
      outcome: 'succeeded' | 'failed' | 'unknown' | 'cancelled';
      error: string | null;
    }
  | { type: 'undo_ended'; at: number; key: string; index: number; ok: boolean; error: string | null }
  | { type: 'notice_sent'; at: number; key: string }
  | { type: 'reported'; at: number; key: string }
  | { type: 'recorded'; at: number; key: string; seq: number; released: boolean }
  | {
      type: 'voted';
      at: number;
      person: string;
      via: string;
      decision: 'approve' | 'reject';
      reason: string | null;
    }
  | { type: 'withdrawn'; at: number; reason: string }
  | { type: 'cancelled'; at: number; by: string; reason: string | null };
