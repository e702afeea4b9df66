import { askApproval } from './approval.ts';
import type { StepEnded } from './events.ts';
import type { StepPlan } from './plan.ts';
import { type ExecutionState, newUndoState, type StepState } from './state.ts';
import { finish, holdfast, noticesOf, runbookOf, stepName, tell } from './story.ts';
import { leaveUndone, nextUndo, turnBack, withUndo } from './undo.ts';

/** How often an idempotent step is tried again after crashes, where its own retries are fewer. */
const retriesAfterCrash = 3;

export function withStep(state: ExecutionState, index: number, change: Partial<StepState>): ExecutionState {
  return {
    ...state,
    seq: state.seq + 1,
    steps: state.steps.map((step, n) => (n === index ? { ...step, ...change } : step)),
  };
}

/** Position of the step that it is at; -1 when all are done. */
export function currentStep(state: ExecutionState): number {
  return state.steps.findIndex(({ status }) => status === 'pending' || status === 'running');
}

/** Does what steps ask of the workflow itself, as far as it is due: skips, waits, asks for approval. */
export function advance(before: ExecutionState, at: number): ExecutionState {
  let state = before;
  while (state.phase === 'running' && !state.cancelled) {
    const index = currentStep(state);
    const step = state.steps[index];
    const plan = state.plan?.steps[index];
    if (!step || !plan) return finish(state, at, 'succeeded', null);
    const next =
      step.status === 'pending' ? beginOwn(state, index, plan, at) : endWait(state, index, step, at);
    if (next === state) return state;
    state = next;
  }
  return state;
}

function beginOwn(state: ExecutionState, index: number, plan: StepPlan, at: number): ExecutionState {
  const skipped = plan.skipped ?? missingNeed(state, plan);
  if (skipped !== null) {
    return afterStep(withStep(state, index, { status: 'skipped', finishedAt: at, error: skipped }), at);
  }
  const running = { status: 'running', attempts: 1, startedAt: at } as const;
  if (plan.work.kind === 'wait') {
    return withStep(state, index, { ...running, waitUntil: at + plan.work.durationMs });
  }
  if (plan.work.kind === 'approval') {
    return askApproval(withStep(state, index, running), at, plan.work.approval, index);
  }
  return state;
}

function missingNeed(state: ExecutionState, plan: StepPlan): string | null {
  const missing = plan.needs.find(({ index, status }) => state.steps[index]?.status !== status);
  if (!missing) return null;
  const is = state.steps[missing.index]?.status ?? 'unknown';
  return `only if step ${missing.index + 1} ${wordsOf[missing.status]}; it is ${is}`;
}

const wordsOf = { succeeded: 'succeeded', failed: 'failed', skipped: 'was skipped' } as const;

function endWait(state: ExecutionState, index: number, step: StepState, at: number): ExecutionState {
  if (step.waitUntil === null || step.waitUntil > at) return state;
  return afterStep(
    withStep(state, index, { status: 'succeeded', finishedAt: step.waitUntil, waitUntil: null }),
    at,
  );
}

export function stepStarted(state: ExecutionState, index: number, at: number): ExecutionState {
  const step = state.steps[index];
  if (!step) return state;
  const hasUndo = state.plan?.steps[index]?.undoTimeoutMs !== null;
  return withStep(state, index, {
    status: 'running',
    attempts: step.attempts + 1,
    startedAt: step.startedAt ?? at,
    retryAt: null,
    // the undo is recorded before the step begins: whatever the step leaves behind can be undone
    undo: step.undo ?? (hasUndo ? newUndoState() : null),
  });
}

export function applyStepEnd(state: ExecutionState, event: StepEnded): ExecutionState {
  const { index, at, outcome, error } = event;
  const plan = state.plan?.steps[index];
  const step = state.steps[index];
  if (!plan || !step) return state;
  const known = {
    runnerMissingSince: null,
    outcomeUnknown: step.outcomeUnknown || outcome === 'unknown' || event.outcomeUnknown === true,
  };
  const taken = step.runnerMissingSince === null ? state : { ...state, reason: null };
  if (outcome === 'succeeded') {
    return afterStep(
      withStep(taken, index, { ...known, status: 'succeeded', finishedAt: at, error: null }),
      at,
    );
  }
  if (outcome === 'cancelled' || state.cancelled) {
    return turnBack(
      withStep(state, index, { ...known, status: 'cancelled', finishedAt: at, error: error ?? 'cancelled' }),
      at,
    );
  }
  // after a crash nobody knows what was done: only a step that says so may be run again
  const unknown = outcome === 'unknown' || event.outcomeUnknown === true;
  const again = unknown
    ? plan.idempotent && step.attempts <= Math.max(plan.retries, retriesAfterCrash)
    : step.attempts <= plan.retries;
  if (again) return withStep(taken, index, { ...known, retryAt: at + plan.retryDelayMs, error });
  const failed = withStep(taken, index, { ...known, status: 'failed', finishedAt: at, error });
  if (plan.continueOnFail && !unknown) return afterStep(failed, at);
  return fail(failed, index, at, error);
}

/** The step has failed for good: everything is undone. */
export function fail(state: ExecutionState, index: number, at: number, error: string | null): ExecutionState {
  return turnBack({ ...state, reason: `${stepName(state, index)} failed: ${error ?? 'unknown reason'}` }, at);
}

export function afterStep(state: ExecutionState, at: number): ExecutionState {
  if (state.cancelled) return turnBack(state, at);
  return currentStep(state) < 0 ? finish(state, at, 'succeeded', null) : state;
}

/** Nobody polls the queue of its runner: it is offered again, and the first time a person is told. */
export function notTaken(
  state: ExecutionState,
  phase: 'step' | 'undo',
  index: number,
  at: number,
): ExecutionState {
  const step = state.steps[index];
  const plan = state.plan?.steps[index];
  const part = phase === 'step' ? step : step?.undo;
  const runner = phase === 'step' ? plan?.runner : plan?.undoRunner;
  if (!step || !part || (phase === 'undo' && index !== nextUndo(state))) return state;
  const neverBegan = part.attempts <= 1;
  if (phase === 'step' && state.cancelled) {
    // cancelled while it waited for its runner: what never began is not undone either
    const undo = neverBegan ? null : step.undo;
    return turnBack(
      withStep(state, index, { status: 'cancelled', finishedAt: at, error: 'cancelled', undo }),
      at,
    );
  }
  if (phase === 'undo' && step.undo?.decision?.decision === 'skip') return leaveUndone(state, index, at);
  const change = {
    attempts: part.attempts - 1,
    retryAt: at,
    runnerMissingSince: part.runnerMissingSince ?? at,
  };
  const next = phase === 'step' ? withStep(state, index, change) : withUndo(state, index, change);
  const what = phase === 'step' ? stepName(state, index) : `the undo of ${stepName(state, index)}`;
  const reason = `waits for runner ${runner ?? ''}: nobody takes up ${what.replace(/,$/, '')}`;
  const waiting = phase === 'step' ? { ...next, reason } : next;
  if (part.runnerMissingSince !== null) return waiting;
  const notices = noticesOf(
    waiting,
    'execution.runner_missing',
    { reason, runner: runner ?? '' },
    { about: `${phase}:${index}:${part.attempts}:` },
  );
  return tell(
    { ...waiting, notices },
    at,
    'runner_missing',
    holdfast,
    `Runbook ${runbookOf(state)} ${reason}`,
  );
}
