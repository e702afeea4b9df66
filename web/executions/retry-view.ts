import { whyNotRetried } from '../../db/execution-retry.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import { isAskedAgain, retryOf } from '../../domain/execution/retry.ts';
import { visible } from '../../domain/runbook/shown-text.ts';

/** What going on from the failed step would do, said before it is done. */
export interface RetryView {
  /** The step that it goes on from. */
  from: string;
  /** Steps that are not run again: what they did stands. */
  takenOver: string[];
  runAgain: string[];
}

/** Null where it cannot be retried. */
export function retryView(execution: ExecutionDetail): RetryView | null {
  if (whyNotRetried(execution) !== null) return null;
  const { steps } = execution;
  const { from, takenOver } = retryOf(
    steps.map((step) => ({
      status: step.status,
      undo: step.rollback?.status ?? null,
      mayFail: step.mayFail,
      again: isAskedAgain(step),
    })),
  );
  const first = steps[from];
  if (!first) return null;
  const named = (some: ExecutionStep[]): string[] => some.map((step) => visible(step.name));
  return {
    from: visible(first.name),
    takenOver: named(steps.filter((_, index) => takenOver.includes(index))),
    runAgain: named(steps.filter((_, index) => !takenOver.includes(index))),
  };
}
