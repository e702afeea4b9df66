import type { ContactMethod } from './contact-rules.ts';
import type { ScheduleEntry } from './escalation/resolve.ts';
import type { EscalationTarget } from './policies.ts';
import type { Severity } from './severity.ts';

/** What a message is about; the same words are the outgoing webhook's `type`. */
export const notificationTypes = [
  'alert.received',
  'escalation.page',
  'escalation.reminder',
  'escalation.restarted',
  'incident.opened',
  'incident.root_cause_found',
  'incident.acknowledged',
  'incident.resolved',
  'incident.noted',
  'sla.at_risk',
  'sla.breached',
  'approval.needed',
  'execution.succeeded',
  'execution.failed',
  'execution.rolled_back',
  'execution.rollback_failed',
  'execution.refused',
  'execution.undo_failed',
  'execution.runner_missing',
  'execution.message',
  'runbook.import_refused',
  'oncall.nobody',
  'oncall.handoff',
  'oncall.readiness',
  'forecast',
  'notifications.consolidated',
  'channel.test',
  'contact.test',
  'chat.summary',
  'report.sla',
  'report.capacity',
] as const;
export type NotificationType = (typeof notificationTypes)[number];

/** Of no use to anybody once the incident is over. */
export const endWithIncident: readonly NotificationType[] = [
  'alert.received',
  'escalation.page',
  'escalation.reminder',
  'escalation.restarted',
  'incident.root_cause_found',
  'oncall.nobody',
  'sla.at_risk',
];
/** Nor while somebody has the incident, or has put it off. */
export const endInHand: readonly NotificationType[] = ['escalation.page'];

/** What can be shown of a channel before it is needed. */
export const previewTypes = [
  'channel.test',
  'escalation.page',
  'incident.opened',
  'incident.acknowledged',
  'incident.resolved',
] as const satisfies readonly NotificationType[];
export type PreviewType = (typeof previewTypes)[number];

/** A person, by one of the ways in which they want to be reached. */
export interface ContactTarget {
  type: 'contact';
  /** The address that they sign in with. */
  email: string;
  method: ContactMethod;
}
export type NotifyTarget = EscalationTarget | ContactTarget;

/** Nobody was woken until then (ISO 8601): somebody snoozed, or silences caught all that fired. */
export type Quiet =
  | { kind: 'snooze'; until: string; by?: string }
  | { kind: 'silence'; until: string; names: string[] };

/** Why a message is sent, as the workflow that sends it knows it: 'why was I paged?' */
export interface NotificationCause {
  /** What happened, such as 'incident.opened', and when (ISO 8601). */
  event: string;
  at: string;
  /** Number of the incident's event, as its timeline has it. */
  seq?: number;
  /** Escalation: `level`, `pass` and `round` (one more each time that it begins anew) from 1. */
  policy?: string;
  level?: number;
  pass?: number;
  round?: number;
  /** When the level came due, ISO 8601: a later step of contact rules is due after that. */
  levelDueAt?: string;
  /** Of the person's contact rules, from 1. */
  step?: number;
  /** By which of their ways a person is told, as `methodKey` names it. */
  method?: string;
  entry?: ScheduleEntry;
  /** What moved the level since escalation began: the last few, in the order in which they ended. */
  held?: Quiet[];
  rule?: { name: string; reasons: string[] };
  /** What was tried before and failed, for people. */
  instead?: string;
}

/**
 * One message to one target. What it says is read from the database by the ids at the time of sending;
 * `detail` adds what stands in no row. Keys that messages show, all optional:
 * - escalation.page: `level` and `levels` (numbers from 1), `pass` (from 1), `nextAt` (ISO 8601), `nextWhat`; `opening`
 *   of the incident (from 1), and `since`, the number of its event with which that began, an acknowledgement was taken
 *   back, or a snooze or silence ended: what is recorded before it is out of date
 * - of a rule: `rule`, its name, and `note`, its line above the message; `follows`: it brings a message that is there up to
 *   date, and says nothing where the same was said already
 * - alert.received: `alert`, the name of the alert
 * - incident.noted, which goes to PagerDuty alone: `seq`, the number of the incident's event that is the note
 * - escalation.reminder, escalation.restarted: `quietFor` (milliseconds)
 * - oncall.nobody: `reason`, for people
 * - oncall.handoff: `schedule`, `at` (ISO 8601), `direction` ('on' or 'off') of the person whom it goes to
 * - oncall.readiness: `teamId`, whose schedules it is about; without it all of the organization
 * - sla.at_risk, sla.breached: `kind` ('acknowledge' or 'resolve')
 * - execution.*: `reason`; execution.undo_failed: `step` (from 1); execution.runner_missing: `runner`;
 *   execution.message: `message`, what a step of the runbook tells
 * - contact.test, channel.test: `requestedBy`, the mail address of who asked for it
 * - forecast: `message`, one sentence; `path` of the page that shows more, such as '/reports'
 * - notifications.consolidated: `limit`, the id of what is counted; `ends` (ISO 8601), the end of the hour; `over`, that
 *   all of it is over, for whoever is paged by it
 * - report.*: `reportId`, the row of `reports` that is sent
 * - of any type, where a rule of notification calls for it: `rule`, its name; `note`, its own text
 */
export interface NotifyInput {
  orgId: string;
  /** Minted once per message: the ledger's key, the webhook's idempotency key, the root of the Message-ID. */
  key: string;
  type: NotificationType;
  incidentId?: string;
  executionId?: string;
  approvalId?: string;
  target: NotifyTarget;
  detail: Record<string, string | number | boolean | null>;
  cause?: NotificationCause;
  /** When it was due, epoch milliseconds: what the log counts its latency from. */
  dueAt?: number;
  /** Which alerts it is about: beyond a limit, messages of one pattern to one destination become one. */
  pattern?: string;
  severity?: Severity;
}

/**
 * `skipped`: nothing was sent, because by then there was nothing to say; `reason` is for people. `held`: not yet, and
 * whoever asked for it sends it again when nobody is to be left alone any more.
 */
export type NotifyOutcome =
  | { status: 'sent'; destination: string }
  | { status: 'skipped'; destination: string; reason: string; held?: true };

/** Of a message in the log. `started`: handed to the channel, outcome not known yet. */
export type NotificationStatus = 'started' | 'sent' | 'failed' | 'skipped';
