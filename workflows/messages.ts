import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BreachReason } from '../domain/breach-reasons.ts';
import type { ChangeVerdict } from '../domain/changes/change.ts';
import type { ContactMethod } from '../domain/contact-rules.ts';
import type { IncidentStatus } from '../domain/incident-status.ts';
import type { NotificationType, PreviewType } from '../domain/notification.ts';
import type { ToldTogether } from '../domain/notification-limits.ts';
import type { ReportSpan } from '../domain/reports/period.ts';
import type { Role } from '../domain/roles.ts';
import type { SlaClock } from '../domain/sla/clock.ts';
import type { Slo } from '../domain/slo/slo.ts';

/**
 * What clients and workflows say to each other: names, ids, inputs. Clients import this file alone.
 * Ids and search attributes are readable by everyone who can see Temporal: no personal data in them.
 */

export const taskQueue = 'holdfast';
/** Alerts have a queue of their own, so that a storm of them never stands before a page or an approval. */
export const alertTaskQueue = 'holdfast-alerts';
/** Messages to people have a queue of their own, so that none waits behind the analyses of a storm. */
export const notificationTaskQueue = 'holdfast-notifications';

/** What a runner polls: its own queue and nothing else. */
export const runnerTaskQueue = (orgId: string, name: string): string => `holdfast-runner-${orgId}-${name}`;

export const alertWorkflowId = (orgId: string, alertId: number): string => `alert:${orgId}:${alertId}`;
export const incidentWorkflowId = (orgId: string, number: number): string => `incident:${orgId}:${number}`;
export const executionWorkflowId = (orgId: string, executionId: string): string =>
  `execution:${orgId}:${executionId}`;

/** Workflow types, as registered in workflows/index.ts and shown in the Temporal UI. */
export const workflowTypes = {
  alert: 'alert',
  incident: 'incident',
  execution: 'execution',
  slaReport: 'slaReport',
  capacityReport: 'capacityReport',
  gitSync: 'gitSync',
  calendarSync: 'calendarSync',
  sloEvaluation: 'sloEvaluation',
  sloPreview: 'sloPreview',
  dryRun: 'dryRun',
  contactTest: 'contactTest',
  handoffs: 'handoffs',
  readiness: 'readiness',
  chatSummary: 'chatSummary',
  consolidation: 'consolidation',
  channelTest: 'channelTest',
  channelPreview: 'channelPreview',
  channelProbe: 'channelProbe',
} as const;

export const searchAttributeNames = {
  org: 'HoldfastOrg',
  incident: 'HoldfastIncident',
  service: 'HoldfastService',
  severity: 'HoldfastSeverity',
} as const;

/** As they are registered with the server: a value of another type is refused there. */
export const searchAttributeTypes = {
  [searchAttributeNames.org]: 'Keyword',
  [searchAttributeNames.incident]: 'Int',
  [searchAttributeNames.service]: 'Keyword',
  [searchAttributeNames.severity]: 'Keyword',
} as const;

// ---- alert ----

export interface AlertInput {
  orgId: string;
  alertId: number;
}
/** 'Read your row': carries nothing, so that a lost, repeated or late one does no harm. */
export const alertChanged = defineSignal('alert-changed');

// ---- incident ----

export interface IncidentInput {
  orgId: string;
  incidentId: string;
  number: number;
}
/** 'Read your change feed.' */
export const feedUnread = defineSignal('feed-unread');
/** An execution that this incident started has come to its end (or was refused). */
export const executionReported = defineSignal<[ExecutionReport]>('execution-reported');

export interface ExecutionReport {
  executionId: string;
  runbook: string;
  status: string;
  reason?: string;
}

/** Who acts: a mail address or a name, and the way it came. */
export interface Actor {
  name: string;
  via: 'page' | 'mail' | 'api' | 'slack' | 'teams' | 'pagerduty' | 'temporal' | 'holdfast';
  /** Of a known user, on what the message is about: what an approval may ask for. */
  role?: Role;
  /** Slugs of the user's teams. */
  teams?: string[];
}

/** In whose name stands what was done with the Temporal CLI or UI. */
export const temporalOperator = 'Temporal operator';

/** What an update answers once its record can be read in the database. */
export interface Accepted {
  /** The incident's or execution's event number under which it was recorded. */
  seq: number;
  status: string;
}

/** What somebody had before their eyes: of what has begun anew since, it is refused. Absent: taken as up to date. */
export interface Seen {
  /** Of the incident: 1, and one more with each reopening. */
  opening?: number;
  /** `recordedSeq` of the incident. */
  asOf?: number;
}
export const acknowledge = defineUpdate<Accepted, [Seen & { actor: Actor; note?: string }]>('acknowledge');
export const resolve = defineUpdate<
  Accepted,
  [Seen & { actor: Actor; note?: string; falsePositive?: boolean }]
>('resolve');
export const assign = defineUpdate<Accepted, [{ actor: Actor; to: string }]>('assign');
export const addNote = defineUpdate<Accepted, [{ actor: Actor; text: string }]>('note');
/** Silences escalation until `until` (ISO 8601). */
export const snooze = defineUpdate<Accepted, [Seen & { actor: Actor; until: string }]>('snooze');
/** Escalation goes by the policies as they are now; answers once that is so. */
export const reapplyPolicy = defineUpdate<Accepted, [{ actor: Actor }]>('reapply-policy');
export const setStatus = defineUpdate<Accepted, [{ actor: Actor; status: IncidentStatus }]>('set-status');
/**
 * Moves alerts of this incident into another one (`into`: its number; null: a new one). Without `alertIds` all of
 * them go, which ends this incident: it is merged into the other.
 */
export interface RegroupArgs {
  actor: Actor;
  alertIds: number[] | null;
  into: number | null;
}
/** `into` is the incident that has the alerts now. */
export type Regrouped = Accepted & { into: number };
/** Answers once the alerts are where they belong. */
export const regroup = defineUpdate<Regrouped, [RegroupArgs]>('regroup');
export interface CauseJudgement {
  actor: Actor;
  service: string;
}
/** 'The cause is this service': confirms Holdfast's ranking, or corrects it. */
export const judgeCause = defineUpdate<Accepted, [CauseJudgement]>('judge-cause');
export interface ChangeJudgement {
  actor: Actor;
  changeId: number;
  verdict: ChangeVerdict;
}
/** Whether a change was behind the incident. */
export const judgeChange = defineUpdate<Accepted, [ChangeJudgement]>('judge-change');

export interface BreachExplained {
  actor: Actor;
  clock: SlaClock['kind'];
  reason: BreachReason;
  note: string | null;
}
/** Why a promise was not kept: of a clock that is breached. */
export const explainBreach = defineUpdate<Accepted, [BreachExplained]>('explain-breach');

// ---- execution ----

export interface ExecutionInput {
  orgId: string;
  executionId: string;
}
export interface VoteArgs {
  actor: Actor;
  /** Absent: whichever approval is pending. */
  approvalId?: string;
  reason?: string;
}
export const approve = defineUpdate<Accepted, [VoteArgs]>('approve');
export const reject = defineUpdate<Accepted, [VoteArgs]>('reject');
/** Of an undo that failed as often as it is tried: try it again, or leave it undone for a reason. `index` from 0. */
export interface UndoDecisionArgs {
  actor: Actor;
  index: number;
  decision: 'retry' | 'skip';
  reason?: string;
}
export const decideUndo = defineUpdate<Accepted, [UndoDecisionArgs]>('decide-undo');
/** The target is free, and this execution is the next in its queue: carries nothing, asking again is harmless. */
export const targetFreed = defineSignal('target-freed');
export const cancelExecution = defineUpdate<Accepted, [{ actor: Actor; reason?: string }]>('cancel');
/** From the Temporal CLI or UI: one vote of 'Temporal operator'. */
export const approveSignal = defineSignal<[{ reason?: string }?]>('approve');
export const rejectSignal = defineSignal<[{ reason?: string }?]>('reject');
/** The incident was resolved: an approval that is still pending is withdrawn; a running execution goes on. */
export const incidentResolved = defineSignal('incident-resolved');

// ---- reports ----

export interface ReportInput {
  orgId: string;
  requestedBy: string;
  /** Of the SLA report; absent: a week, as it was asked for before there were months and teams. */
  span?: ReportSpan;
  /** Of one team alone. */
  teamId?: string;
}

// ---- objectives ----

export interface SloEvaluationInput {
  orgId: string;
}

/** `definition` was checked by whoever asks. */
export interface SloPreviewInput {
  orgId: string;
  definition: Slo;
}

// ---- calendars of on-call schedules ----

/** Of the schedule and, with the time that it was due, of the workflows that it starts. */
export const calendarSyncId = (orgId: string): string => `calendar-sync:${orgId}`;

export interface CalendarSyncInput {
  orgId: string;
}

// ---- Git sources ----

/** Of the schedule and, with the time that it was due, of the workflows that it starts. */
export const gitSyncId = (orgId: string, sourceId: string): string => `git-sync:${orgId}:${sourceId}`;

export interface GitSyncInput {
  orgId: string;
  sourceId: string;
}

/** The author of a commit that was not taken over is told of it once. */
export const importRefusedKey = (sourceId: string, commit: string): string =>
  `git-import-refused:${sourceId}:${commit}`;

// ---- chat ----

/** Of one organization: what its channels of chat are told of a day or a week. */
export interface ChatSummaryInput {
  orgId: string;
  span: 'day' | 'week';
}

/** `until` is ISO 8601: one message for each channel and moment, however often it is asked for. */
export const chatSummaryKey = (summary: ChatSummaryInput & { until: string; channel: string }): string =>
  `chat-summary:${summary.orgId}:${summary.span}:${summary.until}:${summary.channel}`;

// ---- on call ----

/** Of one organization: handoffs that are due, or the weekly look at what could keep pages from reaching somebody. */
export interface DutyInput {
  orgId: string;
}

/** `at` is ISO 8601. One message for each person and handoff, however often it is looked for. */
export const handoffKey = (handoff: {
  orgId: string;
  schedule: string;
  at: string;
  userId: string;
  direction: 'on' | 'off';
}): string =>
  `handoff:${handoff.orgId}:${handoff.schedule}:${handoff.at}:${handoff.userId}:${handoff.direction}`;

/** `day` as '2026-11-23'. */
export const readinessKey = (notice: {
  orgId: string;
  day: string;
  userId: string;
  teamId: string | null;
}): string => `readiness:${notice.orgId}:${notice.day}:${notice.userId}:${notice.teamId ?? 'all'}`;

/** Of the contact rules of one person, each way once. */
export interface ContactTestInput {
  orgId: string;
  /** Root of the keys of its messages. */
  key: string;
  /** The address that the person signs in with. */
  email: string;
  methods: ContactMethod[];
  requestedBy: string;
}

export const contactTestKey = (key: string, index: number): string => `${key}:${index}`;

// ---- messages to people ----

/** What is told together in one message, because there was too much of it: see domain/notification-limits.ts. */
export interface Consolidation extends ToldTogether {
  orgId: string;
  /** Id of the message in the log. */
  limit: number;
  /** The message's key. */
  key: string;
  pattern: string;
  /** ISO 8601: when it stops counting on. */
  ends: string;
}

export interface ChannelTestInput {
  orgId: string;
  /** Of the message. */
  key: string;
  /** Name of the notification channel. */
  channel: string;
  /** Mail address. */
  requestedBy: string;
}
/** `reason` is for people. */
export type ChannelTestOutcome = { ok: true; destination: string } | { ok: false; reason: string };

export interface ChannelPreviewInput {
  orgId: string;
  channel: string;
  /** About the newest incident as it stands; where there is none, the test message is shown. */
  type: PreviewType;
}
export type ChannelPreviewOutcome =
  | { ok: true; type: NotificationType; text: string }
  | { ok: false; reason: string };

export interface ChannelProbeInput {
  orgId: string;
  channel: string;
}
/** `response`: what the other side says, for people. */
export type ChannelProbeOutcome = { ok: true; response: string } | { ok: false; reason: string };

export const consolidationWorkflowId = (orgId: string, limit: number): string =>
  `consolidation:${orgId}:${limit}`;

/** ApplicationFailure type of a refused update: the message says why, for the person who asked. */
export const refusedType = 'Refused';
