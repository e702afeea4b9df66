import { formatDuration } from '../duration.ts';
import { type Role, roleAtLeast } from '../roles.ts';
import type { ApprovalPlan } from './plan.ts';
import type { ApprovalState, ExecutionState } from './state.ts';
import { holdfast, noticesOf, runbookOf, tell } from './story.ts';

/** The approval that people can vote on now. */
export function pendingApproval(state: ExecutionState): ApprovalState | undefined {
  return state.approvals.find(({ status }) => status === 'pending');
}

export function withApproval(
  state: ExecutionState,
  id: string,
  change: Partial<ApprovalState>,
): ExecutionState {
  return {
    ...state,
    seq: state.seq + 1,
    approvals: state.approvals.map((each) => (each.plan.id === id ? { ...each, ...change } : each)),
  };
}

/** Asks the first level. `step`: the one that asks, null before the first. */
export function askApproval(
  state: ExecutionState,
  at: number,
  plan: ApprovalPlan,
  step: number | null,
): ExecutionState {
  const expiresAt = at + plan.timeoutMs;
  const asked: ApprovalState = {
    plan,
    step,
    status: 'pending',
    askedSeq: state.seq + 1,
    requestedAt: at,
    expiresAt,
    level: 1,
    votes: [],
    decidedAt: null,
    reason: null,
  };
  const next = {
    ...state,
    reason: 'waits for approval',
    approvals: [...state.approvals, asked],
    notices: noticesOf(
      state,
      'approval.needed',
      { expiresAt: new Date(expiresAt).toISOString() },
      {
        about: step === null ? '' : `${step}:`,
        targets: [...(state.plan?.levels[0] ?? []), ...(plan.voters ?? [])],
        approvalId: plan.id,
      },
    ),
  };
  const what = plan.message === '' ? '' : ` (${plan.message})`;
  const words = `Runbook ${runbookOf(state)} asks for approval within ${formatDuration(plan.timeoutMs)}${what}`;
  return tell(next, at, 'approval_requested', holdfast, words);
}

/** Asks the next level, where there is one; null: everybody was asked. */
export function askNextLevel(state: ExecutionState, approval: ApprovalState): ExecutionState | null {
  const { plan, level, expiresAt, step } = approval;
  const targets = state.plan?.levels[level];
  if (plan.onTimeout !== 'escalate' || !targets) return null;
  const next = withApproval(state, plan.id, { level: level + 1, expiresAt: expiresAt + plan.timeoutMs });
  const notices = noticesOf(
    next,
    'approval.needed',
    { expiresAt: new Date(expiresAt + plan.timeoutMs).toISOString(), level: level + 1 },
    { about: `${step === null ? 'start' : step}:level ${level + 1}:`, targets, approvalId: plan.id },
  );
  const words = `Nobody has decided on runbook ${runbookOf(state)}: level ${level + 1} is asked`;
  return tell({ ...next, notices }, expiresAt, 'approval_escalated', holdfast, words);
}

export interface Voter {
  person: string;
  via: string;
  /** On what the execution concerns; null: not known as a user, but asked by the policy on purpose. */
  role: Role | null;
  /** Slugs. */
  teams: readonly string[];
}

/** Why this vote does not count, for the person who cast it; undefined when it counts. */
export function refusalOfVote(
  state: ExecutionState,
  approvalId: string | null,
  decision: 'approve' | 'reject',
  voter: Voter,
): string | undefined {
  const { plan } = state;
  const approval =
    approvalId === null
      ? (pendingApproval(state) ?? state.approvals.at(-1))
      : state.approvals.find((each) => each.plan.id === approvalId);
  if (!plan || !approval) return 'it does not ask for approval';
  if (approval.status !== 'pending') {
    return `already ${approval.status}${approval.reason ? `: ${approval.reason}` : ''}`;
  }
  if (approval.votes.some((vote) => vote.person === voter.person)) return `${voter.person} has voted already`;
  if (voter.via === 'temporal') return plan.approveBySignal ? undefined : 'votes by signal are switched off';
  const { notRequester, needed, role, teams } = approval.plan;
  if (decision === 'approve' && notRequester && plan.requestedBy === voter.person) {
    return `${voter.person} asked for this execution: it takes somebody else to approve it`;
  }
  if (decision === 'approve' && voter.role === null && (notRequester || needed > 1)) {
    // behind an address that is no user's may be anybody, also the one who asked or has voted
    return `${voter.person} is no user: sign in and approve in your own name`;
  }
  if (!roleAtLeast(voter.role ?? 'operator', role)) return `it takes the role ${role} to decide on it`;
  if (teams.length > 0 && !teams.some((team) => voter.teams.includes(team))) {
    return `it takes a member of ${teams.join(' or ')} to decide on it`;
  }
  return undefined;
}
