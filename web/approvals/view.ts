import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail } from '../../db/executions-read.ts';
import { type Role, roleAtLeast } from '../../domain/roles.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { approvalMarks, type Mark, severityMarks } from '../layout/words.ts';

export interface ApprovalRow {
  id: string;
  href: string;
  runbook: string;
  target: string;
  /** Of one in mid-run: at which step; null: before the first. */
  stepNumber: number | null;
  incident: { number: number; href: string; title: string; severity: Mark } | null;
  requestedBy: string;
  requestedAt: string;
  state: Mark;
  /** '1 of 2' */
  given: string;
  /** Of one that waits; else when it was decided. */
  expiresAt: string | null;
  decidedAt: string | null;
  decidedBy: string | null;
  over: boolean;
}

export function approvalRow(approval: ApprovalRecord): ApprovalRow {
  const pending = approval.status === 'pending';
  const { incident } = approval;
  return {
    id: approval.id,
    href: `/approvals/${approval.id}`,
    runbook: visible(approval.runbook),
    target: visible(approval.target),
    stepNumber: approval.stepIndex === null ? null : approval.stepIndex + 1,
    incident: incident && {
      number: incident.number,
      href: `/incidents/${incident.number}`,
      title: visible(incident.title),
      severity: severityMarks[incident.severity],
    },
    requestedBy: visible(approval.requestedBy),
    requestedAt: approval.requestedAt.toISOString(),
    state: approvalMarks[approval.status],
    given: `${given(approval)} of ${approval.required}`,
    expiresAt: pending ? approval.expiresAt.toISOString() : null,
    decidedAt: approval.decidedAt?.toISOString() ?? null,
    decidedBy: approval.votes.at(-1)?.person ?? null,
    over: !pending,
  };
}

export interface ApprovalView extends ApprovalRow {
  path: string;
  executionHref: string;
  pending: boolean;
  /** '1 of 2 approvals given'. */
  tally: string;
  /** Who may vote, as a sentence. */
  who: string;
  /** What happens when nobody answers in time. */
  otherwise: string;
  /** What the step asks, in its author's words. */
  message: string | null;
  /** What approving and rejecting come to. */
  approving: string;
  rejecting: string;
  approveLabel: string;
  /** Why the reader's own vote would be refused, whichever it is. */
  mayNot: string | null;
  /** Why the reader may reject it and not approve it. */
  onlyReject: string | null;
  reason: string | null;
  votes: { person: string; word: string; via: string; at: string; reason: string | null; mark: Mark }[];
  inputs: { name: string; value: string }[];
  /** What follows when it is approved, from here on. */
  steps: { number: number; name: string; does: string; undo: string | null; verify: boolean }[];
  /** Steps before it that have run. */
  done: number;
}

/** Whoever looks, as far as an approval asks for it. */
export interface Reader {
  name: string;
  role?: Role;
  teams?: readonly string[];
}

/** `reader`: null where it does not matter who looks. */
export function approvalView(
  approval: ApprovalRecord,
  execution: ExecutionDetail | undefined,
  reader: Reader | null = null,
): ApprovalView {
  const row = approvalRow(approval);
  const { stepIndex } = approval;
  const following = execution?.steps.filter((step) => stepIndex === null || step.index > stepIndex) ?? [];
  const undone =
    execution?.steps.filter(
      (step) => stepIndex !== null && step.index < stepIndex && step.rollback?.status === 'registered',
    ).length ?? 0;
  return {
    ...row,
    path: row.href,
    executionHref: `/executions/${approval.executionId}`,
    pending: approval.status === 'pending',
    tally: `${given(approval)} of ${approval.required} ${approval.required === 1 ? 'approval' : 'approvals'} given`,
    who: whoMayVote(approval),
    otherwise: otherwiseOf(approval),
    message: approval.message ? visible(approval.message) : null,
    approving: approvingOf(approval, following.length, row.target),
    rejecting:
      stepIndex === null
        ? 'Rejecting: it does not run, and nothing is touched.'
        : `Rejecting: it stops here${undone > 0 ? `, and ${undone} ${undone === 1 ? 'step is' : 'steps are'} undone, the last one first` : ''}.`,
    approveLabel: stepIndex === null ? 'Approve and run' : 'Approve and go on',
    mayNot: reader && approval.status === 'pending' ? whyNot(approval, reader) : null,
    onlyReject:
      reader && approval.notRequester && approval.requestedBy === reader.name
        ? 'You asked for this run: somebody else has to approve it. You can still reject it.'
        : null,
    reason: approval.reason === null ? null : visible(approval.reason),
    votes: approval.votes.map((vote) => ({
      person: visible(vote.person),
      word: vote.decision === 'approve' ? 'approved' : 'rejected',
      via: vote.via,
      at: vote.at,
      reason: vote.reason === null ? null : visible(vote.reason),
      mark: approvalMarks[vote.decision === 'approve' ? 'approved' : 'rejected'],
    })),
    inputs: Object.entries(approval.inputs).map(([name, value]) => ({ name, value: visible(value) })),
    steps: following.map((step) => ({
      number: step.index + 1,
      name: visible(step.name),
      does: visible(step.description),
      undo: step.rollback ? visible(step.rollback.description) : null,
      verify: step.part === 'verify',
    })),
    done: stepIndex ?? 0,
  };
}

const given = (approval: ApprovalRecord): number =>
  approval.votes.filter((vote) => vote.decision === 'approve').length;

/** 'Two people of the team db or sre, operators or more, but not ana@example.com, who asked.' */
function whoMayVote({ required, role, teams, notRequester, requestedBy }: ApprovalRecord): string {
  const people = required === 1 ? 'One person' : `${required} different people`;
  const from =
    teams.length === 0 ? '' : ` of the ${teams.length === 1 ? 'team' : 'teams'} ${teams.join(' or ')}`;
  const without = notRequester ? `, but not ${visible(requestedBy)}, who asked` : '';
  return `${people}${from} with the role ${role} or more${without}.`;
}

function otherwiseOf({ onTimeout, stepIndex, level }: ApprovalRecord): string {
  const nothing =
    stepIndex === null ? 'it expires and nothing runs' : 'it expires and what has run is undone';
  if (onTimeout === 'expire') return nothing;
  return `the next level of the escalation policy is asked (${level} so far); after the last ${nothing}`;
}

function approvingOf({ required }: ApprovalRecord, steps: number, target: string): string {
  const missing = required > 1 ? 'Once enough have approved, these' : 'Approving: these';
  return `${missing} ${steps} ${steps === 1 ? 'step runs' : 'steps run'} on ${target}. If one fails, those before it are undone, the last one first.`.replace(
    'these 1 step',
    'this step',
  );
}

/** As domain/execution/approval.ts refuses a vote. */
function whyNot(approval: ApprovalRecord, reader: Reader): string | null {
  const { role, teams } = approval;
  const own = approval.votes.find((vote) => vote.person === reader.name);
  if (own) return `You have ${own.decision === 'approve' ? 'approved' : 'rejected'} it already.`;
  if (reader.role && !roleAtLeast(reader.role, role))
    return `It takes the role ${role}; yours is ${reader.role}.`;
  if (teams.length > 0 && !teams.some((team) => reader.teams?.includes(team)))
    return `It takes a member of ${teams.join(' or ')}, and you are in ${reader.teams?.length ? 'other teams' : 'no team'}.`;
  return null;
}
