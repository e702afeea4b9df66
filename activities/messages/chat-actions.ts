import type { NotificationFacts } from '../../db/notification-facts.ts';
import type { SlackAction, SlackActionValue } from '../../domain/chat/slack-actions.ts';

/** A button for channels whose buttons act by themselves. It grants nothing: who presses is known there. */
export interface ChatAction {
  label: string;
  action: SlackAction;
  value: SlackActionValue;
  style?: 'primary' | 'danger';
}

/** What can be done now about what a message tells of, as of what the database says. */
export function chatActions({ incident, approval }: NotificationFacts): ChatAction[] {
  if (approval?.status === 'pending') {
    const value = { approvalId: approval.id, executionId: approval.executionId };
    return [
      { label: 'Approve', action: 'holdfast.approve', value, style: 'primary' },
      { label: 'Reject', action: 'holdfast.reject', value, style: 'danger' },
    ];
  }
  if (!incident || incident.resolvedAt !== null) return [];
  const value = { number: incident.number, asOf: incident.recordedSeq, opening: incident.opening };
  return [
    ...(incident.acknowledgedAt === null
      ? [{ label: 'Acknowledge', action: 'holdfast.acknowledge', value, style: 'primary' } as const]
      : []),
    { label: 'Run a runbook', action: 'holdfast.run', value },
    { label: 'False positive', action: 'holdfast.false_positive', value },
  ];
}
