import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import { formatDuration } from '../../domain/duration.ts';
import { approvalMarks, executionMarks, type Mark, rollbackMarks, stepMarks } from '../layout/words.ts';

export interface ExecutionPageView {
  id: string;
  path: string;
  runbook: string;
  runbookHref: string;
  version: number;
  target: string;
  state: Mark;
  sentence: string;
  reason: string | null;
  over: boolean;
  canCancel: boolean;
  cancelTouches: string;
  incident: { number: number; href: string } | null;
  requestedBy: string;
  mode: string;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  took: string | null;
  approvals: {
    href: string;
    state: Mark;
    expiresAt: string | null;
    votes: { person: string; word: string; via: string; at: string; reason: string | null }[];
  }[];
  inputs: { name: string; value: string }[];
  steps: StepView[];
  anyUndo: boolean;
  workflowUrl: string | null;
}

export interface StepView {
  number: number;
  name: string;
  does: string;
  state: Mark;
  took: string | null;
  attempts: string | null;
  output: string;
  error: string | null;
  undo: {
    does: string;
    state: Mark;
    note: string | null;
    output: string;
    error: string | null;
  } | null;
}

const modeWords: Record<ExecutionDetail['mode'], string> = {
  manual: 'started by hand',
  semi_auto: 'asks for approval',
  auto: 'runs by itself',
};

export function executionPageView(
  execution: ExecutionDetail,
  workflowUrl: string | null,
  now: number,
): ExecutionPageView {
  const over = execution.finishedAt !== null;
  const begun = execution.steps.some((step) => step.startedAt !== null);
  return {
    id: execution.id,
    path: `/executions/${execution.id}`,
    runbook: execution.runbook,
    runbookHref: `/runbooks/${encodeURIComponent(execution.runbook)}`,
    version: execution.runbookVersion,
    target: execution.target,
    state: executionMarks[execution.status],
    sentence: executionSentence(execution),
    reason: executionReason(execution),
    over,
    canCancel: !over,
    cancelTouches: begun
      ? 'The step that runs is stopped, and every step so far is undone, the last one first.'
      : 'Nothing has run yet, so there is nothing to undo.',
    incident:
      execution.incidentNumber === null
        ? null
        : { number: execution.incidentNumber, href: `/incidents/${execution.incidentNumber}` },
    requestedBy: execution.requestedBy,
    mode: modeWords[execution.mode],
    createdAt: execution.createdAt.toISOString(),
    startedAt: execution.startedAt?.toISOString() ?? null,
    finishedAt: execution.finishedAt?.toISOString() ?? null,
    took: execution.startedAt
      ? formatDuration((execution.finishedAt?.getTime() ?? now) - execution.startedAt.getTime())
      : null,
    approvals: execution.approvals.map((approval) => ({
      href: `/approvals/${approval.id}`,
      state: approvalMarks[approval.status],
      expiresAt: approval.status === 'pending' ? approval.expiresAt.toISOString() : null,
      votes: approval.votes.map((vote) => ({
        person: vote.person,
        word: vote.decision === 'approve' ? 'approved' : 'rejected',
        via: vote.via,
        at: vote.at,
        reason: vote.reason,
      })),
    })),
    inputs: Object.entries(execution.inputs).map(([name, value]) => ({ name, value })),
    steps: execution.steps.map((step) => stepView(step, over)),
    anyUndo: execution.steps.some((step) => step.rollback !== null),
    workflowUrl,
  };
}

/** Where it stands, as one would say it. */
export function executionSentence(execution: ExecutionDetail): string {
  const { steps, target } = execution;
  const done = steps.filter((step) => step.status === 'succeeded').length;
  const running = steps.find((step) => step.status === 'running');
  // the last one: what is allowed to fail ends nothing
  const failed = steps.findLast((step) => step.status === 'failed');
  const undone = steps.filter((step) => step.rollback?.status === 'succeeded').length;
  const of = `${done} of ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`;
  switch (execution.status) {
    case 'waiting':
      return execution.approvals.some((approval) => approval.status === 'pending')
        ? `It waits for approval before it touches ${target}.`
        : `It waits for its turn on ${target}.`;
    case 'running': {
      const undoing = steps.find((step) => step.rollback?.status === 'running');
      if (undoing)
        return `${failed ? `‘${failed.name}’ failed; it` : 'It'} is undoing ‘${undoing.name}’ now.`;
      return running
        ? `It is at ‘${running.name}’ on ${target}; ${of} done.`
        : `It is running on ${target}; ${of} done.`;
    }
    case 'succeeded':
      return `All done on ${target}: ${of} succeeded.`;
    case 'failed':
      return failed
        ? `‘${failed.name}’ failed on ${target} after ${done} ${done === 1 ? 'step' : 'steps'}, and there was nothing to undo.`
        : `It did not run on ${target}.`;
    case 'rolled_back':
      return `${failed ? `‘${failed.name}’ failed on ${target}` : `It was stopped on ${target}`}, and ${undone} ${undone === 1 ? 'step was' : 'steps were'} undone.`;
    case 'rollback_failed':
      return `${failed ? `‘${failed.name}’ failed on ${target}` : `It was stopped on ${target}`}, and so did an undo. Look at ${target} by hand.`;
    case 'cancelled':
      return undone > 0
        ? `It was cancelled on ${target} and ${undone} ${undone === 1 ? 'step was' : 'steps were'} undone.`
        : `It was cancelled before anything on ${target} needed undoing.`;
  }
}

/** What the sentence does not say yet: it names the step that failed. */
function executionReason({ status, steps, statusReason }: ExecutionDetail): string | null {
  const failed = steps.findLast((step) => step.status === 'failed');
  return (status === 'failed' || status === 'rolled_back') && failed?.error ? failed.error : statusReason;
}

function stepView(step: ExecutionStep, over: boolean): StepView {
  const rollback = step.rollback;
  return {
    number: step.index + 1,
    name: step.name,
    does: step.description,
    state: stepMarks[step.status],
    took: tookOf(step.startedAt, step.finishedAt),
    attempts: step.attempts > 1 ? `${step.attempts} attempts` : null,
    output: step.output,
    error: step.error,
    undo: rollback && {
      does: rollback.description,
      state: rollback.status
        ? rollbackMarks[rollback.status]
        : { word: over ? 'Not needed' : 'Not needed yet', icon: 'pending', tone: 'quiet' },
      note: rollback.attempts > 1 ? `${rollback.attempts} attempts` : null,
      output: rollback.output,
      error: rollback.error,
    },
  };
}

const tookOf = (from: Date | null, to: Date | null): string | null =>
  from && to ? formatDuration(to.getTime() - from.getTime()) : null;
