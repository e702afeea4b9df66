import type { IncidentStatus } from '../incident-status.ts';
import type { EscalationPolicy, EscalationTarget } from '../policies.ts';
import type { RunbookMode } from '../runbook/definition.ts';
import type { Severity } from '../severity.ts';
import type { SlaClock, SlaTimes } from '../sla.ts';

/** Everything that an incident's workflow knows. Times are epoch milliseconds; the whole is carried by JSON. */
export interface IncidentState {
  number: number;
  title: string;
  service: string | null;
  severity: Severity;
  status: IncidentStatus;
  openedAt: number;
  /** From where escalation counts: the opening, moved by a reopening and by snoozes. */
  escalationFrom: number;
  /** 1, and one more with each reopening. */
  openings: number;
  acknowledged: { at: number; by: string } | null;
  assignedTo: string | null;
  snoozedUntil: number | null;
  resolved: { at: number; by: string } | null;
  alertCount: number;
  firingCount: number;
  feedSeq: number;
  feedUnread: boolean;
  plan: IncidentPlan | null;
  clocks: SlaClock[];
  /** What became of each page of this opening, by the key of its move. */
  pages: Record<string, { target: EscalationTarget; status: 'sent' | 'skipped' | 'failed' }>;
  evidence: { gathered: number; nextAt: number | null };
  runbooks: Record<string, MatchedRunbook>;
  /** Notices that are owed to people, beside escalation. */
  notices: Notice[];
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
  type: 'sla.at_risk' | 'sla.breached' | 'incident.resolved';
  target: EscalationTarget;
  detail: Record<string, string | number | boolean | null>;
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
    acknowledged: null,
    assignedTo: null,
    snoozedUntil: null,
    resolved: null,
    alertCount: 0,
    firingCount: 0,
    feedSeq: 0,
    feedUnread: true,
    plan: null,
    clocks: [],
    pages: {},
    evidence: { gathered: 0, nextAt: null },
    runbooks: {},
    notices: [],
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

/**
 * The state that a new run of the workflow begins with. What was in flight is begun again: every effect carries
 * a key, so that what had been done meanwhile is not done twice.
 */
export function carryOver(state: IncidentState): IncidentState {
  const runbooks = Object.entries(state.runbooks).map(([name, matched]) =>
    matched.status === 'withdrawing' ? [name, { ...matched, status: 'waiting' }] : [name, matched],
  );
  return { ...state, inFlight: [], feedUnread: true, runbooks: Object.fromEntries(runbooks) };
}
