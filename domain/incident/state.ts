import type { ResolvedTarget } from '../escalation/resolve.ts';
import type { IncidentStatus } from '../incident-status.ts';
import type { NotificationCause, NotificationType, NotifyTarget, Quiet } from '../notification.ts';
import type { NotificationTrigger } from '../notification-rules/rule.ts';
import type { EscalationPolicy } from '../policies.ts';
import type { RunbookMode } from '../runbook/definition.ts';
import type { Severity } from '../severity.ts';
import type { SlaClock, SlaTimes } from '../sla/clock.ts';

/** Everything that an incident's workflow knows. Times are epoch milliseconds; the whole is carried by JSON. */
export interface IncidentState {
  number: number;
  title: string;
  service: string | null;
  severity: Severity;
  status: IncidentStatus;
  openedAt: number;
  /** From where escalation counts: the opening, moved by a reopening, a new round, snoozes and silences. */
  escalationFrom: number;
  /** 1, and one more with each reopening. */
  openings: number;
  /** 1, and one more each time that escalation begins anew without a reopening: its pages have other keys. */
  rounds: number;
  /** What escalation began with, as messages tell why they were sent. */
  began: { event: string; at: number; seq: number | null };
  /** Number of the last reopening, or taking back of an acknowledgement: what people saw before it is out of date. */
  renewedSeq: number;
  acknowledged: { at: number; by: string } | null;
  assignedTo: string | null;
  /** The last time that a person did something, or an alert changed; and when its quiet was last reminded of. */
  activity: { at: number; remindedAt: number | null };
  snoozedUntil: number | null;
  /** Null: not known. */
  snoozedBy: string | null;
  /** Every alert that fires is silenced; `names`: by what; `fromTheStart`: since it opened, so that nobody knows of it. */
  silence: { until: number; names: string[]; fromTheStart?: true } | null;
  /** The end of the last snooze or silence, and its number in the story. */
  quietEnded: { at: number; seq: number } | null;
  /** What has moved the levels of this round, the last few. */
  heldBack: Quiet[];
  resolved: { at: number; by: string } | null;
  alertCount: number;
  firingCount: number;
  feedSeq: number;
  feedUnread: boolean;
  plan: IncidentPlan | null;
  clocks: SlaClock[];
  /** What became of each page of this opening, by the key of its move. */
  pages: Record<string, IncidentPage>;
  /** Whom the levels of this round reach whose time has come, by the key of the move that asked. */
  levels: Record<string, ReachedLevel>;
  /** Owners and admins know that a level reaches nobody: once per incident. */
  nobodyTold: boolean;
  /** Who asked for the policy as it is now; applied by the next reading of the feed. */
  reapplying: { by: string } | null;
  evidence: { gathered: number; nextAt: number | null };
  analysis: AnalysisTimes;
  cause: IncidentCause | null;
  /** Ids of the related changes that were told. */
  changesTold: number[];
  /** Every one that was asked for, in order. */
  regroupings: Regrouping[];
  /** The number of the incident that has all of its alerts now. */
  mergedInto: number | null;
  /** While its alerts flap and none fires: when it counts as over. `told` once; `ending`: the feed is read for it. */
  lull: { until: number | null; told: boolean; ending?: boolean };
  runbooks: Record<string, MatchedRunbook>;
  /** Notices that are owed to people, beside escalation. */
  notices: Notice[];
  /** What rules of notification are to be asked about. */
  announcements: Announcement[];
  /** Moves that have begun and whose outcome is not folded in yet. */
  inFlight: string[];
  /** Number of the last event that people can read of, and what of it is not recorded yet. */
  seq: number;
  recordedSeq: number;
  outbox: TimelineEntry[];
  deadlinesRecorded: string;
  closed: boolean;
}

/** What an incident goes by, frozen when it opens. */
export interface IncidentPlan {
  escalation: { name: string; policy: EscalationPolicy };
  sla: SlaTimes | null;
  reopenWindowMs: number;
  /** Who a level reaches is asked when its time comes; absent in what was read before that could be asked. */
  resolves?: true;
  /** Which alerts its messages are about, for the limits of destinations. */
  pattern?: string;
  /** What rules of notification and channels that follow an incident wait for: those are announced. */
  announces?: AnnouncedTrigger[];
}

export interface MatchedRunbook {
  mode: RunbookMode;
  /** When its alert has fired long enough. */
  dueAt: number;
  alertId: number;
  /** Named before it is started. */
  executionId: string | null;
  /** `due` until it is started, then what its execution last reported. */
  status: string;
}

export interface Notice {
  key: string;
  type: NotificationType;
  target: NotifyTarget;
  detail: Record<string, string | number | boolean | null>;
  cause?: NotificationCause;
  dueAt?: number;
}

export interface IncidentPage {
  target: NotifyTarget;
  /** `started`: on its way; what a new run of the workflow finds so is begun again. */
  status: 'started' | 'sent' | 'skipped' | 'failed';
  /** Why it failed. */
  reason?: string;
}

/** A level whose time has come. */
export interface ReachedLevel {
  dueAt: number;
  /** When it was asked whom it reaches, counted from `escalationFrom`, so that a snooze moves what is left of it. */
  reachedAfterMs: number;
  /** None any more when all of its pages are done: the state, which each new run carries, stays small. */
  targets: ResolvedTarget[];
  /** It came to nothing, counted as above: the next level follows at once. */
  unreachedAfterMs?: number;
}

/** What is announced: beside what rules can wait for, the notes that PagerDuty is given. */
export type AnnouncedTrigger = NotificationTrigger | 'incident.noted';

/** Something happened that rules wait for; `occurrence`: which time it is. */
export interface Announcement {
  trigger: AnnouncedTrigger;
  occurrence: string;
  at: number;
}

/** When the evidence is analysed: `number` counts the analyses that have begun, and so names the next one. */
export interface AnalysisTimes {
  /** False until the feed says that there is something that analyses: what began before there was goes on without. */
  on: boolean;
  number: number;
  lastAt: number | null;
  nextAt: number | null;
  /** Further ones by the clock, the next one first. */
  later: number[];
  /** How many have failed in a row. */
  failed: number;
}

/** Where an incident comes from, as far as it is said: by Holdfast, or by a person, whose word stays. */
export interface IncidentCause {
  service: string;
  /** 0 to 1; a person's word is 1. */
  confidence: number;
  /** Null: Holdfast's own ranking. */
  by: string | null;
}

/** Alerts that move into another incident, because a person or the correlation says that they belong there. */
export interface Regrouping {
  /** Null: all of them, which ends this incident. None any more when there is an outcome. */
  alertIds: number[] | null;
  /** Number of the incident; null: a new one. */
  into: number | null;
  by: string;
  /** Null: a person's act, which needs none. */
  reason: string | null;
  /** Null: under way. */
  outcome: { into: number } | { refused: string } | null;
}

/** A line of the story, and the audit entry that goes with what a person did. */
export interface TimelineEntry {
  seq: number;
  at: number;
  kind: string;
  actor: string;
  summary: string;
  data: Record<string, string | number | boolean | null>;
  /** The action for the audit log, when a person acted. */
  audit: string | null;
}

/** An incident before its workflow has read anything. */
export function newIncidentState(number: number, now: number): IncidentState {
  return {
    number,
    title: '',
    service: null,
    severity: 'info',
    status: 'created',
    openedAt: now,
    escalationFrom: now,
    openings: 1,
    rounds: 1,
    began: { event: 'incident.opened', at: now, seq: null },
    renewedSeq: 0,
    acknowledged: null,
    assignedTo: null,
    activity: { at: now, remindedAt: null },
    snoozedUntil: null,
    snoozedBy: null,
    silence: null,
    quietEnded: null,
    heldBack: [],
    resolved: null,
    alertCount: 0,
    firingCount: 0,
    feedSeq: 0,
    feedUnread: true,
    plan: null,
    clocks: [],
    pages: {},
    levels: {},
    nobodyTold: false,
    reapplying: null,
    evidence: { gathered: 0, nextAt: null },
    analysis: { on: false, number: 0, lastAt: null, nextAt: null, later: [], failed: 0 },
    cause: null,
    changesTold: [],
    regroupings: [],
    mergedInto: null,
    lull: { until: null, told: false },
    runbooks: {},
    notices: [],
    announcements: [],
    inFlight: [],
    seq: 0,
    recordedSeq: 0,
    outbox: [],
    deadlinesRecorded: '[]',
    closed: false,
  };
}

/** Whether anybody still has to be woken: not after an acknowledgement or a resolve. */
export function escalationStopped(state: IncidentState): boolean {
  return state.acknowledged !== null || state.resolved !== null || state.closed;
}

export const isAnalysis = (key: string): boolean => key.startsWith('analysis:');

/**
 * The state that a new run of the workflow begins with. What was in flight is begun again: every effect carries
 * a key, so that what had been done meanwhile is not done twice.
 */
export function carryOver(state: IncidentState): IncidentState {
  const runbooks = Object.entries(state.runbooks).map(([name, matched]) =>
    matched.status === 'withdrawing' ? [name, { ...matched, status: 'waiting' }] : [name, matched],
  );
  // one that was under way is due again: it has no effect whose key would be asked for
  const analysis = state.inFlight.some(isAnalysis)
    ? { ...state.analysis, nextAt: state.analysis.lastAt }
    : state.analysis;
  return { ...state, inFlight: [], feedUnread: true, analysis, runbooks: Object.fromEntries(runbooks) };
}
