import { approvalPending } from './approval.ts';
import type { ExecutionNotice, ExecutionState } from './state.ts';

/** What the workflow begins next. `key` names the effect: the same key is never in flight twice. */
export type ExecutionMove =
  | { kind: 'load'; key: 'load' }
  | { kind: 'admit'; key: 'admit' }
  | { kind: 'lock'; key: 'lock' }
  | { kind: 'step'; key: string; index: number; attempt: number; timeoutMs: number }
  | { kind: 'undo'; key: string; index: number; attempt: number; timeoutMs: number }
  | { kind: 'notice'; key: string; notice: ExecutionNotice }
  | { kind: 'record'; key: 'record' }
  | { kind: 'report'; key: 'report' };

export interface Decision {
  moves: ExecutionMove[];
  /** When there is something to decide again, if nothing happens before; null: only an event can tell. */
  wakeAt: number | null;
}

/** What is due at `now`, and until when nothing else is. */
export function nextMoves(state: ExecutionState, now: number): Decision {
  if (executionOver(state)) return { moves: [], wakeAt: null };
  const moves: ExecutionMove[] = [];
  const times: number[] = [];
  const begin = (move: ExecutionMove) => {
    if (!state.inFlight.includes(move.key)) moves.push(move);
  };

  if (state.phase === 'loading') begin({ kind: 'load', key: 'load' });
  if (state.phase === 'admission') begin({ kind: 'admit', key: 'admit' });
  if (state.phase === 'approval' && state.approval) times.push(state.approval.expiresAt);
  if (state.phase === 'lock') {
    if (state.lockRetryAt !== null && state.lockRetryAt > now) times.push(state.lockRetryAt);
    else begin({ kind: 'lock', key: 'lock' });
  }
  if (state.phase === 'running') decideStep(state, now, begin, times);
  if (state.phase === 'undoing') decideUndo(state, now, begin, times);
  for (const notice of state.notices) {
    // links in the mail name the approval: it must be readable first
    if (notice.type !== 'approval.needed' || state.recordedSeq > 0)
      begin({ kind: 'notice', key: notice.key, notice });
  }
  if (
    (state.plan || state.phase === 'finishing') &&
    (state.seq > state.recordedSeq || (state.phase === 'finishing' && state.lockHeld))
  ) {
    begin({ kind: 'record', key: 'record' });
  } else if (state.phase === 'finishing' && !state.reported) begin({ kind: 'report', key: 'report' });
  return { moves, wakeAt: times.length > 0 ? Math.min(...times) : null };
}

/** Nothing is left to do, and nothing is on its way. */
export function executionOver(state: ExecutionState): boolean {
  if (state.inFlight.length > 0) return false;
  return (
    state.phase === 'finishing' &&
    state.reported &&
    state.notices.length === 0 &&
    state.seq === state.recordedSeq &&
    !approvalPending(state)
  );
}

function decideStep(
  state: ExecutionState,
  now: number,
  begin: (move: ExecutionMove) => void,
  times: number[],
): void {
  const index = state.steps.findIndex((step) => step.status === 'pending' || step.status === 'running');
  const step = state.steps[index];
  const plan = state.plan?.steps[index];
  if (!step || !plan || state.cancelled) return;
  if (step.retryAt !== null && step.retryAt > now) {
    times.push(step.retryAt);
    return;
  }
  if (state.inFlight.some((key) => key.startsWith(`step:${index}:`))) return;
  const attempt = step.attempts + 1;
  begin({ kind: 'step', key: `step:${index}:${attempt}`, index, attempt, timeoutMs: plan.timeoutMs });
}

/** The last one that was registered first, one at a time. */
function decideUndo(
  state: ExecutionState,
  now: number,
  begin: (move: ExecutionMove) => void,
  times: number[],
): void {
  const index = state.steps.findLastIndex(
    (step) => step.undo?.status === 'registered' || step.undo?.status === 'running',
  );
  const undo = state.steps[index]?.undo;
  const timeoutMs = state.plan?.steps[index]?.undoTimeoutMs;
  if (!undo || !timeoutMs) return;
  if (undo.retryAt !== null && undo.retryAt > now) {
    times.push(undo.retryAt);
    return;
  }
  if (state.inFlight.some((key) => key.startsWith(`undo:${index}:`))) return;
  const attempt = undo.attempts + 1;
  begin({ kind: 'undo', key: `undo:${index}:${attempt}`, index, attempt, timeoutMs });
}
