import { pendingApproval } from './approval.ts';
import type { ExecutionState } from './state.ts';
import { currentStep } from './steps.ts';
import { nextUndo } from './undo.ts';

export interface ExecutionDeadline {
  /** Epoch milliseconds. */
  at: number;
  /** What happens then, for people: 'step 3 is tried again'. */
  what: string;
}

/** The next running timer that a person would want to know of. */
export function nextDeadline(state: ExecutionState): ExecutionDeadline | null {
  const approval = pendingApproval(state);
  if (approval) {
    const next = state.plan?.levels[approval.level];
    const goesOn = approval.plan.onTimeout === 'escalate' && next !== undefined;
    return {
      at: approval.expiresAt,
      what: goesOn ? `level ${approval.level + 1} is asked` : 'the approval expires',
    };
  }
  if (state.phase === 'running') {
    const index = currentStep(state);
    const step = state.steps[index];
    if (step?.waitUntil != null) return { at: step.waitUntil, what: 'the wait is over' };
    if (step?.retryAt != null) return { at: step.retryAt, what: `step ${index + 1} is tried again` };
  }
  if (state.phase === 'undoing') {
    const index = nextUndo(state);
    const retryAt = state.steps[index]?.undo?.retryAt;
    if (retryAt != null) return { at: retryAt, what: `the undo of step ${index + 1} is tried again` };
  }
  return null;
}
