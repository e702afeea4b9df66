import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import { formatDuration } from '../../domain/duration.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { type Mark, rollbackMarks, stepMarks } from '../layout/words.ts';
import { waitsToTryAgain } from './sentence.ts';

/** Steps that stand together: those of the runbook itself, of one nested runbook, or the verification. */
export interface StepGroup {
  /** Null: the runbook's own steps, which need no heading. */
  heading: { title: string; note: string } | null;
  steps: StepView[];
}

export interface StepView {
  number: number;
  name: string;
  /** By what it is done, where that is not plain: 'over SSH · runner db-eu-1'. */
  by: string | null;
  does: string;
  state: Mark;
  /** It is what happens just now. */
  current: boolean;
  startedAt: string | null;
  took: string | null;
  attempts: string | null;
  /** What the reader should know about it that is no error: why it was skipped, what it waits for. */
  notes: string[];
  warning: string | null;
  output: OutputView | null;
  error: string | null;
  /** Of a step that asks people. */
  votes: VoteView[];
  undo: UndoView | null;
}

export interface UndoView {
  does: string;
  state: Mark;
  /** A person has to decide about it. */
  waits: boolean;
  took: string | null;
  note: string | null;
  /** What a person decided. */
  decided: string | null;
  output: OutputView | null;
  error: string | null;
}

export interface OutputView {
  text: string;
  lines: number;
  /** Shown without being asked for: it is growing, or it tells of a failure. */
  open: boolean;
}

export interface VoteView {
  person: string;
  word: string;
  via: string;
  at: string;
  reason: string | null;
}

/** A command, a request, a wait or a question tell by themselves what they are. */
const typeWords: Record<string, string[]> = {
  ssh: ['over SSH'],
  kubernetes: ['Kubernetes'],
  aws_ssm: ['AWS SSM'],
  sql: ['SQL'],
  prometheus: ['Prometheus'],
};

export function stepGroups(execution: ExecutionDetail): StepGroup[] {
  const groups: (StepGroup & { key: string })[] = [];
  for (const step of execution.steps) {
    const key = step.part === 'verify' ? 'verify' : `scope ${step.nested?.scope ?? 0}`;
    let group = groups.at(-1);
    if (group?.key !== key) {
      group = { key, heading: headingOf(step), steps: [] };
      groups.push(group);
    }
    group.steps.push(stepView(step, execution));
  }
  return groups.map(({ heading, steps }) => ({ heading, steps }));
}

function headingOf(step: ExecutionStep): StepGroup['heading'] {
  if (step.part === 'verify')
    return { title: 'Verification', note: 'after the last step; if it fails, everything is undone' };
  if (!step.nested) return null;
  const runbook = visible(step.nested.runbook);
  const call = visible(callOf(step));
  return { title: call || runbook, note: call === runbook ? 'nested runbook' : `nested runbook ${runbook}` };
}

/** 'fail over' of 'fail over / promote the replica': the step that calls the nested runbook. */
function callOf({ name }: ExecutionStep): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(' / ')));
}

function stepView(step: ExecutionStep, execution: ExecutionDetail): StepView {
  const over = execution.finishedAt !== null;
  const approval = execution.approvals.find(({ stepIndex }) => stepIndex === step.index);
  return {
    number: step.index + 1,
    name: visible(step.nested ? step.name.slice(callOf(step).length).replace(/^ \/ /, '') : step.name),
    by:
      [...(typeWords[step.type] ?? []), ...(step.runner ? [`runner ${visible(step.runner)}`] : [])].join(
        ' · ',
      ) || null,
    does: visible(step.description),
    state: stateOf(step, execution, approval),
    current: !over && step.status === 'running',
    startedAt: step.status === 'running' ? (step.startedAt?.toISOString() ?? null) : null,
    took: tookOf(step.startedAt, step.finishedAt),
    attempts: attemptsOf(step),
    notes: notesOf(step, execution),
    warning: step.outcomeUnknown ? unknownOutcome(step, execution.target) : null,
    output: outputOf(step.output, step.status === 'running' || step.status === 'failed'),
    error: step.error === null || step.status === 'skipped' ? null : visible(step.error),
    votes: approval ? votesOf(approval) : [],
    undo: undoOf(step, over),
  };
}

function stateOf(step: ExecutionStep, execution: ExecutionDetail, approval?: ApprovalRecord): Mark {
  const { standing, retryOf, retryFrom } = execution;
  const mark = stepMarks[step.status];
  // nothing about itself kept it from running: it was not reached
  if (step.status === 'skipped' && !step.error) return { ...mark, word: 'Not run' };
  if (step.status === 'running') {
    if (standing.runner?.index === step.index && step.rollback?.status !== 'running')
      return { word: 'Waits for its runner', icon: 'waiting', tone: 'warning' };
    if (waitsToTryAgain(execution, step))
      return { word: 'Waits to try again', icon: 'waiting', tone: 'warning' };
    if (approval?.status === 'pending')
      return { word: 'Waits for approval', icon: 'waiting', tone: 'warning' };
    if (step.waitMs !== null) return { ...mark, word: 'Waiting', icon: 'waiting' };
  }
  const takenOver =
    retryOf !== null && retryFrom !== null && step.index < retryFrom && step.status === 'succeeded';
  // what it did stands from the execution before; it was not run here
  return takenOver && step.attempts === 0 ? { ...mark, word: 'Taken over' } : mark;
}

function attemptsOf(step: ExecutionStep): string | null {
  if (step.status === 'running' && step.maxAttempts > 1 && step.attempts > 0)
    return `attempt ${step.attempts} of ${step.maxAttempts}`;
  return step.attempts > 1 ? `${step.attempts} attempts` : null;
}

function notesOf(step: ExecutionStep, { standing }: ExecutionDetail): string[] {
  return [
    ...(step.status === 'skipped' && step.error ? [visible(step.error)] : []),
    ...(step.status === 'failed' && step.mayFail
      ? ['It is allowed to fail: the next step follows all the same.']
      : []),
    ...(standing.runner?.index === step.index
      ? [
          `Its runner ‘${visible(standing.runner.queue)}’ has not taken it up. Start one near the target: npm run runner -- --queue ${visible(standing.runner.queue)}`,
        ]
      : []),
  ];
}

function unknownOutcome(step: ExecutionStep, target: string): string {
  const what = 'Outcome unknown after a crash: it may have happened in full, in part or not at all.';
  if (step.idempotent && step.status === 'succeeded')
    return 'Outcome unknown after a crash: it says that it may be repeated, so it was run again.';
  if (step.idempotent) return `${what} It says that it may be repeated, so it is run again.`;
  return step.rollback
    ? `${what} It does not say that it may be repeated, so it counts as failed and is undone.`
    : `${what} It counts as failed, and nothing undoes it: look at ${visible(target)} by hand.`;
}

function undoOf({ rollback }: ExecutionStep, over: boolean): UndoView | null {
  if (!rollback) return null;
  const { decision } = rollback;
  return {
    does: visible(rollback.description),
    state: rollback.status
      ? over && rollback.status === 'registered'
        ? { word: 'Not needed', icon: 'pending', tone: 'quiet' }
        : rollbackMarks[rollback.status]
      : { word: over ? 'Not needed' : 'Not needed yet', icon: 'pending', tone: 'quiet' },
    waits: rollback.status === 'waiting',
    took: tookOf(rollback.startedAt, rollback.finishedAt),
    note: rollback.attempts > 1 ? `${rollback.attempts} attempts` : null,
    decided: decision && decisionText(decision),
    output: outputOf(rollback.output, rollback.status !== 'succeeded'),
    error: rollback.error === null ? null : visible(rollback.error),
  };
}

function decisionText(decision: { decision: 'retry' | 'skip'; by: string; reason: string | null }): string {
  const did = decision.decision === 'retry' ? 'had it tried again' : 'left it undone';
  return visible(`${decision.by} ${did}${decision.reason ? `: ${decision.reason}` : '.'}`);
}

function outputOf(text: string, open: boolean): OutputView | null {
  if (text.trim() === '') return null;
  const shown = visible(text.replaceAll('\r\n', '\n').trimEnd());
  return { text: shown, lines: shown.split('\n').length, open };
}

export function votesOf(approval: ApprovalRecord): VoteView[] {
  return approval.votes.map((vote) => ({
    person: visible(vote.person),
    word: vote.decision === 'approve' ? 'approved' : 'rejected',
    via: vote.via,
    at: vote.at,
    reason: vote.reason === null ? null : visible(vote.reason),
  }));
}

const tookOf = (from: Date | null, to: Date | null): string | null =>
  from && to ? formatDuration(to.getTime() - from.getTime()) : null;
