import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { BuildReportInput, ReportActivities } from '../activities/reports.ts';
import type { ReportInput } from './messages.ts';
import { reportKey, reportPeriodEnd } from './report-period.ts';
import { tellRules } from './report-rules.ts';

const retry = { initialInterval: '2s', maximumInterval: '5m' } as const;

/** While Prometheus is away it is asked again for an hour; longer than that, the report says so. */
const { buildReport: buildComplete } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '2m',
  scheduleToCloseTimeout: '1h',
  // an hour is some 20 attempts; a bound also where the server's clock jumps past its end
  retry: { ...retry, maximumAttempts: 40 },
});
const { buildReport: buildWithGaps } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '2m',
  retry,
});
const { sendReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '10m',
  // a mail server that is away for the weekend
  scheduleToCloseTimeout: '3d',
  retry: { initialInterval: '10s', maximumInterval: '30m' },
});

/** Builds the capacity report, from as much of Prometheus as answers, and mails it. */
export async function capacityReport(input: ReportInput): Promise<{ reportId: string; sent: number }> {
  const { orgId, requestedBy } = input;
  const key = reportKey();
  const { reportId } = await build({
    orgId,
    kind: 'capacity',
    requestedBy,
    periodEnd: reportPeriodEnd(),
    key,
  });
  const [{ sent }] = await Promise.all([
    sendReport({ orgId, reportId, key }),
    tellRules({ orgId, kind: 'capacity', reportId }),
  ]);
  return { reportId, sent };
}

async function build(request: BuildReportInput): Promise<{ reportId: string }> {
  try {
    return await buildComplete(request);
  } catch (error) {
    // what cannot be mended by waiting (a wrong period) stays a failure; the hour that has passed does not
    const final =
      error instanceof ActivityFailure &&
      error.cause instanceof ApplicationFailure &&
      error.cause.nonRetryable === true;
    if (final || !(error instanceof ActivityFailure)) throw error;
    return await buildWithGaps({ ...request, acceptGaps: true });
  }
}
