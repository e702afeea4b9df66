import type { ApprovalStatus } from '../incident-status.ts';
import type { ExecutionEvent } from './events.ts';
import type { ExecutionState } from './state.ts';
import { finish, holdfast, runbookOf, tell } from './story.ts';

/** Whether a person can still vote. */
export function approvalPending(state: ExecutionState): boolean {
  return state.approval?.status === 'pending';
}

export function expireApproval(state: ExecutionState, now: number): ExecutionState {
  const { approval } = state;
  if (approval?.status !== 'pending' || now < approval.expiresAt) return state;
  return decide(state, approval.expiresAt, 'expired', 'nobody answered in time');
}

export function applyVote(
  state: ExecutionState,
  event: Extract<ExecutionEvent, { type: 'voted' }>,
): ExecutionState {
  const { approval, plan } = state;
  if (approval?.status !== 'pending' || !plan || approval.votes.some((vote) => vote.person === event.person))
    return state;
  const { person, via, decision, reason, at } = event;
  if (via === 'temporal' && !plan.approveBySignal) return state;
  const voted = {
    ...state,
    approval: { ...approval, votes: [...approval.votes, { person, via, decision, reason, at }] },
  };
  const words = `${decision === 'approve' ? 'Approved' : 'Rejected'} runbook ${plan.runbook}${reason ? `: ${reason}` : ''}`;
  const told = tell(
    voted,
    at,
    decision === 'approve' ? 'approved' : 'rejected',
    person,
    words,
    `approval.${decision}`,
  );
  if (decision === 'reject')
    return decide(told, at, 'rejected', `rejected by ${person}${reason ? `: ${reason}` : ''}`);
  const approvals = voted.approval.votes.filter((vote) => vote.decision === 'approve').length;
  return approvals >= plan.approvalsNeeded ? decide(told, at, 'approved', null) : told;
}

export function decide(
  state: ExecutionState,
  at: number,
  status: ApprovalStatus,
  reason: string | null,
): ExecutionState {
  const { approval } = state;
  if (approval?.status !== 'pending') return state;
  const decided: ExecutionState = {
    ...state,
    seq: state.seq + 1,
    approval: { ...approval, status, decidedAt: at, reason },
    notices: state.notices.filter((notice) => notice.type !== 'approval.needed'),
  };
  if (status === 'approved') return { ...decided, phase: 'lock', reason: null };
  const words = `Approval of runbook ${runbookOf(state)} ${status}: ${reason ?? ''}`;
  const told = status === 'rejected' ? decided : tell(decided, at, `approval_${status}`, holdfast, words);
  return finish(told, at, 'cancelled', status === 'rejected' ? reason : `approval ${status}: ${reason}`);
}
