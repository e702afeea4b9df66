import { proxyActivities } from '@temporalio/workflow';
import type { ReportActivities } from '../activities/reports.ts';
import type { ReportSpan } from '../domain/reports/period.ts';
import type { ReportInput } from './messages.ts';
import { reportKey, reportPeriodEnd } from './report-period.ts';
import { tellRules } from './report-rules.ts';

const { buildReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '2m',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});
const { reportTeams } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});
const { sendReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '10m',
  // a mail server that is away for the weekend
  scheduleToCloseTimeout: '3d',
  retry: { initialInterval: '10s', maximumInterval: '30m' },
});

/**
 * Builds the SLA report of the past week or month and mails it; then, where nobody asked for just one, those of the
 * teams whose reports somebody gets.
 */
export async function slaReport(input: ReportInput): Promise<{ reportId: string; sent: number }> {
  const { orgId, requestedBy, span, teamId } = input;
  const periodEnd = reportPeriodEnd();
  const own = reportKey();
  const make = async (key: string, more: { span?: ReportSpan; teamId?: string }) => {
    const { reportId } = await buildReport({ orgId, kind: 'sla', requestedBy, periodEnd, key, ...more });
    const [{ sent }] = await Promise.all([
      sendReport({ orgId, reportId, key }),
      tellRules({ orgId, kind: 'sla', reportId }),
    ]);
    return { reportId, sent };
  };
  const period = span === undefined ? {} : { span };
  const made = await make(own, teamId === undefined ? period : { ...period, teamId });
  // a report that was asked for before teams had theirs is the organization's alone
  if (span === undefined || teamId !== undefined) return made;
  const teams = await reportTeams({ orgId });
  const sent = await Promise.allSettled(teams.map((team) => make(`${own}:${team}`, { span, teamId: team })));
  // one team's trouble keeps no other team's report back
  const failed = sent.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return made;
}
