import {
  type ScheduleClient,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  ServiceError,
} from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { type GitSyncInput, gitSyncId, searchAttributeNames, taskQueue, workflowTypes } from './messages.ts';
import { TemporalUnavailableError } from './messages-client.ts';
import { ensureSchedule } from './messages-schedules.ts';

export interface ScheduledSource extends GitSyncInput {
  /** Milliseconds between two looks at the branch. */
  intervalMs: number;
}

/**
 * The schedule of each Git source, through which alone its syncs start: so never two of one source run at a time.
 * Every method throws TemporalUnavailableError.
 */
export interface GitSchedules {
  /** Makes the schedule, or brings it up to date. */
  keep(source: ScheduledSource): Promise<void>;
  /** Well, too, where there is none. */
  remove(orgId: string, sourceId: string): Promise<void>;
  /**
   * Looks at the branch now. While one sync runs, one more follows it, however often it was asked for: that one reads
   * what was pushed meanwhile.
   */
  sync(source: ScheduledSource): Promise<void>;
}

/** A sync that no worker carries on does not stand in the way of the next for longer. */
const longestSync = '30m';

const orgAttribute = defineSearchAttributeKey(searchAttributeNames.org, 'KEYWORD');

export function createGitSchedules(
  client: ScheduleClient,
  options: { deadlineMs?: number } = {},
): GitSchedules {
  const { deadlineMs = 5_000 } = options;

  async function ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + deadlineMs, question);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new TemporalUnavailableError('Temporal does not answer', { cause: error });
    }
  }

  return {
    keep: (source) => ask(() => ensureSchedule(client, gitSchedule(source))),
    async remove(orgId, sourceId) {
      try {
        await ask(() => client.getHandle(gitSyncId(orgId, sourceId)).delete());
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
    async sync(source) {
      const trigger = () =>
        ask(() =>
          client
            .getHandle(gitSyncId(source.orgId, source.sourceId))
            .trigger(ScheduleOverlapPolicy.BUFFER_ONE),
        );
      try {
        await trigger();
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        // somebody deleted it in Temporal
        await ask(() => ensureSchedule(client, gitSchedule(source)));
        await trigger();
      }
    },
  };
}

function gitSchedule({ orgId, sourceId, intervalMs }: ScheduledSource): ScheduleOptions {
  const input: GitSyncInput = { orgId, sourceId };
  const id = gitSyncId(orgId, sourceId);
  return {
    scheduleId: id,
    spec: { intervals: [{ every: intervalMs }] },
    // Temporal adds the time that it was due to the workflow's id
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.gitSync,
      workflowId: id,
      taskQueue,
      args: [input],
      workflowExecutionTimeout: longestSync,
      typedSearchAttributes: [{ key: orgAttribute, value: orgId }],
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      // after Temporal was away, one look makes up for all that were missed
      catchupWindow: intervalMs,
    },
    memo: { what: 'Git sync of runbooks' },
  };
}
