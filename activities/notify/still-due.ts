import type { Tx } from '../../db/database.ts';
import type { GitImport } from '../../db/git-sources.ts';
import { type NotificationFacts, readNotificationFacts } from '../../db/notification-facts.ts';
import { type ConsolidatedFacts, countHeldBack } from '../../db/notification-limits.ts';
import type { Report } from '../../db/reports.ts';
import { endWithIncident, type NotifyInput } from '../../domain/notification.ts';
import type { WrittenNote } from '../../domain/pagerduty.ts';

/**
 * A workflow records what happened and tells of it at the same time: the message waits for the record, so that it
 * does not say 'running' of what has ended. A page waits for its incident, and for its having begun anew: what stands
 * there before says that somebody has it.
 */
export function isRecorded(
  input: NotifyInput,
  facts: NotificationFacts,
  subject: Report | GitImport | ConsolidatedFacts | WrittenNote | undefined,
): boolean {
  const { incident, execution, approval } = facts;
  switch (input.type) {
    case 'escalation.page':
      return incident !== undefined && incident.recordedSeq >= sinceOf(input);
    case 'alert.received':
    case 'escalation.reminder':
    case 'escalation.restarted':
    case 'incident.opened':
    case 'oncall.nobody':
    case 'sla.at_risk':
    case 'sla.breached':
      return incident !== undefined;
    case 'incident.root_cause_found':
      return Boolean(incident?.cause);
    case 'incident.acknowledged':
      return Boolean(incident?.acknowledgedAt);
    case 'incident.resolved':
      return Boolean(incident?.resolvedAt);
    case 'approval.needed':
      return approval !== undefined && execution !== undefined;
    case 'execution.undo_failed':
    case 'execution.runner_missing':
    case 'execution.message':
      return execution !== undefined;
    case 'execution.succeeded':
    case 'execution.failed':
    case 'execution.rolled_back':
    case 'execution.rollback_failed':
    case 'execution.refused':
      return Boolean(execution?.finishedAt);
    case 'oncall.handoff':
    case 'oncall.readiness':
    case 'contact.test':
    case 'chat.summary':
    case 'channel.test':
    case 'forecast':
      return true;
    case 'incident.noted':
    case 'notifications.consolidated':
    case 'runbook.import_refused':
    case 'report.sla':
    case 'report.capacity':
      return subject !== undefined;
  }
}

/** The incident's event with which it last began anew, or nobody was left alone any more: what is recorded before is out of date. */
function sinceOf({ detail }: NotifyInput): number {
  return Number(detail.since ?? 0);
}

/** Nothing is to be said: for good, or (`held`) until nobody is to be left alone any more. `reason` is for people. */
export interface NotDue {
  reason: string;
  held?: true;
}

/** As `notDue`, by what the record says now. */
export async function notDueByNow(tx: Tx, input: NotifyInput): Promise<NotDue | undefined> {
  const { limit } = input.detail;
  const together =
    isToldTogether(input) && typeof limit === 'number' ? await countHeldBack(tx, limit) : undefined;
  return notDue(input, await readNotificationFacts(tx, input), together);
}

/** Why it is not to be said, as far as the record tells (`together`: of what it stands for); undefined if it is. */
export function notDue(
  input: NotifyInput,
  facts: NotificationFacts,
  together?: Pick<ConsolidatedFacts, 'due'>,
): NotDue | undefined {
  if (isToldTogether(input) && together?.due === 0) {
    return { reason: 'somebody has, or nobody needs, each of the incidents that it tells of' };
  }
  const reason = reasonToSkip(input, facts);
  return reason === undefined ? heldBack(input, facts) : { reason };
}

/** That all of it is over is said whatever became of it. */
function isToldTogether({ type, detail }: NotifyInput): boolean {
  return type === 'notifications.consolidated' && detail.over !== true;
}

/**
 * A page that began before a snooze or silence, and has not left. One that begins after it tells by its number that what
 * is recorded is of before.
 */
function heldBack(input: NotifyInput, { incident }: NotificationFacts): NotDue | undefined {
  if (input.type !== 'escalation.page' || !incident || incident.recordedSeq < sinceOf(input))
    return undefined;
  const what = incident.snoozedUntil ? 'snoozed' : incident.silencedUntil ? 'silenced' : undefined;
  return what && { reason: `incident #${incident.number} is ${what}: it is told after that`, held: true };
}

/** Why there is nothing to say any more; undefined if there is. */
function reasonToSkip(input: NotifyInput, { incident, approval }: NotificationFacts): string | undefined {
  if (input.type === 'approval.needed') {
    return approval && approval.status !== 'pending'
      ? `the approval is ${approval.status} already`
      : undefined;
  }
  if (input.type === 'incident.resolved' && incident && !incident.resolvedAt) {
    return `incident #${incident.number} is open again`;
  }
  if (input.type === 'incident.acknowledged' && incident && !incident.acknowledgedAt) {
    return `incident #${incident.number} is not acknowledged any more`;
  }
  if (!incident || !endWithIncident.includes(input.type)) return undefined;
  // what is recorded is of before it began anew: a page too many is better than one that nobody gets
  if (input.type === 'escalation.page' && incident.recordedSeq < sinceOf(input)) return undefined;
  const over = incident.status === 'resolved' || incident.status === 'false_positive';
  if (over || incident.resolvedAt) return `incident #${incident.number} is resolved already`;
  const answers =
    input.type === 'escalation.page' || (input.type === 'sla.at_risk' && input.detail.kind === 'acknowledge');
  if (!answers || !incident.acknowledgedAt) return undefined;
  return `incident #${incident.number} was acknowledged by ${incident.acknowledgedBy ?? 'someone'} already`;
}
