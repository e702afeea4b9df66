import { escalationPages, targetName, whomItReaches } from '../escalation/pages.ts';
import type { Deadline } from '../incident-status.ts';
import type { NotificationCause, NotifyTarget } from '../notification.ts';
import type { EscalationPolicy, EscalationTarget } from '../policies.ts';
import { nextClockChange } from '../sla/clock.ts';
import { quietTimes } from './acknowledgement.ts';
import { analysisKey, nextAnalysisAt } from './analysis-times.ts';
import { announceKey, announcementsToBegin, wakesNobody } from './announcements.ts';
import { closingTime, deadlinesOf } from './deadlines.ts';
import { causeOfLevel, type Level, type LevelPage, levelsOf, pagesOf } from './levels.ts';
import { pageKey } from './page-key.ts';
import { quietUntil } from './quiet.ts';
import { regroupingKey } from './regrouping.ts';
import {
  type Announcement,
  escalationStopped,
  type IncidentState,
  type Notice,
  type Regrouping,
} from './state.ts';

/** What the workflow begins next. `key` names the effect: the same key is never in flight twice. */
export type IncidentMove =
  | { kind: 'read_feed'; key: 'feed'; afterSeq: number }
  | { kind: 'gather_evidence'; key: string }
  | { kind: 'analyse'; key: string }
  | { kind: 'regroup'; key: string; regrouping: Regrouping }
  | { kind: 'resolve_level'; key: string; dueAt: number; targets: EscalationTarget[] }
  | {
      kind: 'page';
      key: string;
      target: NotifyTarget;
      detail: Notice['detail'];
      cause: NotificationCause;
      dueAt: number;
      /** There is no other way to reach the person if this one fails. */
      last: boolean;
    }
  | { kind: 'announce'; key: string; announcement: Announcement }
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
  // a silence holds back what would tell people, but not the end of what they were told of
  for (const notice of state.notices) {
    if (state.silence === null || notice.type === 'incident.resolved' || wakesNobody(notice.type)) {
      begin({ kind: 'notice', key: notice.key, notice: withCause(notice, now) });
    }
  }
  for (const announcement of announcementsToBegin(state)) {
    begin({ kind: 'announce', key: announceKey(announcement), announcement });
  }
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
  const { remindAt, takeBackAt } = quietTimes(state);
  for (const time of [state.snoozedUntil, state.silence?.until ?? null, remindAt, takeBackAt]) {
    if (time !== null) times.push(time);
  }
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

/** Every message says why it is sent. */
function withCause(notice: Notice, now: number): Notice {
  const { type, cause = { event: type, at: new Date(now).toISOString() }, dueAt = now } = notice;
  return { ...notice, cause, dueAt };
}

function decidePages(
  state: IncidentState,
  now: number,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  if (!state.plan || escalationStopped(state)) return;
  const quiet = quietUntil(state);
  if (quiet !== null && now < quiet) return;
  if (state.plan.resolves) decideLevels(state, now, begin, times);
  else decideWrittenPages(state, state.plan.escalation.policy, now, begin, times);
}

/** Each level is asked whom it reaches when its time comes; whoever it reached is told step by step. */
function decideLevels(
  state: IncidentState,
  now: number,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  const levels = levelsOf(state);
  for (const [index, level] of levels.entries()) {
    const { key, dueAt, targets, reached } = level;
    if (reached) {
      for (const page of pagesOf(state, level, reached)) {
        const status = state.pages[page.key]?.status;
        if (status !== undefined && status !== 'started') continue;
        if (page.dueAt === null || page.dueAt <= now)
          begin(pageMove(state, level, levels[index + 1], page, now));
        else times.push(page.dueAt);
      }
    } else if (dueAt <= now) begin({ kind: 'resolve_level', key, dueAt, targets });
    else {
      times.push(dueAt);
      break;
    }
  }
}

function pageMove(
  state: IncidentState,
  level: Level,
  next: Level | undefined,
  { key, target, dueAt, last, ...why }: LevelPage,
  now: number,
): IncidentMove {
  const known = Object.entries(why).filter(([, value]) => value !== null);
  const levelDueAt = new Date(level.reached?.dueAt ?? level.dueAt).toISOString();
  const { quietEnded } = state;
  return {
    kind: 'page',
    key,
    target,
    last,
    // what a snooze has held back was not late meanwhile
    dueAt: Math.min(Math.max(dueAt ?? now, quietEnded?.at ?? 0), now),
    cause: { ...causeOfLevel(state, level), levelDueAt, ...Object.fromEntries(known) },
    detail: {
      pass: level.pass,
      level: level.level,
      levels: level.levels,
      nextAt: next ? new Date(next.dueAt).toISOString() : null,
      nextWhat: next ? `level ${next.level}: ${next.targets.map(whomItReaches).join(', ')}` : null,
      opening: state.openings,
      since: Math.max(state.renewedSeq, quietEnded?.seq ?? 0),
    },
  };
}

/** As before it could be asked whom a level reaches: every target is told as it is written. */
function decideWrittenPages(
  state: IncidentState,
  policy: EscalationPolicy,
  now: number,
  begin: (move: IncidentMove) => void,
  times: number[],
): void {
  const pages = escalationPages(policy, state.escalationFrom);
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
      last: true,
      dueAt: page.dueAt,
      cause: causeOfLevel(state, page),
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
