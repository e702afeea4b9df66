import { announceChange, applyAnnounced, applyAnnounceFailed } from './announcements.ts';
import { askApproval } from './approval.ts';
import type { ExecutionEvent } from './events.ts';
import { type ExecutionState, newStepState, newUndoState } from './state.ts';
import { advance, applyStepEnd, notTaken, stepStarted } from './steps.ts';
import { finish, holdfast, noticesOf, runbookOf, tell } from './story.ts';
import { applyUndoDecision, applyUndoEnd, turnBack, withUndo } from './undo.ts';
import { applyVote, decide, expireApproval, withdraw } from './votes.ts';

/** How long to wait before the lock on a busy target is asked for again, should nobody say that it is free. */
const lockRetryMs = 30_000;

/** Folds what happened into the state. Pure: the same state and event always give the same state. */
export function applyEvent(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  return announceChange(state, fold(state, event), event.at);
}

function fold(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  switch (event.type) {
    case 'tick':
      return advance(expireApproval(state, event.at), event.at);
    case 'move_started':
      return started(state, event.key, event.at);
    case 'move_failed':
      return applyFailure(landed(state, event.key), event);
    case 'loaded':
      return applyPlan(landed(state, event.key), event);
    case 'admitted':
      return afterAdmission(landed(state, event.key), event.at);
    case 'refused':
      return refuse(landed(state, event.key), event.at, event.reason);
    case 'lock_acquired':
      return applyLock(landed(state, event.key), event.at);
    case 'lock_busy':
      return applyBusy(landed(state, event.key), event);
    case 'target_freed':
      return state.phase === 'lock' ? { ...state, lockRetryAt: null } : state;
    case 'step_ended':
      return applyStepEnd(landed(state, event.key), event);
    case 'undo_ended':
      return applyUndoEnd(landed(state, event.key), event);
    case 'step_not_taken':
      return notTaken(landed(state, event.key), 'step', event.index, event.at);
    case 'undo_not_taken':
      return notTaken(landed(state, event.key), 'undo', event.index, event.at);
    case 'notice_sent': {
      const next = landed(state, event.key);
      return { ...next, notices: next.notices.filter((notice) => notice.key !== event.key) };
    }
    case 'announced':
      return applyAnnounced(landed(state, event.key), event.key, event.notices);
    case 'reported':
      return { ...landed(state, event.key), reported: true };
    case 'recorded':
      return {
        ...landed(state, event.key),
        recordedSeq: Math.max(state.recordedSeq, event.seq),
        outbox: state.outbox.filter((entry) => entry.seq > event.seq),
        lockHeld: state.lockHeld && !event.released,
      };
    case 'voted':
      return applyVote(state, event);
    case 'withdrawn':
      // said while it is still being loaded or admitted: it takes effect where it would begin or ask
      if (state.phase === 'loading' || state.phase === 'admission') {
        return { ...state, withdrawn: event.reason };
      }
      return state.phase === 'lock'
        ? notStarted(state, event.at, event.reason)
        : decide(state, event.at, 'withdrawn', event.reason);
    case 'cancelled':
      return applyCancel(state, event);
    case 'undo_decided':
      return applyUndoDecision(state, event);
  }
}

function landed(state: ExecutionState, key: string): ExecutionState {
  return { ...state, inFlight: state.inFlight.filter((other) => other !== key) };
}

function started(before: ExecutionState, key: string, at: number): ExecutionState {
  const state = { ...before, inFlight: [...before.inFlight, key] };
  const [kind, position] = key.split(':');
  const index = Number(position);
  const undo = state.steps[index]?.undo;
  if (kind === 'step') return stepStarted(state, index, at);
  if (kind !== 'undo' || !undo) return state;
  return withUndo(state, index, {
    status: 'running',
    attempts: undo.attempts + 1,
    startedAt: undo.startedAt ?? at,
    retryAt: null,
  });
}

function applyFailure(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'move_failed' }>,
): ExecutionState {
  if (event.key === 'load') return finish(state, event.at, 'failed', event.reason);
  if (event.key === 'admit') return refuse(state, event.at, event.reason);
  if (event.key.startsWith('announce:')) return applyAnnounceFailed(state, event.key, event.at, event.reason);
  const notices = state.notices.filter((notice) => notice.key !== event.key);
  if (notices.length === state.notices.length) return state;
  return tell(
    { ...state, notices },
    event.at,
    'notification_failed',
    holdfast,
    `A message could not be delivered: ${event.reason}`,
  );
}

function applyPlan(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'loaded' }>,
): ExecutionState {
  const steps = event.plan.steps.map(({ takenOver, undoTimeoutMs }) =>
    takenOver
      ? {
          ...newStepState(),
          status: 'succeeded' as const,
          undo: undoTimeoutMs === null ? null : newUndoState(),
        }
      : newStepState(),
  );
  // cancelled while it was being loaded: it has ended
  const phase = state.phase === 'loading' ? 'admission' : state.phase;
  return { ...state, plan: event.plan, steps, phase };
}

function afterAdmission(state: ExecutionState, at: number): ExecutionState {
  const { plan } = state;
  if (!plan || state.phase !== 'admission') return state;
  if (state.withdrawn !== null) return notStarted(state, at, state.withdrawn);
  if (plan.mode !== 'semi_auto') return { ...state, phase: 'lock' };
  return askApproval({ ...state, phase: 'approval' }, at, plan.approval, null);
}

/** There is nothing to run it for any more, and nothing has run. */
function notStarted(state: ExecutionState, at: number, reason: string): ExecutionState {
  const words = `Runbook ${runbookOf(state)} was not started: ${reason}`;
  return finish(tell(state, at, 'execution_withdrawn', holdfast, words), at, 'cancelled', reason);
}

function applyLock(state: ExecutionState, at: number): ExecutionState {
  const held = { ...state, lockHeld: true, lockRetryAt: null };
  // cancelled meanwhile: the next record gives the target free again
  if (state.phase !== 'lock') return held;
  const running = { ...held, phase: 'running', status: 'running', reason: null, startedAt: at } as const;
  return tell(
    running,
    at,
    'execution_running',
    holdfast,
    `Runbook ${runbookOf(state)} runs on ${state.plan?.target ?? ''}`,
  );
}

function applyBusy(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'lock_busy' }>,
): ExecutionState {
  if (state.phase !== 'lock') return state;
  const target = state.plan?.target ?? 'its target';
  const place = event.ahead > 0 ? `, and ${event.ahead} more come first` : '';
  const reason = `waits for ${target}: execution ${event.heldBy} works on it${place}`;
  const seq = reason === state.reason ? state.seq : state.seq + 1;
  return { ...state, lockRetryAt: event.at + lockRetryMs, reason, seq };
}

/** A rule says no, when it is asked for or when its turn on the target has come. */
function refuse(state: ExecutionState, at: number, reason: string): ExecutionState {
  if (state.phase !== 'admission' && state.phase !== 'lock') return state;
  const ended = finish(state, at, 'cancelled', reason);
  return tell(
    { ...ended, notices: noticesOf(state, 'execution.refused', { reason }) },
    at,
    'execution_refused',
    holdfast,
    `Runbook ${runbookOf(state)} was not started: ${reason}`,
  );
}

function applyCancel(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'cancelled' }>,
): ExecutionState {
  if (state.cancelled || state.phase === 'undoing' || state.phase === 'finishing') return state;
  const { at, by, reason } = event;
  const words = `cancelled by ${by}${reason ? `: ${reason}` : ''}`;
  const told = tell(
    { ...state, cancelled: { at, by, reason }, reason: words },
    at,
    'execution_cancel',
    by,
    `Cancelled runbook ${runbookOf(state)}${reason ? `: ${reason}` : ''}`,
    'execution.cancel',
  );
  const asked = withdraw(told, at, words);
  if (state.phase !== 'running') return finish(asked, at, 'cancelled', words);
  // a step that is under way ends first: an undo must not overtake it
  return state.inFlight.some((key) => key.startsWith('step:')) ? asked : turnBack(asked, at);
}
