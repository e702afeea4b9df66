import {
  type ScheduleClient,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  ServiceError,
} from '@temporalio/client';
import { type SloEvaluationInput, taskQueue, workflowTypes } from './messages.ts';
import { TemporalUnavailableError } from './messages-client.ts';
import { ensureSchedule } from './messages-schedules.ts';

export const sloScheduleId = (orgId: string): string => `slo:${orgId}`;

/**
 * The schedule by which an organization's objectives are measured each minute: there is one only where there are
 * objectives. Every method throws TemporalUnavailableError.
 */
export interface SloMeasuring {
  /** Well, too, where there is one: an operator's pause stays. */
  begin(orgId: string): Promise<void>;
  /** Well, too, where there is none. */
  end(orgId: string): Promise<void>;
}

/** For whoever saves an objective while Temporal does not answer. */
export const measuredOnceBack =
  'Temporal does not answer just now: it is measured within minutes of its return.';

/** False: Temporal does not answer, and the worker begins once it does (main/slo-measuring.ts). */
export async function begunMeasuring(
  measuring: Pick<SloMeasuring, 'begin'>,
  orgId: string,
): Promise<boolean> {
  try {
    await measuring.begin(orgId);
    return true;
  } catch (error) {
    if (!(error instanceof TemporalUnavailableError)) throw error;
    return false;
  }
}

export function createSloMeasuring(
  client: ScheduleClient,
  { deadlineMs = 5_000 }: { deadlineMs?: number } = {},
): SloMeasuring {
  async function ask(question: () => Promise<unknown>): Promise<void> {
    try {
      await client.withDeadline(Date.now() + deadlineMs, question);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new TemporalUnavailableError('Temporal does not answer', { cause: error });
    }
  }

  return {
    begin: (orgId) => ask(() => ensureSchedule(client, sloSchedule(orgId))),
    async end(orgId) {
      try {
        await ask(() => client.getHandle(sloScheduleId(orgId)).delete());
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
  };
}

/** What was missed is not made up for, since it would find what is now. */
function sloSchedule(orgId: string): ScheduleOptions {
  const input: SloEvaluationInput = { orgId };
  const scheduleId = sloScheduleId(orgId);
  return {
    scheduleId,
    spec: { intervals: [{ every: '1 minute' }] },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.sloEvaluation,
      taskQueue,
      workflowId: scheduleId,
      args: [input],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 seconds' },
    memo: { what: 'measures objectives' },
  };
}
