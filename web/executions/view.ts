import type { ExecutionDetail } from '../../db/executions-read.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { Piece } from '../../domain/incident-sentence.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { type ApprovalView, approvalView, type Reader } from '../approvals/view.ts';
import { approvalMarks, executionMarks, type Mark } from '../layout/words.ts';
import { type RetryView, retryView } from './retry-view.ts';
import { endedBy, executionSentence } from './sentence.ts';
import { type StepGroup, stepGroups, type VoteView, votesOf } from './steps-view.ts';

export interface ExecutionPageView {
  id: string;
  path: string;
  runbook: string;
  runbookHref: string;
  version: number;
  versionHref: string;
  target: string;
  targetHref: string;
  environment: string | null;
  state: Mark;
  sentence: Piece[];
  reason: Piece[] | null;
  over: boolean;
  /** Timers that run: what happens at their end. */
  next: { at: string; what: string } | null;
  /** The approval that it waits for. */
  ask: ApprovalView | null;
  /** Undos that wait for a person. */
  undosToDecide: UndoToDecide[];
  canCancel: boolean;
  /** What cancelling undoes, in the order in which it happens. */
  cancelUndoes: string[];
  retry: RetryView | null;
  retryOf: string | null;
  retriedBy: { href: string; state: Mark; at: string }[];
  requestedBy: string;
  mode: string;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  took: string | null;
  approvals: {
    href: string;
    about: string;
    state: Mark;
    expiresAt: string | null;
    reason: string | null;
    votes: VoteView[];
  }[];
  inputs: { name: string; value: string }[];
  groups: StepGroup[];
  anyUndo: boolean;
  workflowUrl: string | null;
}

export interface UndoToDecide {
  index: number;
  name: string;
  does: string;
  error: string | null;
  /** The failure that the reader saw: a decision on another one is another act. */
  attempts: number;
  /** That it is offered to in vain; null: it was tried and failed. */
  runner: string | null;
}

const modeWords: Record<ExecutionDetail['mode'], string> = {
  manual: 'started by hand',
  semi_auto: 'asks for approval',
  auto: 'runs by itself',
};

export function executionPageView(
  execution: ExecutionDetail,
  workflowUrl: string | null,
  reader: Reader,
): ExecutionPageView {
  const over = execution.finishedAt !== null;
  const runbookHref = `/runbooks/${encodeURIComponent(execution.runbook)}`;
  const pending = over ? undefined : execution.approvals.find((approval) => approval.status === 'pending');
  return {
    id: execution.id,
    path: `/executions/${execution.id}`,
    runbook: visible(execution.runbook),
    runbookHref,
    version: execution.runbookVersion,
    versionHref: `${runbookHref}/versions/${execution.runbookVersion}`,
    target: visible(execution.target),
    targetHref: `/executions?${new URLSearchParams({ target: execution.target })}`,
    environment: execution.environment === null ? null : visible(execution.environment),
    state: stateOf(execution, pending !== undefined),
    sentence: executionSentence(execution),
    reason: reasonOf(execution, pending !== undefined),
    over,
    next: nextOf(execution),
    ask: pending ? approvalView(pending, execution, reader) : null,
    undosToDecide: over
      ? []
      : execution.steps.flatMap(({ index, name, rollback }) =>
          rollback && (rollback.status === 'waiting' || lacksRunner(execution, index))
            ? [
                {
                  index,
                  name: visible(name),
                  does: visible(rollback.description),
                  error: rollback.error === null ? null : visible(rollback.error),
                  attempts: rollback.attempts,
                  runner: rollback.status === 'waiting' ? null : visible(rollback.runner ?? ''),
                },
              ]
            : [],
        ),
    canCancel: !over && !isUndoing(execution),
    cancelUndoes: execution.steps
      .filter((step) => step.rollback?.status === 'registered')
      .map((step) => visible(step.name))
      .reverse(),
    retry: retryView(execution),
    retryOf: execution.retryOf === null ? null : `/executions/${execution.retryOf}`,
    retriedBy: execution.retries.map(({ id, status, createdAt }) => ({
      href: `/executions/${id}`,
      state: executionMarks[status],
      at: createdAt.toISOString(),
    })),
    requestedBy: visible(execution.requestedBy),
    mode: modeWords[execution.mode],
    createdAt: execution.createdAt.toISOString(),
    startedAt: execution.startedAt?.toISOString() ?? null,
    finishedAt: execution.finishedAt?.toISOString() ?? null,
    took:
      execution.startedAt && execution.finishedAt
        ? formatDuration(execution.finishedAt.getTime() - execution.startedAt.getTime())
        : null,
    approvals: execution.approvals.map((approval) => ({
      href: `/approvals/${approval.id}`,
      about: aboutOf(approval.stepIndex, execution),
      state: approvalMarks[approval.status],
      expiresAt: approval.status === 'pending' ? approval.expiresAt.toISOString() : null,
      reason: approval.reason === null ? null : visible(approval.reason),
      votes: votesOf(approval),
    })),
    inputs: Object.entries(execution.inputs).map(([name, value]) => ({ name, value: visible(value) })),
    groups: stepGroups(execution),
    anyUndo: execution.steps.some((step) => step.rollback !== null),
    workflowUrl,
  };
}

/** A running one that waits for a person says so: it is what the reader came for. */
function stateOf(execution: ExecutionDetail, asks: boolean): Mark {
  if (execution.status === 'running') {
    if (execution.steps.some((step) => step.rollback?.status === 'waiting'))
      return { word: 'Waits for a person', icon: 'waiting', tone: 'bad' };
    if (isUndoing(execution)) return { word: 'Undoing', icon: 'undone', tone: 'busy' };
    if (execution.standing.runner) return { word: 'Waits for a runner', icon: 'waiting', tone: 'warning' };
    if (asks) return { word: 'Waits for approval', icon: 'waiting', tone: 'warning' };
  }
  return executionMarks[execution.status];
}

/** Its undo is offered to a runner that nobody runs. */
const lacksRunner = (execution: ExecutionDetail, index: number): boolean =>
  isUndoing(execution) && execution.standing.runner?.index === index;

const isUndoing = ({ steps }: ExecutionDetail): boolean =>
  steps.some(({ rollback }) => rollback?.status === 'running' || rollback?.status === 'waiting');

/** What the sentence does not say yet: it names the step that failed. */
function reasonOf(execution: ExecutionDetail, asks: boolean): Piece[] | null {
  const { status, steps, statusReason, standing } = execution;
  // the sentence says it, and better
  if (asks || standing.runner || standing.queue) return null;
  const failed = endedBy(steps);
  const reason =
    status !== 'running' && status !== 'waiting' && status !== 'cancelled' && failed?.error
      ? failed.error
      : statusReason;
  return reason === null ? null : withClocks(visible(reason));
}

/** 'possible again at 2026-11-21T02:44:00.000Z' names a time that the reader sees in an own zone. */
function withClocks(reason: string): Piece[] {
  return reason
    .split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/)
    .map((part, index): Piece => {
      // a step's error may hold what only looks like a time
      const isTime = index % 2 === 1 && !Number.isNaN(Date.parse(part));
      return isTime ? { clock: part } : { text: part };
    })
    .filter((piece) => !('text' in piece) || piece.text !== '');
}

function nextOf({ finishedAt, standing }: ExecutionDetail): ExecutionPageView['next'] {
  if (finishedAt || !standing.next) return null;
  return { at: standing.next.at.toISOString(), what: visible(standing.next.what) };
}

function aboutOf(stepIndex: number | null, { steps }: ExecutionDetail): string {
  if (stepIndex === null) return 'Before the first step';
  const step = steps.find(({ index }) => index === stepIndex);
  return visible(step ? `Step ${stepIndex + 1}, ${step.name}` : `Step ${stepIndex + 1}`);
}
