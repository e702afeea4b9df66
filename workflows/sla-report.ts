import { proxyActivities } from '@temporalio/workflow';
import type { ReportActivities } from '../activities/reports.ts';
import type { ReportInput } from './messages.ts';
import { reportKey, reportPeriodEnd } from './report-period.ts';

const { buildReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '2m',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});
const { sendReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '10m',
  // a mail server that is away for the weekend
  scheduleToCloseTimeout: '3d',
  retry: { initialInterval: '10s', maximumInterval: '30m' },
});

/** Builds the SLA report of the past week and mails it. */
export async function slaReport(input: ReportInput): Promise<{ reportId: string; sent: number }> {
  const { orgId, requestedBy } = input;
  const key = reportKey();
  const { reportId } = await buildReport({
    orgId,
    kind: 'sla',
    requestedBy,
    periodEnd: reportPeriodEnd(),
    key,
  });
  const { sent } = await sendReport({ orgId, reportId, key });
  return { reportId, sent };
}
