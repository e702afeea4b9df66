import type { Database } from '../db/database.ts';
import { type ExecutionRecord, recordExecution } from '../db/execution-record.ts';
import { admitExecution, loadExecutionPlan, lockTarget } from '../db/executions.ts';
import type { ExecutionPlan } from '../domain/execution/state.ts';

interface Execution {
  orgId: string;
  executionId: string;
}

export interface ExecutionActivityDeps {
  db: Database;
  /** Whether a signal from the Temporal CLI or UI counts as a vote on an approval. */
  approveBySignal: boolean;
}

export function createExecutionActivities({ db, approveBySignal }: ExecutionActivityDeps) {
  return {
    async loadExecutionPlan({ orgId, executionId }: Execution): Promise<ExecutionPlan> {
      const plan = await db.read({ orgId }, (tx) => loadExecutionPlan(tx, executionId));
      return { ...plan, approveBySignal };
    },

    /** Asks the runbook's own limits; null when it may begin, else the rule and until when. */
    async admitExecution(execution: Execution): Promise<string | null> {
      const admission = await db.write({ orgId: execution.orgId }, (tx) => admitExecution(tx, execution));
      return admission.admitted ? null : admission.reason;
    },

    /** Null when the target is this execution's now, else the id of the one that works on it. */
    async lockTarget(execution: Execution): Promise<string | null> {
      const lock = await db.write({ orgId: execution.orgId }, (tx) => lockTarget(tx, execution));
      return lock.acquired ? null : lock.heldBy;
    },

    async recordExecution(record: ExecutionRecord): Promise<void> {
      await db.write({ orgId: record.orgId }, (tx) => recordExecution(tx, record));
    },
  };
}

export type ExecutionActivities = ReturnType<typeof createExecutionActivities>;
