import { formatDuration } from './duration.ts';
import type { ScheduleEntry } from './escalation/resolve.ts';
import type { NotificationCause, NotificationStatus, Quiet } from './notification.ts';
import { triggerWords } from './notification-rules/trigger-words.ts';
import { wallTimeAt } from './wall-clock.ts';

/** What is known of a message, for 'why was I paged?' */
export interface SentMessage {
  type: string;
  status: NotificationStatus;
  /** What went wrong, or why nothing was sent. */
  error: string | null;
  /** Where it went, as the log says it. */
  destination: string;
  /** Whom it was to reach, by mail address; null: a channel. */
  person: string | null;
  /** When it was due, epoch milliseconds. */
  dueAt: number;
  incidentNumber: number | null;
  /** Of the execution that it is about. */
  runbook: string | null;
  cause: NotificationCause | null;
  /** Of one that says many together, where in their row it stands; null: it says itself alone. */
  together: 'begins' | 'goes on' | 'ends' | null;
}

/** Who reads the answer: times are in their zone, and 'you' is they. */
export interface Reader {
  /** Mail address. */
  email: string;
  /** IANA name. */
  timeZone: string;
}

/**
 * Why a message was sent, in sentences: 'You were paged because level 2 of the policy payments came due 15 min after #42
 * opened, and you were on call by primary (weekly, until Mon 09:00). Tried before: Slack: channel_not_found.'
 */
export function why(message: SentMessage, reader: Reader): string[] {
  const { cause, together } = message;
  if (together !== null) {
    return [`${toldText(message, reader)} because ${togetherWords[together]}.`, ...outcomeOf(message)];
  }
  if (!cause)
    return [`${toldText(message, reader)}. Why was not written down: it was sent by an earlier version.`];
  const because = reasonOf(message, cause);
  const entry = cause.entry ? ` and ${entryText(cause.entry, message, reader)}` : '';
  return [
    `${toldText(message, reader)} because ${because}${entry}.`,
    ...(cause.held ?? []).map((held) => heldText(held, reader)),
    ...(cause.rule ? ruleText(cause.rule) : []),
    ...(cause.step !== undefined && cause.step > 1 ? [stepText(message, cause, reader)] : []),
    ...(cause.instead === undefined ? [] : [`Tried before, and failed: ${fullStop(cause.instead)}`]),
    ...outcomeOf(message),
  ];
}

const togetherWords: Record<NonNullable<SentMessage['together']>, string> = {
  begins:
    'more than ten messages about one kind of alert were to go there within an hour: it says the others in one',
  'goes on': 'there was more to say since the message that says many in one, from which it goes on',
  ends: 'all that the message was about which says many in one is over',
};

const verbs: Record<string, string> = {
  'escalation.page': 'paged',
  'escalation.reminder': 'reminded',
  'approval.needed': 'asked for an approval',
};

function toldText({ type, status, person, destination }: SentMessage, reader: Reader): string {
  const verb = verbs[type] ?? 'told';
  const you = person !== null && person.toLowerCase() === reader.email.toLowerCase();
  const who = you ? 'You' : (person ?? destination);
  if (status === 'sent') return `${who} ${you ? 'were' : 'was'} ${verb}`;
  return `${who} ${you ? 'were' : 'was'} to be ${verb}`;
}

function reasonOf(message: SentMessage, cause: NotificationCause): string {
  const happened = eventText(message, cause);
  if (cause.rule) return `the rule ${cause.rule.name} waits for it: ${happened}`;
  if (cause.level === undefined) return happened;
  const policy = cause.policy === undefined ? 'the escalation policy' : `the policy ${cause.policy}`;
  const pass = cause.pass !== undefined && cause.pass > 1 ? `, in pass ${cause.pass},` : '';
  const after = levelDue(message, cause) - Date.parse(cause.at);
  const when = after < 1_000 ? 'as soon as' : `${formatDuration(after)} after`;
  return `level ${cause.level} of ${policy}${pass} came due ${when} ${happened}`;
}

/** The message of a later step of contact rules is due after its level. */
function levelDue({ dueAt }: SentMessage, { levelDueAt }: NotificationCause): number {
  return levelDueAt === undefined ? dueAt : Date.parse(levelDueAt);
}

/** What each event is called where it stands after 'because' or 'after'; `{incident}` is '#42'. */
const eventWords: Record<string, string> = {
  'incident.opened': '{incident} opened',
  'incident.reopened': '{incident} opened again',
  'incident.acknowledged': '{incident} was acknowledged',
  'incident.resolved': '{incident} was resolved',
  'incident.noted': 'somebody wrote a note on {incident}',
  'incident.root_cause_found': 'the root cause of {incident} was found',
  'alert.received': 'an alert of {incident} arrived',
  'sla.at_risk': 'the SLA of {incident} was at risk',
  'sla.breached': 'the SLA of {incident} was breached',
  'escalation.restarted': 'the acknowledgement of {incident} was taken back, as nothing had happened',
  'escalation.reminder': 'nothing had happened on {incident} since it was acknowledged',
  'policy.reapplied': 'the escalation policy of {incident} was applied anew',
  'oncall.nobody': 'a level of the escalation policy reached nobody for {incident}',
  'oncall.handoff': 'a shift begins or ends',
  'oncall.readiness': 'the weekly look at who can be reached found something',
  'approval.needed': '{runbook} needs an approval',
  'execution.succeeded': '{runbook} succeeded',
  'execution.failed': '{runbook} failed',
  'execution.rolled_back': '{runbook} was rolled back',
};

function eventText({ incidentNumber, runbook }: SentMessage, { event }: NotificationCause): string {
  const words = Object.hasOwn(eventWords, event) ? eventWords[event] : undefined;
  const incident = incidentNumber === null ? 'the incident' : `#${incidentNumber}`;
  const run = runbook === null ? 'a runbook' : `the runbook ${runbook}`;
  // by function: a name may hold '$&'
  return (words ?? triggerText(event)).replace('{incident}', () => incident).replace('{runbook}', () => run);
}

function triggerText(event: string): string {
  const words: Record<string, string> = triggerWords;
  return Object.hasOwn(words, event) ? (words[event] ?? event) : event.replaceAll(/[._]/g, ' ');
}

function entryText(entry: ScheduleEntry, { person }: SentMessage, reader: Reader): string {
  const you = person?.toLowerCase() === reader.email.toLowerCase();
  const be = you ? 'you were' : 'they were';
  const rotation = entry.override ? 'by an override' : entry.rotation;
  const until = `until ${zonedText(Date.parse(entry.to), reader.timeZone)}`;
  return entry.shadow
    ? `${be} shadowing ${entry.schedule} (${rotation}, ${until})`
    : `${be} on call by ${entry.schedule} (${rotation}, ${until})`;
}

function heldText(held: Quiet, reader: Reader): string {
  const until = `until ${zonedText(Date.parse(held.until), reader.timeZone)}`;
  if (held.kind === 'snooze') {
    const { by } = held;
    const you = by?.toLowerCase() === reader.email.toLowerCase();
    return `It was snoozed ${by === undefined ? '' : `by ${you ? 'you' : by} `}${until}.`;
  }
  const names = held.names.map((name) => `'${name}'`);
  const which =
    names.length > 1 ? `the silences ${names.join(', ')}` : names.map((name) => `the silence ${name}`)[0];
  return `It was held back ${until} by ${which ?? 'a silence'}.`;
}

/** The first reason is what the rule waits for, which is said already. */
function ruleText({ reasons }: { reasons: string[] }): string[] {
  const conditions = reasons.slice(1);
  return conditions.length === 0 ? [] : [`What held: ${fullStop(conditions.join('; '))}`];
}

function stepText(message: SentMessage, cause: NotificationCause, reader: Reader): string {
  const whose = message.person?.toLowerCase() === reader.email.toLowerCase() ? 'your' : 'their';
  const waitedMs = message.dueAt - levelDue(message, cause);
  // what follows a failure comes as soon as that is known
  const later = waitedMs < 1_000 || cause.instead !== undefined ? '' : `, ${formatDuration(waitedMs)} later`;
  return `It came by step ${cause.step} of ${whose} contact rules${later}.`;
}

function outcomeOf({ status, error }: SentMessage): string[] {
  const reason = error === null || error === '' ? '' : `: ${error}`;
  switch (status) {
    case 'sent':
      return [];
    case 'started':
      return [`It is on its way${reason ? fullStop(`; the last attempt failed${reason}`) : '.'}`];
    case 'failed':
      return [fullStop(`It could not be delivered${reason}`)];
    case 'skipped':
      return [fullStop(`Nothing was sent${reason}`)];
  }
}

function fullStop(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** 'Mon 09:00 Europe/Berlin' */
function zonedText(at: number, timeZone: string): string {
  const wall = new Date(wallTimeAt(timeZone, at));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${weekdays[wall.getUTCDay()]} ${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())} ${timeZone}`;
}
