import { defineSearchAttributeKey } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

// set by Temporal on what a schedule starts: the time that it was due, however late it starts
const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** Where this run's report ends, ISO 8601: when it was due, or when it was asked for. */
export function reportPeriodEnd(): string {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return (typedSearchAttributes.get(scheduledStart) ?? startTime).toISOString();
}

/** The same for all attempts, resets included, so that nothing is built or mailed twice. */
export function reportKey(): string {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return `${workflowId}:${firstExecutionRunId}`;
}
