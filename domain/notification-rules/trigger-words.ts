import type { NotificationTrigger } from './rule.ts';

/** For people: what happens. */
export const triggerWords: Record<NotificationTrigger, string> = {
  'alert.received': 'an alert arrives',
  'incident.opened': 'an incident opens',
  'incident.root_cause_found': 'a root cause is found',
  'incident.acknowledged': 'an incident is acknowledged',
  'incident.resolved': 'an incident is resolved',
  'approval.needed': 'a runbook needs an approval',
  'execution.succeeded': 'a runbook succeeds',
  'execution.failed': 'a runbook fails',
  'execution.rolled_back': 'a runbook is rolled back',
  'sla.at_risk': 'an SLA is at risk',
  'sla.breached': 'an SLA is breached',
  forecast: 'a forecast warns',
  'report.sla': 'an SLA report is ready',
  'report.capacity': 'a capacity report is ready',
};
