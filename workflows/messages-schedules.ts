import {
  ScheduleAlreadyRunning,
  type ScheduleClient,
  type ScheduleOptions,
  type ScheduleUpdateOptions,
} from '@temporalio/client';

/**
 * Makes a schedule, or brings it up to date. Safe to call again and by several processes at once; a schedule that an
 * operator has paused stays paused.
 */
export async function ensureSchedule(client: ScheduleClient, options: ScheduleOptions): Promise<void> {
  try {
    await client.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.getHandle(options.scheduleId).update(
      ({ state }): ScheduleUpdateOptions => ({
        spec,
        action: { ...action, workflowId: action.workflowId ?? options.scheduleId },
        ...(policies && { policies }),
        state,
      }),
    );
  }
}
