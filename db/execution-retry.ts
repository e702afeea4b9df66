import type { Tx } from './database.ts';
import { createExecution } from './executions.ts';
import { type ExecutionDetail, getExecution } from './executions-read.ts';

/** It cannot be gone on from; the message says why. */
export class RetryRefusedError extends Error {
  override name = 'RetryRefusedError';
}

/** Why nobody can go on from it as it stands; null: it can be retried. */
export function whyNotRetried(
  execution: Pick<ExecutionDetail, 'status' | 'finishedAt' | 'retries'>,
): string | null {
  const [retry] = execution.retries;
  if (!execution.finishedAt) return 'it still runs: cancel it first, or wait for its end';
  if (execution.status === 'succeeded') return 'it succeeded: run the runbook again instead';
  if (retry) return `it was retried already, as execution ${retry.id}: retry that one`;
  return null;
}

/**
 * Writes down an execution that goes on from the failed step of `of`; its workflow is started afterwards. False:
 * there is no execution `of` in this scope. Throws RetryRefusedError, and what createExecution throws.
 */
export async function retryExecution(
  tx: Tx,
  args: { orgId: string; id: string; of: string; workflowId: string; requestedBy: string },
): Promise<boolean> {
  // of two who press at once, the second sees what the first made
  await tx.selectFrom('executions').select('id').where('id', '=', args.of).forUpdate().execute();
  const execution = await getExecution(tx, args.of);
  if (!execution) return false;
  const why = whyNotRetried(execution);
  if (why !== null) throw new RetryRefusedError(why);
  await createExecution(tx, {
    orgId: args.orgId,
    id: args.id,
    runbook: execution.runbook,
    workflowId: args.workflowId,
    requestedBy: args.requestedBy,
    retry: { of: args.of },
  });
  return true;
}
