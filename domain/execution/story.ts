import type { ExecutionStatus } from '../incident-status.ts';
import type { EscalationTarget } from '../policies.ts';
import type { ExecutionNotice, ExecutionState } from './state.ts';

/** Who acts when nobody does. */
export const holdfast = 'Holdfast';

export function runbookOf(state: ExecutionState): string {
  return state.plan?.runbook ?? '';
}

/** 'step 3, Restart', 'verification 1, Is it healthy'. */
export function stepName(state: ExecutionState, index: number): string {
  const steps = state.plan?.steps ?? [];
  const step = steps[index];
  if (!step) return `step ${index + 1}`;
  if (step.part === 'step') return `step ${index + 1}, ${step.name},`;
  const first = steps.findIndex(({ part }) => part === 'verify');
  return `verification ${index - first + 1}, ${step.name},`;
}

/** Every change that people can see raises `seq`, so that it is recorded. */
export function tell(
  state: ExecutionState,
  at: number,
  kind: string,
  actor: string,
  summary: string,
  audit: string | null = null,
): ExecutionState {
  const seq = state.seq + 1;
  return { ...state, seq, outbox: [...state.outbox, { seq, at, kind, actor, summary, audit }] };
}

/** The notices that stand, and new ones to each target. `about` tells notices of one type apart. */
export function noticesOf(
  state: ExecutionState,
  type: ExecutionNotice['type'],
  detail: ExecutionNotice['detail'],
  more: { about?: string; targets?: readonly EscalationTarget[]; approvalId?: string } = {},
): ExecutionNotice[] {
  const { about = '', targets = state.plan?.levels[0] ?? [], approvalId } = more;
  const fresh = targets.map((target, index) => ({
    key: `notice:${type}:${about}${index}`,
    type,
    target,
    detail,
    ...(approvalId === undefined ? {} : { approvalId }),
  }));
  return [...state.notices, ...fresh];
}

/** The outcome stands. What is left: to record it, to tell it, to give the target free. */
export function finish(
  state: ExecutionState,
  at: number,
  status: ExecutionStatus,
  reason: string | null,
): ExecutionState {
  const told: ExecutionState = {
    ...state,
    seq: state.seq + 1,
    phase: 'finishing',
    status,
    reason,
    finishedAt: at,
  };
  if (status === 'cancelled' || status === 'waiting' || status === 'running') return told;
  return { ...told, notices: noticesOf(told, `execution.${status}`, { reason }) };
}
