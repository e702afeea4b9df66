import type { ApprovalStatus } from '../incident-status.ts';
import { askNextLevel, pendingApproval, refusalOfVote, withApproval } from './approval.ts';
import type { Voted } from './events.ts';
import type { ApprovalState, ExecutionState } from './state.ts';
import { afterStep, fail, withStep } from './steps.ts';
import { finish, holdfast, runbookOf, tell } from './story.ts';

export function applyVote(before: ExecutionState, event: Voted): ExecutionState {
  // what came back after the deadline, when no worker was there to keep it, is judged by the deadline
  const state = expireApproval(before, event.at);
  const { approvalId, person, via, decision, reason, at } = event;
  const approval = pendingApproval(state);
  if (!approval || refusalOfVote(state, approvalId, decision, event) !== undefined) return state;
  const votes = [...approval.votes, { person, via, decision, reason, at }];
  const because = reason ? `: ${reason}` : '';
  const told = tell(
    withApproval(state, approval.plan.id, { votes }),
    at,
    decision === 'approve' ? 'approved' : 'rejected',
    person,
    `${decision === 'approve' ? 'Approved' : 'Rejected'} runbook ${runbookOf(state)}${because}`,
    `approval.${decision}`,
  );
  if (decision === 'reject') return decide(told, at, 'rejected', `rejected by ${person}${because}`);
  const approvals = votes.filter((vote) => vote.decision === 'approve').length;
  return approvals >= approval.plan.needed ? decide(told, at, 'approved', null) : told;
}

/** What nobody answered in time goes to the next level, or expires. */
export function expireApproval(before: ExecutionState, now: number): ExecutionState {
  let state = before;
  for (;;) {
    const approval = pendingApproval(state);
    if (!approval || now < approval.expiresAt) return state;
    const escalated = askNextLevel(state, approval);
    if (!escalated) return decide(state, approval.expiresAt, 'expired', 'nobody answered in time');
    state = escalated;
  }
}

/** The pending approval is over; what waited for it goes on or ends. */
export function decide(
  state: ExecutionState,
  at: number,
  status: ApprovalStatus,
  reason: string | null,
): ExecutionState {
  const approval = pendingApproval(state);
  if (!approval) return state;
  const decided = close(state, approval, at, status, reason);
  if (status === 'approved') return goOn(decided, approval, at);
  const words = `Approval of runbook ${runbookOf(state)} ${status}: ${reason ?? ''}`;
  const told = status === 'rejected' ? decided : tell(decided, at, `approval_${status}`, holdfast, words);
  const why = (status === 'rejected' ? reason : `approval ${status}: ${reason}`) ?? status;
  if (approval.step === null) return finish(told, at, 'cancelled', why);
  const failed = withStep(told, approval.step, { status: 'failed', finishedAt: at, error: why });
  return fail(failed, approval.step, at, why);
}

/** Closes it without consequences of its own: the execution ends anyway. */
export function withdraw(state: ExecutionState, at: number, reason: string): ExecutionState {
  const approval = pendingApproval(state);
  return approval ? close(state, approval, at, 'withdrawn', reason) : state;
}

function close(
  state: ExecutionState,
  approval: ApprovalState,
  at: number,
  status: ApprovalStatus,
  reason: string | null,
): ExecutionState {
  const closed = withApproval(state, approval.plan.id, { status, decidedAt: at, reason });
  return { ...closed, notices: closed.notices.filter((notice) => notice.type !== 'approval.needed') };
}

function goOn(state: ExecutionState, approval: ApprovalState, at: number): ExecutionState {
  if (approval.step === null) return { ...state, phase: 'lock', reason: null };
  const done = withStep({ ...state, reason: null }, approval.step, { status: 'succeeded', finishedAt: at });
  return afterStep(done, at);
}
