import type { StepStatus, UndoStatus } from '../incident-status.ts';

/** A step of an execution that has ended, as far as going on from it depends on it. */
export interface EndedStep {
  status: StepStatus;
  /** Null where it has none, or it was not registered. */
  undo: UndoStatus | null;
  /** Whether the execution goes on when it fails. */
  mayFail: boolean;
}

export interface Retry {
  /** Position of the step that ended the execution: the new one goes on from there. */
  from: number;
  /** Positions of steps before it that succeeded and were not undone: they are not run again. */
  takenOver: number[];
}

/** What an execution that goes on from one with these steps runs; everything that is not taken over. */
export function retryOf(steps: readonly EndedStep[]): Retry {
  const ended = steps.findLastIndex(
    ({ status, mayFail }) => status === 'cancelled' || (status === 'failed' && !mayFail),
  );
  const first = steps.findIndex(({ status, mayFail }) => status !== 'succeeded' && !mayFail);
  // one that was stopped between two steps has none that ended it
  const from = Math.max(0, ended >= 0 ? ended : first);
  const takenOver = steps.flatMap(({ status, undo }, index) =>
    index < from && status === 'succeeded' && undo !== 'succeeded' ? [index] : [],
  );
  return { from, takenOver };
}
