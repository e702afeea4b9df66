import { announceKey } from './announcements.ts';
import { pendingApproval } from './approval.ts';
import type { Announcement, ExecutionNotice, ExecutionState } from './state.ts';
import { currentStep } from './steps.ts';
import { nextUndo } from './undo.ts';

/** What the workflow begins next. `key` names the effect: the same key is never in flight twice. */
export type ExecutionMove =
  | { kind: 'load'; key: 'load' }
  | { kind: 'admit'; key: 'admit' }
  | { kind: 'lock'; key: 'lock' }
  | ({ kind: 'step' } & Attempt)
  | ({ kind: 'undo' } & Attempt)
  /** A step that tells people something. */
  | { kind: 'message'; key: string; index: number }
  | { kind: 'notice'; key: string; notice: ExecutionNotice }
  | { kind: 'announce'; key: string; announcement: Announcement }
  | { kind: 'record'; key: 'record' }
  | { kind: 'report'; key: 'report' };

export interface Attempt {
  key: string;
  index: number;
  attempt: number;
  timeoutMs: number;
  /** Null: Holdfast's own workers. */
  runner: string | null;
}

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
  const approval = pendingApproval(state);
  if (approval) times.push(approval.expiresAt);
  if (state.phase === 'lock') {
    if (state.lockRetryAt !== null && state.lockRetryAt > now) times.push(state.lockRetryAt);
    else begin({ kind: 'lock', key: 'lock' });
  }
  if (state.phase === 'running') decideStep(state, now, begin, times);
  if (state.phase === 'undoing') decideUndo(state, now, begin, times);
  for (const notice of state.notices) {
    // links in the mail name the approval: it must be readable first
    if (notice.type !== 'approval.needed' || isRecorded(state, notice))
      begin({ kind: 'notice', key: notice.key, notice });
  }
  for (const announcement of state.announcements ?? []) {
    // rules and their texts read the record
    if (state.recordedSeq >= announcement.seq)
      begin({ kind: 'announce', key: announceKey(announcement), announcement });
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
    (state.announcements ?? []).length === 0 &&
    state.seq === state.recordedSeq &&
    !pendingApproval(state)
  );
}

/** What was asked for in mid-run is written down by a later record than the one of the beginning. */
function isRecorded(state: ExecutionState, notice: ExecutionNotice): boolean {
  const approval = state.approvals.find((each) => each.plan.id === notice.approvalId);
  return approval?.step == null ? state.recordedSeq > 0 : state.recordedSeq >= approval.askedSeq;
}

function decideStep(
  state: ExecutionState,
  now: number,
  begin: (move: ExecutionMove) => void,
  times: number[],
): void {
  const index = currentStep(state);
  const step = state.steps[index];
  const plan = state.plan?.steps[index];
  if (!step || !plan || state.cancelled) return;
  if (step.waitUntil !== null) times.push(step.waitUntil);
  if (plan.work.kind === 'wait' || plan.work.kind === 'approval') return;
  if (step.retryAt !== null && step.retryAt > now) {
    times.push(step.retryAt);
    return;
  }
  if (state.inFlight.some((key) => key.startsWith(`step:${index}:`))) return;
  const attempt = step.attempts + 1;
  const key = `step:${index}:${attempt}`;
  if (plan.work.kind === 'notify') begin({ kind: 'message', key, index });
  else begin({ kind: 'step', key, index, attempt, timeoutMs: plan.timeoutMs, runner: plan.runner });
}

/** The last one that was registered first, one at a time; one that waits for a person holds the others up. */
function decideUndo(
  state: ExecutionState,
  now: number,
  begin: (move: ExecutionMove) => void,
  times: number[],
): void {
  const index = nextUndo(state);
  const undo = state.steps[index]?.undo;
  const plan = state.plan?.steps[index];
  if (!undo || !plan?.undoTimeoutMs || undo.status === 'waiting') return;
  if (undo.retryAt !== null && undo.retryAt > now) {
    times.push(undo.retryAt);
    return;
  }
  if (state.inFlight.some((key) => key.startsWith(`undo:${index}:`))) return;
  const attempt = undo.attempts + 1;
  begin({
    kind: 'undo',
    key: `undo:${index}:${attempt}`,
    index,
    attempt,
    timeoutMs: plan.undoTimeoutMs,
    runner: plan.undoRunner,
  });
}
