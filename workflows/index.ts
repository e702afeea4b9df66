/** What a worker registers: each export is a workflow type, under the name in messages.ts. */
export { alert } from './alert.ts';
export { calendarSync } from './calendar-sync.ts';
export { capacityReport } from './capacity-report.ts';
export { channelPreview, channelProbe, channelTest } from './channel-test.ts';
export { chatSummary } from './chat-summary.ts';
export { consolidation } from './consolidation.ts';
export { dryRun } from './dry-run.ts';
export { contactTest, handoffs, readiness } from './duty.ts';
export { execution } from './execution.ts';
export { gitSync } from './git-sync.ts';
export { incident } from './incident.ts';
export { slaReport } from './sla-report.ts';
export { sloEvaluation, sloPreview } from './slo.ts';
