import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import type { Piece } from '../../domain/incident-sentence.ts';
import { visible } from '../../domain/runbook/shown-text.ts';

const text = (words: string): Piece => ({ text: words });
const strong = (words: string): Piece => ({ strong: visible(words) });
const clock = (at: Date): Piece => ({ clock: at.toISOString() });
const link = (words: string, href: string): Piece => ({ text: visible(words), href });
const stepName = (step: ExecutionStep): Piece => strong(`‘${step.name}’`);

/** What it does, on what, for what, where it stands and what happens next, as one would tell a colleague. */
export function executionSentence(execution: ExecutionDetail): Piece[] {
  return [...whatItDoes(execution), text(' '), ...whereItStands(execution)];
}

function whatItDoes(execution: ExecutionDetail): Piece[] {
  const { runbook, purpose, target, incidentNumber, incidentTitle } = execution;
  const says = visible(purpose?.trim().replace(/(?<![.!])[.!]+$/, '') ?? '');
  // the target belongs to all of what several sentences say, not to the last one
  const does = /[.!?]\s/.test(says) ? `${says}. It is run` : says ? `${says},` : `Runs ${visible(runbook)}`;
  const incident =
    incidentNumber === null
      ? []
      : [
          text(', for '),
          link(
            `#${incidentNumber}${incidentTitle ? ` ${incidentTitle}` : ''}`,
            `/incidents/${incidentNumber}`,
          ),
        ];
  return [text(`${does} on `), strong(target), ...incident, text('.')];
}

function whereItStands(execution: ExecutionDetail): Piece[] {
  if (execution.finishedAt) return howItEnded(execution);
  const pending = execution.approvals.find((approval) => approval.status === 'pending');
  if (execution.status === 'waiting') return whyItWaits(execution, pending);
  const undo = whatIsUndone(execution);
  if (undo) return undo;
  if (pending) {
    const asking = execution.steps.find((step) => step.index === pending.stepIndex);
    return [
      text(asking ? `It stands at ${countOf(execution, asking)}, ` : 'It stands'),
      ...(asking ? [stepName(asking)] : []),
      text(', and goes on when it is approved: '),
      ...votesAndDeadline(pending),
    ];
  }
  return whichStepRuns(execution);
}

function whyItWaits(execution: ExecutionDetail, pending: ApprovalRecord | undefined): Piece[] {
  if (pending) return [text('Nothing has run: it waits for approval, '), ...votesAndDeadline(pending)];
  const { queue } = execution.standing;
  if (!queue) return [text('It waits for its turn; nothing has run yet.')];
  return [
    text(`Nothing has run: it is ${ordinal(queue.place)} in the queue for `),
    strong(execution.target),
    ...(queue.holder
      ? [
          text(', behind '),
          link(queue.holder.runbook, `/executions/${queue.holder.id}`),
          text(', which works on it now. It begins by itself.'),
        ]
      : [text(', which was given free just now. It begins by itself.')]),
  ];
}

/** '1 of 2 given. If nobody answers until 02:44, it expires.' */
function votesAndDeadline(approval: ApprovalRecord): Piece[] {
  const given = approval.votes.filter((vote) => vote.decision === 'approve').length;
  return [
    text(`${given} of ${approval.required} given. Without an answer by `),
    clock(approval.expiresAt),
    text(approval.onTimeout === 'escalate' ? ' the next level is asked.' : ` ${afterExpiry(approval)}.`),
  ];
}

export function afterExpiry({ stepIndex }: Pick<ApprovalRecord, 'stepIndex'>): string {
  return stepIndex === null ? 'it expires and nothing runs' : 'it expires and what has run is undone';
}

function whatIsUndone(execution: ExecutionDetail): Piece[] | null {
  const { steps } = execution;
  const waiting = steps.find((step) => step.rollback?.status === 'waiting');
  const undoing = steps.find((step) => step.rollback?.status === 'running');
  if (!waiting && !undoing) return null;
  const failed = endedBy(steps);
  const why: Piece[] = failed ? [stepName(failed), text(' failed. ')] : [text('It was stopped. ')];
  if (waiting) {
    return [
      ...why,
      text('The undo of '),
      stepName(waiting),
      text(` failed ${times(waiting.rollback?.attempts ?? 0)} and waits for a person: `),
      text('try it again, or leave it. Nothing else is undone before that.'),
    ];
  }
  if (!undoing) return null;
  const next = steps.findLast((step) => step.index < undoing.index && step.rollback?.status === 'registered');
  return [
    ...why,
    text('It is undoing '),
    stepName(undoing),
    ...sinceOf(undoing.rollback?.startedAt ?? null),
    ...(next ? [text('; '), stepName(next), text(' follows.')] : [text('; that is the last one.')]),
  ];
}

function whichStepRuns(execution: ExecutionDetail): Piece[] {
  const { steps, standing } = execution;
  const running = steps.find((step) => step.status === 'running');
  const at = running ?? steps.find((step) => step.status === 'pending');
  if (!at) return [text('All steps have run; it is being wound up.')];
  const where: Piece[] = [text(`${capital(countOf(execution, at))}, `), stepName(at)];
  if (standing.runner) {
    const { queue, lastSeenAt } = standing.runner;
    return [
      ...where,
      text(', waits for the runner '),
      strong(queue),
      ...(lastSeenAt
        ? [text(', which was last seen '), clock(lastSeenAt)]
        : [text(', of which none was ever seen')]),
      text('. It begins by itself when one asks for work.'),
    ];
  }
  if (!running) return [...where, text(', is next.')];
  const after = steps.find((step) => step.index > at.index && step.status === 'pending');
  const then: Piece[] = after
    ? [text(' Then: '), stepName(after), text('.')]
    : [text(' It is the last one.')];
  if (waitsToTryAgain(execution, at) && standing.next) {
    return [
      ...where,
      text(`, failed ${times(at.attempts)} and is tried again at `),
      clock(standing.next.at),
      text(` (attempt ${at.attempts + 1} of ${at.maxAttempts}).`),
    ];
  }
  if (at.waitMs !== null && at.startedAt) {
    const until = new Date(at.startedAt.getTime() + at.waitMs);
    return [...where, text(', waits until '), clock(until), text('.'), ...then];
  }
  return [...where, text(', runs'), ...sinceOf(at.startedAt), text('.'), ...then];
}

const sinceOf = (at: Date | null): Piece[] => (at ? [text(' since '), clock(at)] : []);

/** Its last attempt failed and the next one has its time. */
export function waitsToTryAgain({ standing }: ExecutionDetail, step: ExecutionStep): boolean {
  return (
    step.status === 'running' && step.error !== null && standing.next !== null && standing.runner === null
  );
}

function howItEnded(execution: ExecutionDetail): Piece[] {
  const { steps } = execution;
  const failed = endedBy(steps);
  const undone = steps.filter((step) => step.rollback?.status === 'succeeded').length;
  const left = steps.filter(
    (step) => step.rollback?.status === 'skipped' || step.rollback?.status === 'failed',
  );
  const cause: Piece[] = failed ? [stepName(failed), text(' failed')] : [text('It was stopped')];
  switch (execution.status) {
    case 'succeeded':
      return [text(`It is done: ${tallyOf(steps)}.`)];
    case 'failed':
      return failed
        ? [...cause, text(`, and there was nothing to undo: ${tallyOf(steps)} before.`)]
        : [text('It did not run; nothing was touched.')];
    case 'rolled_back':
      return [...cause, text(`, and ${plural(undone, 'step was', 'steps were')} undone.`)];
    case 'rollback_failed':
      return [
        ...cause,
        text(undone > 0 ? `; ${plural(undone, 'step was', 'steps were')} undone` : ''),
        ...left.flatMap((step, index) => [text(index === 0 ? ', but ' : ', '), stepName(step)]),
        text(
          left.length === 0
            ? ', and not everything was undone'
            : ` ${left.length === 1 ? 'was' : 'were'} not undone`,
        ),
        text('. Look at '),
        strong(execution.target),
        text(' by hand.'),
      ];
    default:
      if (execution.startedAt === null) return [text('It did not run; nothing was touched.')];
      return undone > 0
        ? [text(`It was cancelled, and ${plural(undone, 'step was', 'steps were')} undone.`)]
        : [text('It was cancelled before anything needed undoing.')];
  }
}

/** The step that ended it: the last that failed, since what is allowed to fail ends nothing. */
export function endedBy(steps: readonly ExecutionStep[]): ExecutionStep | undefined {
  return steps.findLast((step) => step.status === 'failed' && !step.mayFail);
}

/** '3 of 4 steps succeeded, 1 skipped' */
export function tallyOf(steps: readonly ExecutionStep[]): string {
  const done = steps.filter((step) => step.status === 'succeeded').length;
  const skipped = steps.filter((step) => step.status === 'skipped').length;
  return `${done} of ${plural(steps.length, 'step', 'steps')} succeeded${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

const countOf = ({ steps }: ExecutionDetail, at: ExecutionStep): string =>
  at.part === 'verify' ? 'verification' : `step ${at.index + 1} of ${steps.length}`;

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
const plural = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
const times = (n: number): string => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`);

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth'];
const ordinal = (place: number): string => ordinals[place - 1] ?? `number ${place}`;
