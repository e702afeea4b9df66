import type { StepStatus, UndoStatus } from '../incident-status.ts';
import type { StepPart } from '../runbook/layout.ts';

/** A step of an execution that has ended, as far as going on from it depends on it. */
export interface EndedStep {
  status: StepStatus;
  /** Null where it has none, or it was not registered. */
  undo: UndoStatus | null;
  /** Whether the execution goes on when it fails. */
  mayFail: boolean;
  /** Whether it says how things stand now, as an approval or a verification does: it is done again in any case. */
  again: boolean;
}

export interface Retry {
  /** Position of the step that ended the execution, or that it had come to: the new one goes on from there. */
  from: number;
  /** Positions of steps before it that succeeded and were not undone: they are not run again. */
  takenOver: number[];
}

/** What an execution that goes on from one with these steps runs; everything that is not taken over. */
export function retryOf(steps: readonly EndedStep[]): Retry {
  const ended = steps.findLastIndex(
    ({ status, mayFail }) => status === 'cancelled' || (status === 'failed' && !mayFail),
  );
  // one that was stopped between two steps has none that ended it
  const from = ended >= 0 ? ended : steps.findLastIndex(({ status }) => status === 'succeeded') + 1;
  const takenOver = steps.flatMap(({ status, undo, again }, index) =>
    status === 'succeeded' && undo !== 'succeeded' && !again ? [index] : [],
  );
  return { from: Math.min(from, steps.length - 1), takenOver };
}

/** Whether a step says how things stand now: what was true then does not let a new execution go on. */
export function isAskedAgain(step: { type: string; part: StepPart }): boolean {
  return step.type === 'approval' || step.part === 'verify';
}
