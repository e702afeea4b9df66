import { formatDuration } from '../duration.ts';
import { targetName } from '../escalation/pages.ts';
import { stopClock } from '../sla.ts';
import {
  analysisBegun,
  applyAnalysisFailure,
  startAnalyses,
  wantAnalysis,
  wantAnalysisNow,
} from './analysis-times.ts';
import { applyBreachExplanation } from './breach.ts';
import { applyAnalysis, applyCauseJudgement, applyChangeJudgement } from './cause.ts';
import { advanceClocks, armClocks } from './clocks.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import { applyExecutionNamed, applyExecutionReport, applyExecutionStarted } from './executions.ts';
import { endLull, waitForQuiet } from './lull.ts';
import { pageTargetOf } from './page-key.ts';
import {
  applyRegrouped,
  applyRegroupingRefused,
  askRegrouping,
  regroupingOf,
  wantMerge,
} from './regrouping.ts';
import { close, closeByItsAlerts, reopen } from './resolution.ts';
import { restore } from './restored.ts';
import { type IncidentState, isAnalysis } from './state.ts';
import { holdfast, tell } from './story.ts';

/** Logs are asked for at once, and once more when the five minutes after the opening have been written. */
const secondGatheringMs = 5 * 60_000 + 15_000;

/** Folds what happened into the state. Pure: the same state and event always give the same state. */
export function applyEvent(state: IncidentState, event: IncidentEvent): IncidentState {
  switch (event.type) {
    case 'tick':
      return endLull(advanceClocks(endSnooze(state, event.at), event.at), event.at);
    case 'feed_unread':
      return { ...state, feedUnread: true };
    case 'move_started':
      return started(state, event.key, event.at);
    case 'move_failed':
      return applyFailure(landed(state, event.key), event);
    case 'feed_read':
      return applyDigest(landed(state, event.key), event.digest, event.at);
    case 'evidence_gathered':
      return tell(
        wantAnalysisNow(landed(state, event.key), event.at),
        event.at,
        'logs',
        holdfast,
        event.summary,
        { source: event.source },
      );
    case 'analysed':
      return applyAnalysis(landed(state, event.key), event);
    case 'regroup_asked':
      return askRegrouping(state, event);
    case 'regrouped':
      return applyRegrouped(landed(state, event.key), event);
    case 'cause_judged':
      return applyCauseJudgement(state, event);
    case 'change_judged':
      return applyChangeJudgement(state, event);
    case 'page_sent':
      return applyPage(landed(state, event.key), event);
    case 'notice_sent':
      return landed(state, event.key);
    case 'execution_named':
      return applyExecutionNamed(state, event.runbook, event.executionId);
    case 'execution_started':
      return applyExecutionStarted(landed(state, event.key), event);
    case 'execution_reported':
      return applyExecutionReport(state, event);
    case 'recorded':
      return {
        ...landed(state, event.key),
        recordedSeq: Math.max(state.recordedSeq, event.seq),
        outbox: state.outbox.filter((entry) => entry.seq > event.seq),
        deadlinesRecorded: event.deadlines,
      };
    case 'closed':
      return { ...landed(state, event.key), closed: true };
    case 'not_drained':
      return { ...landed(state, event.key), feedUnread: true };
    case 'acknowledged':
      return applyAcknowledgement(state, event);
    case 'resolved':
      return applyPersonsResolve(state, event);
    case 'assigned':
      return tell(
        { ...state, assignedTo: event.to },
        event.at,
        'assigned',
        event.by,
        `Assigned to ${event.to}`,
        { to: event.to },
        'incident.assign',
      );
    case 'noted':
      return tell(state, event.at, 'note', event.by, event.text, {}, 'incident.note');
    case 'snoozed':
      return applySnooze(state, event);
    case 'breach_explained':
      return applyBreachExplanation(state, event);
    case 'status_set':
      return tell(
        { ...state, status: event.status },
        event.at,
        'status',
        event.by,
        `Status set to ${event.status.replaceAll('_', ' ')}`,
        { status: event.status },
        'incident.set_status',
      );
  }
}

/** A source of logs that was away for all attempts of one gathering is asked again, up to so many gatherings. */
const gatherAgainMs = 5 * 60_000;
const mostGatherings = 12;

/**
 * After a gathering that is under way, or has just failed; null: not any more. What began before there were analyses
 * goes by what it was told then.
 */
export function gathersAgainAfterMs({ analysis, evidence }: IncidentState): number | null {
  return analysis.on && evidence.gathered < mostGatherings ? gatherAgainMs : null;
}

function started(before: IncidentState, key: string, at: number): IncidentState {
  const state = { ...before, inFlight: [...before.inFlight, key] };
  // set again by a signal that arrives while the feed is being read
  if (key === 'feed') return { ...state, feedUnread: false };
  if (key.startsWith('evidence:')) {
    const { gathered } = state.evidence;
    const nextAt = gathered === 0 ? Math.max(state.openedAt + secondGatheringMs, at + 60_000) : null;
    return { ...state, evidence: { gathered: gathered + 1, nextAt } };
  }
  if (isAnalysis(key)) return analysisBegun(state, at);
  if (key.startsWith('withdraw:')) {
    const executionId = key.slice('withdraw:'.length);
    const runbooks = Object.entries(state.runbooks).map(([name, matched]) =>
      matched.executionId === executionId ? [name, { ...matched, status: 'withdrawing' }] : [name, matched],
    );
    return { ...state, runbooks: Object.fromEntries(runbooks) };
  }
  return state;
}

function landed(state: IncidentState, key: string): IncidentState {
  return {
    ...state,
    inFlight: state.inFlight.filter((other) => other !== key),
    notices: state.notices.filter((notice) => notice.key !== key),
  };
}

function applyFailure(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'move_failed' }>,
): IncidentState {
  const { key, at, reason } = event;
  const page = pageTargetOf(state, key);
  if (page) {
    const pages = { ...state.pages, [key]: { target: page, status: 'failed' as const } };
    return tell(
      { ...state, pages },
      at,
      'notification_failed',
      holdfast,
      `Could not page ${targetName(page)}: ${reason}`,
      { destination: targetName(page) },
    );
  }
  if (key === 'feed') return { ...state, feedUnread: true };
  if (regroupingOf(state, key)) return applyRegroupingRefused(state, event);
  if (isAnalysis(key)) return applyAnalysisFailure(state, event);
  if (key.startsWith('evidence')) {
    const failed = tell(state, at, 'logs_failed', holdfast, `Logs could not be fetched: ${reason}`);
    const { gathered, nextAt } = state.evidence;
    const againAfterMs = gathersAgainAfterMs(state);
    if (againAfterMs === null || nextAt !== null || state.resolved) return failed;
    return { ...failed, evidence: { gathered, nextAt: at + againAfterMs } };
  }
  if (key.startsWith('execution:')) {
    const runbook = key.slice('execution:'.length);
    const matched = state.runbooks[runbook];
    const runbooks = matched
      ? { ...state.runbooks, [runbook]: { ...matched, status: 'refused' } }
      : state.runbooks;
    return tell(
      { ...state, runbooks },
      at,
      'execution_refused',
      holdfast,
      `Runbook ${runbook} was not started: ${reason}`,
      { runbook },
    );
  }
  if (key.startsWith('notice:')) {
    return tell(state, at, 'notification_failed', holdfast, `A message could not be delivered: ${reason}`);
  }
  return state;
}

function applyDigest(before: IncidentState, digest: FeedDigest, at: number): IncidentState {
  const first = before.plan === null;
  let state: IncidentState = {
    ...before,
    title: digest.title,
    service: digest.service,
    severity: digest.severity,
    alertCount: digest.alertCount,
    firingCount: digest.firingCount,
    feedSeq: Math.max(before.feedSeq, digest.seq),
    plan: before.plan ? { ...before.plan, sla: digest.plan.sla } : digest.plan,
    ...(first
      ? { openedAt: digest.openedAt, escalationFrom: digest.openedAt, evidence: { gathered: 0, nextAt: at } }
      : {}),
  };
  if (first && !state.resolved) state = { ...state, status: 'investigating' };
  if (first && digest.restored) state = restore(state, digest.restored, at);
  // whoever resolved it before anything was read meant just these alerts
  if (!first && digest.firingJoined && state.status === 'resolved' && state.mergedInto === null) {
    state = reopen(state, at);
  }
  if (digest.analysis)
    state = state.analysis.on ? wantAnalysis(state, at) : startAnalyses(state, digest.openedAt, at);
  if (digest.mergeInto) state = wantMerge(state, digest.mergeInto);
  state = armClocks(state, at);
  for (const { runbook, mode, alertId, dueAt } of digest.matches) {
    const known = state.runbooks[runbook];
    // what was refused for one alert may be right for the next
    if (state.resolved || mode === 'manual' || (known && known.status !== 'refused')) continue;
    const matched = { mode, dueAt, alertId, executionId: null, status: 'due' };
    state = { ...state, runbooks: { ...state.runbooks, [runbook]: matched } };
  }
  if (digest.firingCount > 0 || state.resolved) {
    return { ...state, lull: { told: state.lull.told, until: null } };
  }
  if (!digest.flapping) return closeByItsAlerts(state, at);
  const cameAndWent = digest.alertCount > before.alertCount;
  return waitForQuiet(state, { at, quietMs: digest.flapping.quietMs, cameAndWent });
}

function applyPage(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'page_sent' }>,
): IncidentState {
  const target = pageTargetOf(state, event.key);
  if (!target) return state;
  const status = event.skipped === null ? 'sent' : 'skipped';
  const paged = { ...state, pages: { ...state.pages, [event.key]: { target, status } as const } };
  const level = Number(event.key.split(':')[2]?.split('.')[1]) + 1;
  const data = { destination: event.destination, level };
  return event.skipped === null
    ? tell(paged, event.at, 'notification', holdfast, `Paged ${event.destination} (level ${level})`, data)
    : tell(
        paged,
        event.at,
        'notification_skipped',
        holdfast,
        `Did not page ${event.destination}: ${event.skipped}`,
        data,
      );
}

function applyAcknowledgement(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'acknowledged' }>,
): IncidentState {
  // resolve wins: what comes after it is only noted
  if (state.resolved) {
    return tell(
      state,
      event.at,
      'note',
      event.by,
      `Acknowledged after it had been resolved${event.note ? `: ${event.note}` : ''}`,
      {},
      'incident.acknowledge',
    );
  }
  // a breach that nobody was awake for is told before the clock stops
  const judged = advanceClocks(state, event.at);
  const clocks = judged.clocks.map((clock) =>
    clock.kind === 'acknowledge' ? stopClock(clock, event.at) : clock,
  );
  const next = { ...judged, clocks, snoozedUntil: null, acknowledged: { at: event.at, by: event.by } };
  const summary = `Acknowledged after ${formatDuration(event.at - state.openedAt)}${event.note ? `: ${event.note}` : ''}`;
  return tell(next, event.at, 'acknowledged', event.by, summary, {}, 'incident.acknowledge');
}

function applyPersonsResolve(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'resolved' }>,
): IncidentState {
  if (state.resolved) return state;
  const status = event.falsePositive ? 'false_positive' : 'resolved';
  const next = close(state, event.at, event.by, status);
  const words = event.falsePositive ? 'Marked as a false positive' : 'Resolved';
  return tell(
    next,
    event.at,
    status,
    event.by,
    `${words}${event.note ? `: ${event.note}` : ''}`,
    {},
    event.falsePositive ? 'incident.false_positive' : 'incident.resolve',
  );
}

function applySnooze(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'snoozed' }>,
): IncidentState {
  // what is left of the escalation moves by the time that nobody is to be woken; a shorter snooze moves it back
  const silentFrom = Math.max(event.at, state.snoozedUntil ?? event.at);
  const next = {
    ...state,
    snoozedUntil: event.until,
    escalationFrom: state.escalationFrom + event.until - silentFrom,
  };
  return tell(
    next,
    event.at,
    'snoozed',
    event.by,
    `Snoozed for ${formatDuration(event.until - event.at)}`,
    { until: new Date(event.until).toISOString() },
    'incident.snooze',
  );
}

function endSnooze(state: IncidentState, now: number): IncidentState {
  if (state.snoozedUntil === null || now < state.snoozedUntil) return state;
  return tell({ ...state, snoozedUntil: null }, state.snoozedUntil, 'snooze_ended', holdfast, 'Snooze ended');
}
