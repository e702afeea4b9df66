import { formatDuration } from '../duration.ts';
import { methodName } from '../incident/levels.ts';
import type { TimelineEntry } from '../incident/state.ts';
import type { NotificationCause, NotifyTarget } from '../notification.ts';
import { destinationName, type RehearsedMessage, targetPerson } from './perform.ts';
import type { SimulatedIncident } from './simulate.ts';

/** A line of the table: a message, or something that happens to the incident. */
export interface RehearsedRow {
  /** Epoch milliseconds. */
  at: number;
  kind: 'message' | 'event';
  /** Of a message its type, of an event the kind of its line in the story. */
  type: string;
  /** Whom a message is for, or who acts. */
  who: string;
  /** How it reaches them: 'mail', 'Slack by ops', 'channel'; '' for an event. */
  by: string;
  /** What happens, for people. */
  what: string;
  /** What caused it; '' where the line says it itself. */
  why: string;
  outcome: RehearsedMessage['status'] | null;
  /** Why it failed or was skipped. */
  reason: string | null;
}

/** Told by the messages themselves, or no matter of who is told what. */
const untold = new Set([
  'notification',
  'notification_skipped',
  'notification_failed',
  'logs',
  'logs_failed',
]);

/** In the order of time; at the same moment, what happens stands before whom it makes told. */
export function rowsOf({ messages, story, refused }: SimulatedIncident): RehearsedRow[] {
  const rows: RehearsedRow[] = [
    ...story.filter(({ kind }) => !untold.has(kind)).map(eventRow),
    ...refused.map(({ answer, reason }): RehearsedRow => {
      const what = `Would be refused: ${reason}`;
      return { ...blank, at: answer.at, type: 'refused', who: answer.by, what };
    }),
    ...messages.map(messageRow),
  ];
  return rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => a.row.at - b.row.at || a.index - b.index)
    .map(({ row }) => row);
}

const blank = { kind: 'event' as const, by: '', why: '', outcome: null, reason: null };

function eventRow({ at, kind, actor, summary }: TimelineEntry): RehearsedRow {
  return { ...blank, at, type: kind, who: actor, what: summary };
}

function messageRow({ at, type, target, cause, status, reason }: RehearsedMessage): RehearsedRow {
  return {
    at,
    kind: 'message',
    type,
    who: targetPerson(target) ?? destinationName(target),
    by: wayOf(target),
    what: messageWords[type] ?? type,
    why: causeText(cause),
    outcome: status,
    reason,
  };
}

const messageWords: Partial<Record<string, string>> = {
  'escalation.page': 'Page',
  'escalation.reminder': 'Reminder',
  'escalation.restarted': 'The acknowledgement was taken back',
  'oncall.nobody': 'Nobody is reached',
  'sla.at_risk': 'SLA at risk',
  'sla.breached': 'SLA breached',
  'alert.received': 'Alert received',
  'incident.opened': 'Incident opened',
  'incident.acknowledged': 'Incident acknowledged',
  'incident.resolved': 'Incident resolved',
};

function wayOf(target: NotifyTarget): string {
  switch (target.type) {
    case 'email':
    case 'user':
      return 'mail';
    case 'channel':
      return 'channel';
    case 'schedule':
      return 'whoever is on call';
    case 'contact':
      return target.method.type === 'channel' ? `channel ${target.method.name}` : methodName(target.method);
  }
}

/** 'level 2 of default, second pass; on call by primary (weekly)', for people; '' where nothing more is known. */
export function causeText(cause: NotificationCause | null): string {
  if (cause === null) return '';
  const { level, policy, pass, round, step, entry, rule, instead } = cause;
  const parts = [
    level === undefined ? null : `level ${level}${policy === undefined ? '' : ` of ${policy}`}`,
    pass !== undefined && pass > 1 ? `pass ${pass}` : null,
    round !== undefined && round > 1 ? `round ${round}` : null,
    step !== undefined && step > 1 ? `step ${step} of the contact rules` : null,
    entry ? `${entry.shadow ? 'shadows' : 'on call'} by ${entry.schedule} (${entryText(entry)})` : null,
    rule ? `rule ${rule.name}: ${rule.reasons.join(', ')}` : null,
    instead === undefined ? null : `instead of what failed: ${instead}`,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function entryText({ rotation, override }: NonNullable<NotificationCause['entry']>): string {
  return override ? 'override' : rotation;
}

/** 'Ana is paged first, at once, by mail. 3 people are told…': what the table comes to. */
export function summaryOf(simulated: SimulatedIncident, openedAt: number): string {
  const pages = simulated.messages.filter(({ type }) => type === 'escalation.page');
  const arrived = pages.filter(({ status }) => status === 'sent');
  const first = arrived[0];
  if (!first) {
    const failed = pages.some(({ status }) => status === 'failed');
    return failed ? 'Every page fails: nobody is reached.' : 'Nobody is paged.';
  }
  const after = first.at - openedAt;
  const who = targetPerson(first.target) ?? destinationName(first.target);
  const when = after < 1000 ? 'at once' : `after ${formatDuration(after)}`;
  const places = new Set(arrived.map(({ target }) => targetPerson(target) ?? destinationName(target)));
  const rest = places.size === 1 ? 'Nobody else is paged' : `${places.size} are paged in all`;
  return `${who} is paged first, ${when} (${wayOf(first.target)}). ${rest}, ${arrived.length === 1 ? 'once' : `${arrived.length} pages`}. ${endText(simulated, openedAt)}`;
}

function endText({ state }: SimulatedIncident, openedAt: number): string {
  const breached = state.clocks.filter((clock) => clock.state === 'breached').map(({ kind }) => kind);
  const sla =
    breached.length > 0
      ? ` The SLA is breached: not ${breached.map(pastWord).join(' and not ')} in time.`
      : '';
  const { acknowledged, resolved } = state;
  if (acknowledged)
    return `${acknowledged.by} acknowledges after ${formatDuration(acknowledged.at - openedAt)}.${sla}`;
  if (resolved) return `It is over after ${formatDuration(resolved.at - openedAt)}.${sla}`;
  return `Nobody acknowledges.${sla}`;
}

function pastWord(kind: 'acknowledge' | 'resolve'): string {
  return kind === 'acknowledge' ? 'acknowledged' : 'resolved';
}
