import type { NotificationStatus, NotificationType } from '../../domain/notification.ts';
import { type Addressed, publicDestination } from '../../domain/private-address.ts';
import type { Mark } from '../layout/words.ts';

export const messageMarks: Record<NotificationStatus, Mark> = {
  started: { word: 'On its way', icon: 'running', tone: 'busy' },
  sent: { word: 'Sent', icon: 'done', tone: 'good' },
  failed: { word: 'Failed', icon: 'failed', tone: 'bad' },
  skipped: { word: 'Not sent', icon: 'skipped', tone: 'quiet' },
};

export const messageTypeWords: Record<NotificationType, string> = {
  'alert.received': 'Alert',
  'escalation.page': 'Page',
  'escalation.reminder': 'Reminder',
  'escalation.restarted': 'Escalation begins anew',
  'incident.opened': 'Incident opened',
  'incident.root_cause_found': 'Root cause found',
  'incident.acknowledged': 'Acknowledged',
  'incident.noted': 'Note',
  'incident.resolved': 'Resolved',
  'sla.at_risk': 'SLA at risk',
  'sla.breached': 'SLA breached',
  'approval.needed': 'Approval needed',
  'execution.succeeded': 'Runbook succeeded',
  'execution.failed': 'Runbook failed',
  'execution.rolled_back': 'Runbook rolled back',
  'execution.rollback_failed': 'Rollback failed',
  'execution.refused': 'Runbook refused',
  'execution.undo_failed': 'Undo failed',
  'execution.runner_missing': 'Runner missing',
  'execution.message': 'Message of a runbook',
  'runbook.import_refused': 'Import refused',
  'oncall.nobody': 'Nobody on call',
  'oncall.handoff': 'Handoff',
  'oncall.readiness': 'Readiness',
  forecast: 'Forecast',
  'notifications.consolidated': 'Several in one',
  'channel.test': 'Test of a channel',
  'contact.test': 'Test of a contact',
  'chat.summary': 'Summary in chat',
  'report.sla': 'SLA report',
  'report.capacity': 'Capacity report',
};

/** A type of a later version stands as it is. */
export function typeText(type: string): string {
  const words: Record<string, string> = messageTypeWords;
  return Object.hasOwn(words, type) ? (words[type] ?? type) : type;
}

/** '412 ms', '1.3 s', '2 min': how long it took from the moment at which it was due. */
export function latencyText(ms: number | null): string {
  if (ms === null) return '';
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** By what a message went, and where, as far as that does not stand beside it or is not its reader's to see. */
export function wayText(message: Addressed): string {
  const { channel, destination, person } = message;
  const own = person !== null && destination !== publicDestination(message);
  return own ? `${channel}: ${destination}` : channel;
}
