import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { StepActivities } from '../activities/steps.ts';
import type { ExecutionEvent } from '../domain/execution/events.ts';
import type { Attempt } from '../domain/execution/next-moves.ts';
import { reasonOf } from './drive.ts';
import { runnerTaskQueue } from './messages.ts';

/** A step's own time-out is kept by the step; the engine's is a margin longer, for a step that cannot keep it. */
const stepMarginMs = 30_000;
const stepHeartbeatMs = 15_000;

/** One attempt of a step or of an undo. Retries are decisions of the fold, which knows what is safe to repeat. */
function stepActivity(
  orgId: string,
  { timeoutMs, runner }: Attempt,
  runnerPatienceMs: number,
): StepActivities {
  const queue =
    runner === null
      ? {}
      : { taskQueue: runnerTaskQueue(orgId, runner), scheduleToStartTimeout: runnerPatienceMs };
  return proxyActivities<StepActivities>({
    ...queue,
    startToCloseTimeout: timeoutMs + stepMarginMs,
    heartbeatTimeout: stepHeartbeatMs,
    retry: { maximumAttempts: 1 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });
}

interface Execution {
  orgId: string;
  executionId: string;
  /** How long a runner has to take it up. */
  patienceMs: number;
}

/** One attempt of a step, in the scope in which it is called: cancelled with it, it ends before it answers. */
export async function attemptStep(execution: Execution, move: Attempt): Promise<ExecutionEvent> {
  const { orgId, executionId, patienceMs } = execution;
  const { key, index, attempt } = move;
  const ended = endOf(key, index);
  try {
    const result = await stepActivity(orgId, move, patienceMs).runStep({
      orgId,
      executionId,
      index,
      phase: 'step',
      attempt,
    });
    return ended(result.ok ? 'succeeded' : 'failed', result.error ?? null, result.outcomeUnknown);
  } catch (error) {
    if (isCancellation(error)) return ended('cancelled', null);
    if (notTaken(error)) return { type: 'step_not_taken', at: Date.now(), key, index };
    return ended(outcomeUnknown(error) ? 'unknown' : 'failed', failureText(error));
  }
}

/** One attempt of an undo. Whatever becomes of the workflow: what was begun to be undone is undone. */
export async function attemptUndo(execution: Execution, move: Attempt): Promise<ExecutionEvent> {
  const { orgId, executionId, patienceMs } = execution;
  const { key, index, attempt } = move;
  try {
    const result = await CancellationScope.nonCancellable(() =>
      stepActivity(orgId, move, patienceMs).runStep({ orgId, executionId, index, phase: 'undo', attempt }),
    );
    return { type: 'undo_ended', at: Date.now(), key, index, ok: result.ok, error: result.error ?? null };
  } catch (error) {
    if (notTaken(error)) return { type: 'undo_not_taken', at: Date.now(), key, index };
    return { type: 'undo_ended', at: Date.now(), key, index, ok: false, error: failureText(error) };
  }
}

export function endOf(key: string, index: number) {
  return (
    outcome: 'succeeded' | 'failed' | 'unknown' | 'cancelled',
    error: string | null,
    unknownBefore?: boolean,
  ): ExecutionEvent => ({
    type: 'step_ended',
    at: Date.now(),
    key,
    index,
    outcome,
    error,
    ...(unknownBefore === undefined ? {} : { outcomeUnknown: unknownBefore }),
  });
}

/** Nobody polls the runner's queue: the attempt never began. */
function notTaken(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'SCHEDULE_TO_START'
  );
}

/** The activity began, and nobody knows how far it came: its worker died or did not answer in time. */
function outcomeUnknown(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

function failureText(error: unknown): string {
  if (outcomeUnknown(error)) return 'nobody knows how it ended: the process that ran it was lost';
  return reasonOf(error);
}
