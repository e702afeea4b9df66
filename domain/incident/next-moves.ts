import { formatDuration } from '../duration.ts';
import { escalationPages, targetName } from '../escalation/pages.ts';
import type { Deadline } from '../incident-status.ts';
import type { EscalationTarget } from '../policies.ts';
import { nextClockChange, runningMs, undecided } from '../sla.ts';
import { analysisKey, nextAnalysisAt } from './analysis-times.ts';
import { pageKey } from './page-key.ts';
import { regroupingKey } from './regrouping.ts';
import { escalationStopped, type IncidentState, type Notice, type Regrouping } from './state.ts';

/** What the workflow begins next. `key` names the effect: the same key is never in flight twice. */
export type IncidentMove =
  | { kind: 'read_feed'; key: 'feed'; afterSeq: number }
  | { kind: 'gather_evidence'; key: string }
  | { kind: 'analyse'; key: string }
  | { kind: 'regroup'; key: string; regrouping: Regrouping }
  | { kind: 'page'; key: string; target: EscalationTarget; detail: Notice['detail'] }
  | { kind: 'notice'; key: string; notice: Notice }
  | { kind: 'start_execution'; key: string; runbook: string; alertId: number; executionId: string | null }
  | { kind: 'withdraw'; key: string; executionId: string }
  | { kind: 'record'; key: 'record'; deadlines: Deadline[] }
  | { kind: 'close'; key: 'close'; afterSeq: number };

export interface Decision {
  moves: IncidentMove[];
  /** When there is something to decide again, if nothing happens before; null: only an event can tell. */
  wakeAt: number | null;
}

/** What is due at `now`, and until when nothing else is. Pure: escalation, SLA and closing are decided here. */
export function nextMoves(state: IncidentState, now: number): Decision {
  const moves: IncidentMove[] = [];
  const times: number[] = [];
  const begin = (move: IncidentMove) => {
    if (!state.inFlight.includes(move.key)) moves.push(move);
  };
  if (state.closed) {
    // a note that came while it was being closed is still recorded: its writer waits for that
    if (state.outbox.length > 0) begin({ kind: 'record', key: 'record', deadlines: [] });
    return { moves, wakeAt: null };
  }

  if (state.feedUnread) begin({ kind: 'read_feed', key: 'feed', afterSeq: state.feedSeq });
  decidePages(state, now, begin, times);
  for (const notice of state.notices) begin({ kind: 'notice', key: notice.key, notice });
  decideEvidence(state, now, begin, times);
  for (const [index, regrouping] of state.regroupings.entries()) {
    if (regrouping.outcome === null) begin({ kind: 'regroup', key: regroupingKey(index), regrouping });
  }
  const analysisAt = nextAnalysisAt(state);
  if (analysisAt !== null) {
    if (analysisAt <= now) begin({ kind: 'analyse', key: analysisKey(state.analysis.number) });
    else times.push(analysisAt);
  }
  decideRunbooks(state, now, begin, times);
  for (const clock of state.clocks) {
    const change = nextClockChange(clock, now);
    if (change !== null && !state.resolved) times.push(change);
  }
  if (state.snoozedUntil !== null) times.push(state.snoozedUntil);
  if (state.lull.until !== null && !state.lull.ending) times.push(state.lull.until);

  const deadlines = deadlinesOf(state, now);
  if (state.outbox.length > 0 || (state.plan && JSON.stringify(deadlines) !== state.deadlinesRecorded)) {
    begin({ kind: 'record', key: 'record', deadlines });
  }
  decideClosing(state, now, moves.length > 0, begin, times);
  return { moves, wakeAt: times.length > 0 ? Math.min(...times) : null };
}

/** Nothing is left to do, and nothing is on its way. */
export function incidentOver(state: IncidentState): boolean {
  return state.closed && state.outbox.length === 0 && state.inFlight.length === 0;
}

function decidePages(
  state: IncidentState,
  now: number,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  if (!state.plan || escalationStopped(state)) return;
  if (state.snoozedUntil !== null && now < state.snoozedUntil) return;
  const pages = escalationPages(state.plan.escalation.policy, state.escalationFrom);
  for (const page of pages) {
    const key = pageKey(state, page.slot);
    if (state.pages[key]) continue;
    if (page.dueAt > now) {
      times.push(page.dueAt);
      break;
    }
    const next = pages.find((other) => other.dueAt > page.dueAt);
    begin({
      kind: 'page',
      key,
      target: page.target,
      detail: {
        pass: page.pass,
        level: page.level,
        levels: page.levels,
        nextAt: next ? new Date(next.dueAt).toISOString() : null,
        nextWhat: next ? `level ${next.level}: ${targetName(next.target)}` : null,
      },
    });
  }
}

function decideEvidence(
  state: IncidentState,
  now: number,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  const { nextAt, gathered } = state.evidence;
  if (nextAt === null || state.resolved) return;
  if (nextAt <= now) begin({ kind: 'gather_evidence', key: `evidence:${gathered}` });
  else times.push(nextAt);
}

function decideRunbooks(
  state: IncidentState,
  now: number,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  for (const [runbook, { status, dueAt, alertId, executionId }] of Object.entries(state.runbooks)) {
    if (state.resolved) {
      if (executionId && status === 'waiting')
        begin({ kind: 'withdraw', key: `withdraw:${executionId}`, executionId });
    } else if (status === 'due') {
      if (dueAt <= now)
        begin({ kind: 'start_execution', key: `execution:${runbook}`, runbook, alertId, executionId });
      else times.push(dueAt);
    }
  }
}

/** After the reopen window, when all is said and nothing is on its way. What nothing can reopen does not wait. */
function decideClosing(
  state: IncidentState,
  now: number,
  busy: boolean,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  if (!state.resolved || !state.plan) return;
  const closeAt = closingTime(state);
  if (closeAt > now) times.push(closeAt);
  else if (!busy && state.inFlight.length === 0)
    begin({ kind: 'close', key: 'close', afterSeq: state.feedSeq });
}

function closingTime(state: IncidentState): number {
  const { resolved, plan, status, mergedInto } = state;
  if (!resolved) return Number.POSITIVE_INFINITY;
  return status === 'false_positive' || mergedInto !== null
    ? resolved.at
    : resolved.at + (plan?.reopenWindowMs ?? 0);
}

/** The running timers of the incident, for people. */
export function deadlinesOf(state: IncidentState, now: number): Deadline[] {
  const deadlines: Deadline[] = [];
  const add = (kind: Deadline['kind'], at: number, what: string) => {
    deadlines.push({ kind, at: new Date(at).toISOString(), what });
  };
  if (state.resolved) {
    const closeAt = closingTime(state);
    if (closeAt > now && Number.isFinite(closeAt))
      add('close', closeAt, 'closes for good; until then a new alert reopens it');
    return deadlines;
  }
  if (state.snoozedUntil !== null) add('snooze', state.snoozedUntil, 'snooze ends, escalation goes on');
  if (state.plan && !escalationStopped(state)) {
    const pages = escalationPages(state.plan.escalation.policy, state.escalationFrom);
    const next = pages.find((page) => page.dueAt > now && !state.pages[pageKey(state, page.slot)]);
    if (next) {
      const names = pages.filter((page) => page.dueAt === next.dueAt).map((page) => targetName(page.target));
      add('escalation', next.dueAt, `pages ${names.join(', ')} (level ${next.level})`);
    }
  }
  for (const clock of state.clocks) {
    if (!undecided(clock)) continue;
    const what = clock.kind === 'acknowledge' ? 'to acknowledge' : 'to resolve';
    const left = formatDuration(runningMs(now, clock.dueAt, clock.pauses));
    const paused = clock.state === 'paused' ? ` (paused now, ${left} left)` : '';
    add(`${clock.kind}_sla`, clock.dueAt, `SLA ${clock.policy}: time ${what} is over${paused}`);
  }
  for (const [runbook, matched] of Object.entries(state.runbooks)) {
    if (matched.status === 'due' && matched.dueAt > now)
      add('runbook', matched.dueAt, `runbook ${runbook} is proposed`);
  }
  return deadlines;
}
