import {
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, TimeoutFailure, WorkflowNotFoundError } from '@temporalio/common';
import { refusedType } from './messages.ts';

/** What may come of saying something to a workflow, besides an answer. */

/** The workflow refused; the message says why, for the person who asked. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

/** The workflow has ended (or never began): the database knows how it ended. */
export class ClosedError extends Error {
  override name = 'ClosedError';
}

/** An incident that has ended has no workflow to ask: what is said of it then is written down at once. */
export async function unlessClosed(
  send: () => Promise<unknown>,
  write: () => Promise<unknown>,
): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    await write();
  }
}

/** Temporal or its workers do not answer. Asking again is safe: an update that got through is not run twice. */
export class TemporalUnavailableError extends Error {
  override name = 'TemporalUnavailableError';
}

// gRPC status codes: https://grpc.io/docs/guides/status-codes/
const grpc = {
  cancelled: 1,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
};

/** Whether the same asked again a little later may well be answered. */
export function isBusy(error: unknown): boolean {
  const { code, text } = grpcOf(error);
  // too many in flight, or the run's total is used up until it has continued as new
  return code === grpc.resourceExhausted || (code === grpc.failedPrecondition && /updates/.test(text));
}

/** The error that whoever asked is told; itself where it is none of Temporal's. */
export function meaningOf(error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new ClosedError('it has ended', { cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    if (error.cause.type === refusedType) return new RefusedError(error.cause.message, { cause: error });
    // what the server answers for an update whose workflow ended before it had an outcome
    if (error.cause.type === 'AcceptedUpdateCompletedWorkflow') {
      return new ClosedError('it has just ended', { cause: error });
    }
  }
  if (
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    (error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)
  ) {
    return new TemporalUnavailableError('no worker has answered in time', { cause: error });
  }
  const { code } = grpcOf(error);
  if (
    code === grpc.unavailable ||
    code === grpc.deadlineExceeded ||
    code === grpc.cancelled ||
    // a workflow task that fails again and again: its worker is being mended
    code === grpc.failedPrecondition ||
    isBusy(error)
  ) {
    return new TemporalUnavailableError('Temporal does not answer', { cause: error });
  }
  return error;
}

function grpcOf(error: unknown): { code: number | undefined; text: string } {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'number') {
    return { code: undefined, text: '' };
  }
  return { code: cause.code, text: cause.message };
}
