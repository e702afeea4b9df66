import type { ExecutionStatus } from '../incident-status.ts';
import type { ExecutionNotice, ExecutionState } from './state.ts';

/** Who acts when nobody does. */
export const holdfast = 'Holdfast';

export function runbookOf(state: ExecutionState): string {
  return state.plan?.runbook ?? '';
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

export function noticesOf(
  state: ExecutionState,
  type: ExecutionNotice['type'],
  detail: ExecutionNotice['detail'],
): ExecutionNotice[] {
  const fresh = (state.plan?.approvers ?? []).map((target, index) => ({
    key: `notice:${type}:${index}`,
    type,
    target,
    detail,
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
