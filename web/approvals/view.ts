import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail } from '../../db/executions-read.ts';
import { approvalMarks, type Mark, severityMarks } from '../layout/words.ts';

export interface ApprovalRow {
  id: string;
  href: string;
  runbook: string;
  target: string;
  incident: { number: number; href: string; title: string; severity: Mark } | null;
  requestedBy: string;
  requestedAt: string;
  state: Mark;
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
    runbook: approval.runbook,
    target: approval.target,
    incident: incident && {
      number: incident.number,
      href: `/incidents/${incident.number}`,
      title: incident.title,
      severity: severityMarks[incident.severity],
    },
    requestedBy: approval.requestedBy,
    requestedAt: approval.requestedAt.toISOString(),
    state: approvalMarks[approval.status],
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
  reason: string | null;
  votes: { person: string; word: string; via: string; at: string; reason: string | null; mark: Mark }[];
  inputs: { name: string; value: string }[];
  steps: { name: string; does: string; undo: string | null }[];
}

export function approvalView(approval: ApprovalRecord, execution: ExecutionDetail | undefined): ApprovalView {
  const given = approval.votes.filter((vote) => vote.decision === 'approve').length;
  return {
    ...approvalRow(approval),
    path: `/approvals/${approval.id}`,
    executionHref: `/executions/${approval.executionId}`,
    pending: approval.status === 'pending',
    tally: `${given} of ${approval.required} ${approval.required === 1 ? 'approval' : 'approvals'} given`,
    reason: approval.reason,
    votes: approval.votes.map((vote) => ({
      person: vote.person,
      word: vote.decision === 'approve' ? 'approved' : 'rejected',
      via: vote.via,
      at: vote.at,
      reason: vote.reason,
      mark: approvalMarks[vote.decision === 'approve' ? 'approved' : 'rejected'],
    })),
    inputs: Object.entries(approval.inputs).map(([name, value]) => ({ name, value })),
    steps:
      execution?.steps.map((step) => ({
        name: step.name,
        does: step.description,
        undo: step.rollback?.description ?? null,
      })) ?? [],
  };
}
