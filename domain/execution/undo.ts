import type { UndoDecided, UndoEnded } from './events.ts';
import { type ExecutionState, type UndoState, undoAttempts, undoRetryDelayMs } from './state.ts';
import { finish, holdfast, noticesOf, runbookOf, stepName, tell } from './story.ts';

/** Turns back: what has not begun is skipped, what has begun and can be undone will be. */
export function turnBack(state: ExecutionState, at: number): ExecutionState {
  const steps = state.steps.map((step) => {
    if (step.status === 'pending') return { ...step, status: 'skipped' as const };
    if (step.status !== 'running') return step;
    return { ...step, status: 'cancelled' as const, retryAt: null, waitUntil: null, finishedAt: at };
  });
  const turned = { ...state, steps, phase: 'undoing' as const };
  if (!steps.some((step) => step.undo)) return finishUndoing(turned, at);
  const words = `Rolling back runbook ${runbookOf(state)}: ${state.reason ?? ''}`;
  return tell(turned, at, 'rollback_started', holdfast, words);
}

/** Position of the undo that comes next: the last that was registered is the first to go. */
export function nextUndo(state: ExecutionState): number {
  return state.steps.findLastIndex(({ undo }) => undo && isOpen(undo));
}

function isOpen(undo: UndoState): boolean {
  return undo.status === 'registered' || undo.status === 'running' || undo.status === 'waiting';
}

export function withUndo(state: ExecutionState, index: number, change: Partial<UndoState>): ExecutionState {
  return {
    ...state,
    seq: state.seq + 1,
    steps: state.steps.map((step, n) =>
      n === index && step.undo ? { ...step, undo: { ...step.undo, ...change } } : step,
    ),
  };
}

export function applyUndoEnd(state: ExecutionState, event: UndoEnded): ExecutionState {
  const { index, at, ok, error } = event;
  const undo = state.steps[index]?.undo;
  if (!undo) return state;
  if (ok) {
    const done = withUndo(state, index, {
      status: 'succeeded',
      finishedAt: at,
      error: null,
      runnerMissingSince: null,
    });
    return unlessOpen(done, at);
  }
  if (undo.attempts - undo.attemptsBefore < undoAttempts) {
    return withUndo(state, index, { retryAt: at + undoRetryDelayMs, error });
  }
  const waiting = withUndo(state, index, { status: 'waiting', error });
  const words = `the undo of ${stepName(state, index)} failed ${undo.attempts} times: ${error ?? 'unknown reason'}`;
  const notices = noticesOf(
    waiting,
    'execution.undo_failed',
    { reason: words, step: index + 1 },
    { about: `${index}:${undo.attempts}:` },
  );
  return tell(
    { ...waiting, notices },
    at,
    'undo_failed',
    holdfast,
    `Runbook ${runbookOf(state)} waits for a person: ${words}`,
  );
}

/** Why this decision on an undo is refused, for the person; undefined when it stands. */
export function refusalOfDecision(
  state: ExecutionState,
  index: number,
  decision: 'retry' | 'skip',
  reason: string | null,
): string | undefined {
  const step = state.steps[index];
  if (!step) return `there is no step ${index + 1}`;
  const waits =
    step.undo?.status === 'waiting' ||
    (decision === 'skip' && waitsForRunner(step.undo) && step.undo.decision?.decision !== 'skip');
  if (!waits) return `the undo of step ${index + 1} does not wait for a decision`;
  if (decision === 'skip' && !reason) return 'say why it is left undone: reason';
  return undefined;
}

export function applyUndoDecision(state: ExecutionState, event: UndoDecided): ExecutionState {
  const { index, at, decision, by, reason } = event;
  const undo = state.steps[index]?.undo;
  if (!undo || refusalOfDecision(state, index, decision, reason)) return state;
  const decided = { decision, by, reason, at };
  const because = reason ? `: ${reason}` : '';
  if (decision === 'retry') {
    const again = withUndo(state, index, {
      status: 'registered',
      attemptsBefore: undo.attempts,
      retryAt: null,
      decision: decided,
    });
    const words = `Tries the undo of ${stepName(state, index)} again${because}`;
    return tell(again, at, 'undo_retry', by, words, 'execution.undo_retry');
  }
  const skipped = withUndo(state, index, { decision: decided });
  const words = `Leaves ${stepName(state, index)} without its undo${because}`;
  const told = tell(skipped, at, 'undo_skipped', by, words, 'execution.undo_skip');
  // one that is offered to a runner is left when the runner has not taken it: until then it may still be done
  return undo.status === 'waiting' ? leaveUndone(told, index, at) : told;
}

export function leaveUndone(state: ExecutionState, index: number, at: number): ExecutionState {
  return unlessOpen(withUndo(state, index, { status: 'skipped', finishedAt: at }), at);
}

/** Whether it cannot be begun, since nobody runs its runner. */
function waitsForRunner(undo: UndoState | null): undo is UndoState {
  return undo !== null && isOpen(undo) && undo.runnerMissingSince !== null;
}

function unlessOpen(state: ExecutionState, at: number): ExecutionState {
  return nextUndo(state) >= 0 ? state : finishUndoing(state, at);
}

function finishUndoing(state: ExecutionState, at: number): ExecutionState {
  const undos = state.steps.flatMap((step) => (step.undo ? [step.undo] : []));
  if (undos.some(({ status }) => status !== 'succeeded')) {
    return finish(state, at, 'rollback_failed', state.reason);
  }
  if (undos.length > 0) return finish(state, at, 'rolled_back', state.reason);
  return finish(state, at, state.cancelled ? 'cancelled' : 'failed', state.reason);
}
