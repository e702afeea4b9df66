import type { IncidentStatus } from '../incident-status.ts';
import type { NotifyTarget } from '../notification.ts';
import type { RunbookMode } from '../runbook/definition.ts';
import type { SlaClock } from '../sla/clock.ts';
import { pageTargetOf } from './page-key.ts';
import { reopen } from './resolution.ts';
import type { IncidentCause, IncidentState, MatchedRunbook } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * What is recorded of an incident whose workflow begins anew because Temporal has lost it: without it, people would be
 * paged again for what they have acknowledged, and runbooks would run again. Times are epoch milliseconds.
 */
export interface RestoredIncident {
  /** The number of the last event that was recorded. */
  seq: number;
  status: IncidentStatus;
  acknowledged: { at: number; by: string } | null;
  assignedTo: string | null;
  snoozedUntil: number | null;
  /** Null: not silenced. */
  silencedUntil?: number | null;
  /** The last opening or round, moved by the snoozes and silences since. */
  escalationFrom: number;
  resolved: { at: number; by: string } | null;
  /** An alert that came after that fires. */
  firesSinceResolved: boolean;
  clocks: SlaClock[];
  cause: IncidentCause | null;
  mergedInto: number | null;
  openings: number;
  /** 1, and one more each time that escalation began anew without a reopening. */
  rounds?: number;
  /** Number of the last reopening or taking back of an acknowledgement. */
  renewedSeq?: number;
  /** Keys of the pages that were sent, also with others in one message. */
  pages: string[];
  /** Whom those of them told that were for a person. */
  people?: Record<string, NotifyTarget>;
  /** What was started for it, the latest of each runbook. */
  executions: { runbook: string; mode: RunbookMode; executionId: string; status: string }[];
  changesTold: number[];
  /** The number that the next one takes. */
  regroupings: number;
}

/** The state goes on from the record; what people said of the new workflow meanwhile comes after it. */
export function restore(state: IncidentState, restored: RestoredIncident, at: number): IncidentState {
  // written by this workflow itself before its first reading came through: it knows all of it
  if (restored.seq <= state.recordedSeq) return state;
  const { seq, openings, changesTold, cause, mergedInto, clocks, silencedUntil = null } = restored;
  const pages = restored.pages.flatMap((key) => {
    const target = restored.people?.[key] ?? pageTargetOf(state, key);
    return target ? [[key, { target, status: 'sent' }] as const] : [];
  });
  const runbooks = restored.executions.map(({ runbook, ...execution }): [string, MatchedRunbook] => [
    runbook,
    { ...execution, dueAt: at, alertId: 0 },
  ]);
  const settled = { alertIds: [], into: null, by: holdfast, reason: null, outcome: { refused: 'of before' } };
  const next: IncidentState = {
    ...state,
    seq: state.seq + seq,
    recordedSeq: seq,
    outbox: state.outbox.map((entry) => ({ ...entry, seq: entry.seq + seq })),
    status: state.resolved ? state.status : restored.status,
    acknowledged: state.acknowledged ?? restored.acknowledged,
    assignedTo: state.assignedTo ?? restored.assignedTo,
    snoozedUntil: state.snoozedUntil ?? restored.snoozedUntil,
    resolved: state.resolved ?? restored.resolved,
    clocks,
    cause,
    mergedInto,
    openings,
    rounds: restored.rounds ?? 1,
    renewedSeq: restored.renewedSeq ?? 0,
    // why, the reading that brings this says itself
    silence: silencedUntil === null ? null : { until: silencedUntil, names: [] },
    escalationFrom: restored.escalationFrom,
    pages: { ...Object.fromEntries(pages), ...state.pages },
    runbooks: { ...Object.fromEntries(runbooks), ...state.runbooks },
    changesTold,
    // their keys are taken
    regroupings: [...Array.from({ length: restored.regroupings }, () => settled), ...state.regroupings],
  };
  const summary = 'Temporal had lost its workflow: it goes on from what is recorded';
  const told = tell(next, at, 'restored', holdfast, summary);
  // whoever has resolved it now meant what fires now
  const firesAgain = restored.firesSinceResolved && !state.resolved;
  return firesAgain && told.status === 'resolved' && mergedInto === null ? reopen(told, at) : told;
}
