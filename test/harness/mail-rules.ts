import type { NotificationTrigger } from '../../domain/notification-rules/rule.ts';
import type { MailKind } from './mail-kinds.ts';

/** A mail of every kind for which a rule of notification can wait, as the rule has it sent. */
export const ruleMails: Record<NotificationTrigger, MailKind['send']> = {
  'alert.received': ({ announce, night }) =>
    announce({ trigger: 'alert.received', occurrence: night.alertId, incidentId: night.open.id }),
  'incident.opened': ({ announce, night }) =>
    announce({ trigger: 'incident.opened', occurrence: '1', incidentId: night.open.id }),
  'incident.root_cause_found': ({ announce, night }) =>
    announce({ trigger: 'incident.root_cause_found', occurrence: '2', incidentId: night.open.id }),
  'incident.acknowledged': ({ announce, night }) =>
    announce({ trigger: 'incident.acknowledged', occurrence: '3', incidentId: night.acknowledged.id }),
  'incident.resolved': ({ announce, night }) =>
    announce({ trigger: 'incident.resolved', occurrence: '4', incidentId: night.merged.id }),
  'approval.needed': ({ announce, night: { executions } }) =>
    announce(
      { trigger: 'approval.needed', occurrence: '1', executionId: executions.waiting },
      { approvalId: executions.approval },
    ),
  'execution.succeeded': ({ announce, night }) =>
    announce({ trigger: 'execution.succeeded', occurrence: '1', executionId: night.executions.succeeded }),
  'execution.failed': ({ announce, night }) =>
    announce({ trigger: 'execution.failed', occurrence: '1', executionId: night.executions.alone }),
  'execution.rolled_back': ({ announce, night }) =>
    announce({ trigger: 'execution.rolled_back', occurrence: '1', executionId: night.executions.rolledBack }),
  'sla.at_risk': ({ announce, night }) =>
    announce({
      trigger: 'sla.at_risk',
      occurrence: '5',
      incidentId: night.open.id,
      at: night.acknowledgeAtRisk,
    }),
  'sla.breached': ({ announce, night }) =>
    announce({
      trigger: 'sla.breached',
      occurrence: '6',
      incidentId: night.open.id,
      at: night.acknowledgeDue,
    }),
  forecast: ({ announce }) =>
    announce({ trigger: 'forecast', occurrence: '1' }, { detail: { message: 'The disk is full in 3 days' } }),
  'report.sla': async ({ announce, report }) =>
    await announce({ trigger: 'report.sla', occurrence: (await report('sla')).reportId }),
  'report.capacity': async ({ announce, report }) =>
    await announce({ trigger: 'report.capacity', occurrence: (await report('capacity')).reportId }),
};
