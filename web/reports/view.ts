import type { ReportKind, ReportSummary } from '../../db/reports.ts';
import { dayText } from '../layout/moments.ts';
import type { Mark } from '../layout/words.ts';

export interface ReportRow {
  id: string;
  href: string;
  kind: string;
  subject: string;
  period: string;
  recipients: string;
  requestedBy: string;
  createdAt: string;
  sent: Mark;
}

const kinds: Record<ReportKind, string> = { sla: 'SLA', capacity: 'Capacity' };

export function reportRow(report: ReportSummary, now: number): ReportRow {
  return {
    id: report.id,
    href: `/reports/${report.id}`,
    kind: kinds[report.kind],
    subject: report.subject,
    period: `${dayText(Date.parse(report.periodStart), now)} – ${dayText(Date.parse(report.periodEnd), now)}`,
    recipients: report.recipients.join(', ') || 'nobody',
    requestedBy: report.requestedBy,
    createdAt: report.createdAt,
    sent: report.sentAt
      ? { word: 'Sent', icon: 'done', tone: 'good' }
      : { word: 'On its way', icon: 'waiting', tone: 'quiet' },
  };
}
