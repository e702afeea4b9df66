import { admitExecution } from '../db/admission.ts';
import type { Database } from '../db/database.ts';
import { loadExecutionPlan } from '../db/execution-plan.ts';
import { type ExecutionRecord, recordExecution } from '../db/execution-record.ts';
import { abandonAllAttempts } from '../db/step-ledger.ts';
import { lockTarget, releaseTarget } from '../db/target-locks.ts';
import type { ExecutionPlan } from '../domain/execution/plan.ts';

interface Execution {
  orgId: string;
  executionId: string;
}

export interface ExecutionActivityDeps {
  db: Database;
  /** Whether a signal from the Temporal CLI or UI counts as a vote on an approval. */
  approveBySignal: boolean;
  /** How long a runner has to take a step up before people hear that it is missing. */
  runnerPatienceMs: number;
}

/** Null: the target is this execution's now. `ahead`: how many others come first in its queue. */
export type LockAnswer = null | { heldBy: string; ahead: number } | { refusal: string };

export function createExecutionActivities({ db, approveBySignal, runnerPatienceMs }: ExecutionActivityDeps) {
  return {
    async loadExecutionPlan({ orgId, executionId }: Execution): Promise<ExecutionPlan> {
      const plan = await db.read({ orgId }, (tx) => loadExecutionPlan(tx, executionId));
      return { ...plan, approveBySignal, runnerPatienceMs };
    },

    /** Asks the safety rules; null when it may begin, else the rule and until when. Reserves nothing. */
    async admitExecution(execution: Execution): Promise<string | null> {
      const refusal = await db.write({ orgId: execution.orgId }, (tx) => admitExecution(tx, execution));
      return refusal?.reason ?? null;
    },

    /** Asks for the target, in turn, and once it is free asks the safety rules again. */
    async lockTarget(execution: Execution): Promise<LockAnswer> {
      const lock = await db.write({ orgId: execution.orgId }, (tx) => lockTarget(tx, execution));
      if ('refused' in lock) return { refusal: lock.refused.reason };
      return lock.acquired ? null : { heldBy: lock.heldBy, ahead: lock.ahead };
    },

    /** `next`: whom the target that was given free belongs to next. */
    async recordExecution(record: ExecutionRecord): Promise<{ next: string | null }> {
      return await db.write({ orgId: record.orgId }, async (tx) => {
        await recordExecution(tx, record);
        if (!record.release) return { next: null };
        await abandonAllAttempts(tx, record.executionId);
        return await releaseTarget(tx, record);
      });
    },
  };
}

export type ExecutionActivities = ReturnType<typeof createExecutionActivities>;
