import { formatDuration } from '../duration.ts';
import { applyVote, decide, expireApproval } from './approval.ts';
import type { ExecutionEvent } from './events.ts';
import { type ExecutionState, type StepState, undoAttempts, undoRetryDelayMs } from './state.ts';
import { finish, holdfast, noticesOf, runbookOf, tell } from './story.ts';

/** How long to wait before the lock on a busy target is asked for again. */
const lockRetryMs = 5_000;

/** Folds what happened into the state. Pure: the same state and event always give the same state. */
export function applyEvent(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  switch (event.type) {
    case 'tick':
      return expireApproval(state, event.at);
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
    case 'lock_busy': {
      const reason = `waits for ${state.plan?.target ?? 'its target'}: execution ${event.heldBy} works on it`;
      const next = landed(state, event.key);
      if (state.phase !== 'lock') return next;
      const seq = reason === state.reason ? state.seq : state.seq + 1;
      return { ...next, lockRetryAt: event.at + lockRetryMs, reason, seq };
    }
    case 'step_ended':
      return applyStepEnd(landed(state, event.key), event);
    case 'undo_ended':
      return applyUndoEnd(landed(state, event.key), event);
    case 'notice_sent': {
      const next = landed(state, event.key);
      return { ...next, notices: next.notices.filter((notice) => notice.key !== event.key) };
    }
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
      return state.phase === 'loading' || state.phase === 'admission'
        ? { ...state, withdrawn: event.reason }
        : decide(state, event.at, 'withdrawn', event.reason);
    case 'cancelled':
      return applyCancel(state, event);
  }
}

function landed(state: ExecutionState, key: string): ExecutionState {
  return { ...state, inFlight: state.inFlight.filter((other) => other !== key) };
}

function withStep(state: ExecutionState, index: number, change: Partial<StepState>): ExecutionState {
  return {
    ...state,
    seq: state.seq + 1,
    steps: state.steps.map((step, n) => (n === index ? { ...step, ...change } : step)),
  };
}

function started(before: ExecutionState, key: string, at: number): ExecutionState {
  const state = { ...before, inFlight: [...before.inFlight, key] };
  const [kind, position] = key.split(':');
  const index = Number(position);
  const step = state.steps[index];
  if (kind === 'step' && step) {
    const hasUndo = state.plan?.steps[index]?.undoTimeoutMs !== null;
    // the undo is recorded before the step begins: whatever the step leaves behind can be undone
    const undo =
      step.undo ??
      (hasUndo
        ? {
            status: 'registered' as const,
            attempts: 0,
            startedAt: null,
            finishedAt: null,
            error: null,
            retryAt: null,
          }
        : null);
    return withStep(state, index, {
      status: 'running',
      attempts: step.attempts + 1,
      startedAt: step.startedAt ?? at,
      retryAt: null,
      undo,
    });
  }
  if (kind === 'undo' && step?.undo) {
    const { undo } = step;
    return withStep(state, index, {
      undo: {
        ...undo,
        status: 'running',
        attempts: undo.attempts + 1,
        startedAt: undo.startedAt ?? at,
        retryAt: null,
      },
    });
  }
  return state;
}

function applyFailure(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'move_failed' }>,
): ExecutionState {
  if (event.key === 'load') return finish(state, event.at, 'failed', event.reason);
  if (event.key === 'admit') return refuse(state, event.at, event.reason);
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
  const steps = event.plan.steps.map<StepState>(() => ({
    status: 'pending',
    attempts: 0,
    startedAt: null,
    finishedAt: null,
    error: null,
    retryAt: null,
    undo: null,
  }));
  // cancelled while it was being loaded: it has ended
  const phase = state.phase === 'loading' ? 'admission' : state.phase;
  return { ...state, plan: event.plan, steps, phase };
}

function afterAdmission(state: ExecutionState, at: number): ExecutionState {
  const { plan } = state;
  if (!plan || state.phase !== 'admission') return state;
  if (state.withdrawn !== null) {
    const words = `Runbook ${plan.runbook} was not started: ${state.withdrawn}`;
    return finish(tell(state, at, 'execution_withdrawn', holdfast, words), at, 'cancelled', state.withdrawn);
  }
  if (plan.mode !== 'semi_auto') return { ...state, phase: 'lock' };
  const expiresAt = at + plan.approvalTimeoutMs;
  const asked: ExecutionState = {
    ...state,
    phase: 'approval',
    reason: 'waits for approval',
    approval: { status: 'pending', requestedAt: at, expiresAt, votes: [], decidedAt: null, reason: null },
    notices: noticesOf(state, 'approval.needed', { expiresAt: new Date(expiresAt).toISOString() }),
  };
  return tell(
    asked,
    at,
    'approval_requested',
    holdfast,
    `Runbook ${plan.runbook} asks for approval within ${formatDuration(plan.approvalTimeoutMs)}`,
  );
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

function refuse(state: ExecutionState, at: number, reason: string): ExecutionState {
  if (state.phase !== 'admission') return state;
  const ended = finish(state, at, 'cancelled', reason);
  return tell(
    { ...ended, notices: noticesOf(state, 'execution.refused', { reason }) },
    at,
    'execution_refused',
    holdfast,
    `Runbook ${runbookOf(state)} was not started: ${reason}`,
  );
}

function applyStepEnd(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'step_ended' }>,
): ExecutionState {
  const { index, at, outcome, error } = event;
  const plan = state.plan?.steps[index];
  const step = state.steps[index];
  if (!plan || !step) return state;
  if (outcome === 'succeeded') {
    return afterStep(withStep(state, index, { status: 'succeeded', finishedAt: at, error: null }), index, at);
  }
  if (outcome === 'cancelled' || state.cancelled) {
    return undo(
      withStep(state, index, { status: 'cancelled', finishedAt: at, error: error ?? 'cancelled' }),
      at,
    );
  }
  // after a crash nobody knows what was done: only a step that says so may be run again
  const again = step.attempts <= plan.retries && (outcome === 'failed' || plan.idempotent);
  if (again) return withStep(state, index, { retryAt: at + plan.retryDelayMs, error });
  const failed = withStep(state, index, { status: 'failed', finishedAt: at, error });
  if (plan.continueOnFail && outcome === 'failed') return afterStep(failed, index, at);
  return undo(
    { ...failed, reason: `step ${index + 1}, ${plan.name}, failed: ${error ?? 'unknown reason'}` },
    at,
  );
}

function afterStep(state: ExecutionState, index: number, at: number): ExecutionState {
  if (state.cancelled) return undo(state, at);
  return index + 1 < state.steps.length ? state : finish(state, at, 'succeeded', null);
}

/** Turns back: what has not begun is skipped, what has begun and can be undone will be. */
function undo(state: ExecutionState, at: number): ExecutionState {
  const steps = state.steps.map((step) =>
    step.status === 'pending' || step.retryAt !== null
      ? {
          ...step,
          retryAt: null,
          status: step.status === 'pending' ? ('skipped' as const) : ('cancelled' as const),
        }
      : step,
  );
  const turned = { ...state, steps, phase: 'undoing' as const };
  if (!steps.some((step) => step.undo)) return finishUndoing(turned, at);
  return tell(
    turned,
    at,
    'rollback_started',
    holdfast,
    `Rolling back runbook ${runbookOf(state)}: ${state.reason ?? ''}`,
  );
}

function applyUndoEnd(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'undo_ended' }>,
): ExecutionState {
  const { index, at, ok, error } = event;
  const step = state.steps[index];
  if (!step?.undo) return state;
  const again = !ok && step.undo.attempts < undoAttempts;
  const changed = again
    ? { ...step.undo, retryAt: at + undoRetryDelayMs, error }
    : { ...step.undo, status: ok ? ('succeeded' as const) : ('failed' as const), finishedAt: at, error };
  const next = withStep(state, index, { undo: changed });
  return next.steps.some(
    (other) => other.undo && (other.undo.status === 'registered' || other.undo.status === 'running'),
  )
    ? next
    : finishUndoing(next, at);
}

function finishUndoing(state: ExecutionState, at: number): ExecutionState {
  const undos = state.steps.flatMap((step) => (step.undo ? [step.undo] : []));
  if (undos.some((each) => each.status === 'failed'))
    return finish(state, at, 'rollback_failed', state.reason);
  if (undos.length > 0) return finish(state, at, 'rolled_back', state.reason);
  return finish(state, at, state.cancelled ? 'cancelled' : 'failed', state.reason);
}

function applyCancel(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'cancelled' }>,
): ExecutionState {
  if (state.cancelled || state.phase === 'undoing' || state.phase === 'finishing') return state;
  const { at, by, reason } = event;
  const words = `cancelled by ${by}${reason ? `: ${reason}` : ''}`;
  const asked = tell(
    { ...state, cancelled: { at, by, reason }, reason: words },
    at,
    'execution_cancel',
    by,
    `Cancelled runbook ${runbookOf(state)}${reason ? `: ${reason}` : ''}`,
    'execution.cancel',
  );
  if (state.phase === 'running') {
    // a step that is under way ends first: an undo must not overtake it
    return state.steps.some((step) => step.status === 'running' && step.retryAt === null)
      ? asked
      : undo(asked, at);
  }
  const approval =
    asked.approval?.status === 'pending'
      ? { ...asked.approval, status: 'withdrawn' as const, decidedAt: at, reason: words }
      : asked.approval;
  const notices = asked.notices.filter((notice) => notice.type !== 'approval.needed');
  return finish({ ...asked, approval, notices }, at, 'cancelled', words);
}
