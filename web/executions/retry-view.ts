import { whyNotRetried } from '../../db/execution-retry.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
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
  // as db/executions.ts lays out the new one
  const from = steps.find(({ status }) => status === 'failed' || status === 'cancelled') ?? steps[0];
  if (!from) return null;
  const stands = (step: ExecutionStep): boolean =>
    step.index < from.index && step.status === 'succeeded' && step.rollback?.status !== 'succeeded';
  const named = (some: ExecutionStep[]): string[] => some.map((step) => visible(step.name));
  return {
    from: visible(from.name),
    takenOver: named(steps.filter(stands)),
    runAgain: named(steps.filter((step) => !stands(step))),
  };
}
