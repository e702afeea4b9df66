import { targetName } from '../escalation/pages.ts';
import { reachesSomebody } from '../escalation/reached.ts';
import { resolveTargets } from '../escalation/resolve.ts';
import type { IncidentEvent } from '../incident/events.ts';
import { methodName } from '../incident/levels.ts';
import type { IncidentMove } from '../incident/next-moves.ts';
import type { IncidentState, Notice } from '../incident/state.ts';
import type { NotificationCause, NotificationType, NotifyTarget } from '../notification.ts';
import { publicDestination } from '../private-address.ts';
import { readableFrom, readRehearsedFeed } from './feed.ts';
import { ruleNotices } from './rule-notices.ts';
import type { Configuration, RehearsedIncident, Surroundings } from './situation.ts';

/** A message that would be sent. */
export interface RehearsedMessage {
  key: string;
  type: NotificationType;
  /** When it is begun, epoch milliseconds. */
  at: number;
  target: NotifyTarget;
  cause: NotificationCause | null;
  /** `started`: on its way when the rehearsal ended. */
  status: 'started' | 'sent' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  reason: string | null;
}

/** What performing a move needs to know, and whom it tells. */
export interface Performing {
  incident: RehearsedIncident;
  surroundings: Surroundings;
  state(): IncidentState;
  tell(message: RehearsedMessage): void;
  settle(key: string, status: 'sent' | 'failed', reason: string | null): void;
}

/** The outcome of a move: known so long after it was begun; Infinity: never. */
interface Outcome {
  afterMs: number;
  outcome(at: number): IncidentEvent;
}

/** What the activity behind a move would answer. The database answers at once, people's devices after a while. */
export function perform(move: IncidentMove, now: number, performing: Performing): Outcome {
  const { incident, surroundings, state } = performing;
  const { configuration } = surroundings;
  const { key } = move;
  switch (move.kind) {
    case 'read_feed': {
      const { afterSeq } = move;
      return {
        afterMs: readableFrom(incident, configuration, now) - now,
        outcome(at) {
          const digest = readRehearsedFeed(incident, configuration, { afterSeq, now: at });
          return { type: 'feed_read', at, key, digest };
        },
      };
    }
    case 'resolve_level': {
      const { targets: written, dueAt } = move;
      const targets = resolveTargets(configuration.directory, written, state().severity, now);
      const owners = reachesSomebody(targets) ? [] : configuration.owners;
      return atOnce((at) => ({ type: 'level_resolved', at, key, dueAt, targets, owners }));
    }
    case 'announce': {
      const notices = ruleNotices(incident, configuration, move.announcement);
      return atOnce((at) => ({ type: 'announced', at, key, notices }));
    }
    case 'page':
      return deliver({ ...messageOf(move), type: 'escalation.page', at: now }, performing, (at) => ({
        type: 'page_sent',
        at,
        key,
        destination: toldName(move.target),
        skipped: null,
      }));
    case 'notice':
      return deliverNotice(move.notice, now, performing);
    case 'gather_evidence':
      return atOnce((at) => ({ type: 'evidence_gathered', at, key, summary: '', source: '' }));
    case 'record': {
      const { seq } = state();
      const deadlines = JSON.stringify(move.deadlines);
      return atOnce((at) => ({ type: 'recorded', at, key, seq, deadlines }));
    }
    case 'close': {
      const drained = incident.feed.filter(({ at }) => at <= now).length <= move.afterSeq;
      return atOnce((at) => ({ type: drained ? 'closed' : 'not_drained', at, key }));
    }
    case 'analyse':
    case 'regroup':
    case 'start_execution':
    case 'withdraw':
      // made up incidents have no evidence and call for no runbook, so nothing asks for these
      return atOnce((at) => ({ type: 'move_failed', at, key, reason: 'this is no part of a rehearsal' }));
  }
}

function atOnce(outcome: Outcome['outcome']): Outcome {
  return { afterMs: 0, outcome };
}

function messageOf({ key, target, cause }: { key: string; target: NotifyTarget; cause?: NotificationCause }) {
  return { key, target, cause: cause ?? null, status: 'started' as const, reason: null };
}

/** A schedule that a notice names means everybody who is on call then, by mail. */
function deliverNotice(notice: Notice, now: number, performing: Performing): Outcome {
  const { key, type, target } = notice;
  const sent: Outcome['outcome'] = (at) => ({ type: 'notice_sent', at, key });
  const message = { ...messageOf(notice), type, at: now };
  if (target.type !== 'schedule') return deliver(message, performing, sent);
  const { directory } = performing.surroundings.configuration;
  const [resolved] = resolveTargets(directory, [target], performing.state().severity, now);
  if (!resolved || resolved.people.length === 0) {
    const reason = resolved?.problem ?? `nobody is on call by the schedule '${target.name}'`;
    performing.tell({ ...message, status: 'failed', reason });
    return atOnce((at) => ({ type: 'move_failed', at, key, reason }));
  }
  const people = resolved.people.map(({ email, entry }, index) => ({
    ...message,
    key: `${key}.${index}`,
    target: { type: 'contact' as const, email, method: { type: 'email' as const } },
    cause: message.cause && entry ? { ...message.cause, entry } : message.cause,
  }));
  for (const each of people) performing.tell(each);
  return {
    afterMs: performing.surroundings.latencyMs,
    outcome(at) {
      for (const each of people) performing.settle(each.key, 'sent', null);
      return sent(at);
    },
  };
}

function deliver(
  message: RehearsedMessage,
  { surroundings, tell, settle }: Performing,
  sent: Outcome['outcome'],
): Outcome {
  tell(message);
  const { key } = message;
  const place = placeOf(message.target);
  const nowhere = leadsNowhere(message.target, surroundings.configuration);
  const failing = surroundings.failures.find(
    ({ target, from, to }) => target.toLowerCase() === place && from <= message.at && message.at < to,
  );
  const reason = nowhere ?? (failing ? `${failing.target} fails in this rehearsal` : null);
  return {
    afterMs: surroundings.latencyMs,
    outcome(at) {
      settle(key, reason === null ? 'sent' : 'failed', reason);
      return reason === null ? sent(at) : { type: 'move_failed', at, key, reason };
    },
  };
}

/** Why the message could not be sent anywhere, as activities/notify/destination.ts finds out; null: it could. */
function leadsNowhere(target: NotifyTarget, { directory, slack }: Configuration): string | null {
  const channel = carriedBy(target);
  if (channel !== null && !directory.channels.has(channel)) {
    return `there is no notification channel '${channel}'`;
  }
  if (target.type !== 'contact' || target.method.type !== 'slack') return null;
  const { email, method } = target;
  if (!slack.bots.has(method.channel))
    return `the channel '${method.channel}' has no bot that could write to ${email}`;
  return slack.people.has(email.toLowerCase()) ? null : `it is not known who ${email} is in Slack`;
}

function carriedBy(target: NotifyTarget): string | null {
  if (target.type === 'channel') return target.name;
  if (target.type !== 'contact' || target.method.type === 'email') return null;
  return target.method.type === 'slack' ? target.method.channel : target.method.name;
}

/** What a failure names: a mail address, or the channel that carries it. */
function placeOf(target: NotifyTarget): string {
  const slack = target.type === 'contact' && target.method.type === 'slack' ? target.method.channel : null;
  return (slack ?? destinationName(target)).toLowerCase();
}

/** The mail address of the person whom it is for; null: a channel, an address or a schedule. */
export function targetPerson(target: NotifyTarget): string | null {
  if (target.type === 'contact' || target.type === 'user') return target.email.toLowerCase();
  return null;
}

/** Where it went, as the timeline tells everybody: a person's own address is theirs. */
function toldName(target: NotifyTarget): string {
  const person = targetPerson(target);
  const mail = target.type === 'contact' && target.method.type === 'email';
  const destination = destinationName(target);
  return mail ? publicDestination({ channel: 'email', destination, person }) : destination;
}

/** Where it goes, in words. */
export function destinationName(target: NotifyTarget): string {
  if (target.type !== 'contact') return targetName(target);
  const { method, email } = target;
  if (method.type === 'email') return method.address ?? email;
  return method.type === 'slack' ? `${email} (${methodName(method)})` : method.name;
}
