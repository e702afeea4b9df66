import { ActivityFailure, isCancellation, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import type { DryRunActivities } from '../activities/dry-run.ts';
import type { DryRunInput, Finding, StepCheck } from '../domain/dry-run.ts';
import { reasonOf } from './drive.ts';
import { runnerTaskQueue, taskQueue } from './messages.ts';

/** A runner that polls takes a check at once; longer than this and nobody is there. */
const startMs = 10_000;
const checkMs = 12_000;

/**
 * Looks at all steps side by side, each where it would run, and answers what was found in the order of the checks,
 * within half a minute whatever is away. Nothing of it has an effect, so nothing is repeated.
 */
export async function dryRun({ orgId, checks }: DryRunInput): Promise<Finding[][]> {
  return await Promise.all(checks.map((check) => findingsOf(orgId, check)));
}

async function findingsOf(orgId: string, check: StepCheck): Promise<Finding[]> {
  const { checkStep } = proxyActivities<DryRunActivities>({
    taskQueue: check.runner === null ? taskQueue : runnerTaskQueue(orgId, check.runner.name),
    scheduleToStartTimeout: startMs,
    startToCloseTimeout: checkMs,
    retry: { maximumAttempts: 1 },
  });
  try {
    return await checkStep(check);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [{ ok: false, ...whyUnchecked(error, check.runner) }];
  }
}

function whyUnchecked(error: unknown, runner: StepCheck['runner']): { what: string; detail: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof TimeoutFailure)) return { what: 'check', detail: reasonOf(error) };
  if (cause.timeoutType !== 'SCHEDULE_TO_START') {
    return { what: 'check', detail: `it had not ended after ${checkMs / 1000} s` };
  }
  if (runner === null) return { what: 'worker', detail: 'no worker of Holdfast was free to look' };
  const seen = runner.lastSeenAt === null ? 'it has never been seen' : `last seen ${runner.lastSeenAt}`;
  return { what: 'runner', detail: `no runner polls ${runner.name}, ${seen}; start one with that queue` };
}
