import { active, advanceAcknowledgement, applyAcknowledgement } from './acknowledgement.ts';
import {
  analysisBegun,
  applyAnalysisFailure,
  startAnalyses,
  wantAnalysis,
  wantAnalysisNow,
} from './analysis-times.ts';
import { announceRead, announceTold, applyAnnounced, applyAnnounceFailed } from './announcements.ts';
import { applyBreachExplanation } from './breach.ts';
import { applyAnalysis, applyCauseJudgement, applyChangeJudgement } from './cause.ts';
import { advanceClocks, armClocks } from './clocks.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import { applyExecutionNamed, applyExecutionReport, applyExecutionStarted } from './executions.ts';
import { applyLevelFailed, applyLevelResolved } from './levels.ts';
import { endLull, waitForQuiet } from './lull.ts';
import { applyPage, applyPageFailed, pageStarted } from './pages.ts';
import { applySilence, applySnooze, endQuiet } from './quiet.ts';
import { applyReapplied, askReapplying } from './reapply.ts';
import {
  applyRegrouped,
  applyRegroupingRefused,
  askRegrouping,
  regroupingOf,
  wantMerge,
} from './regrouping.ts';
import { close, closeByItsAlerts, reopen } from './resolution.ts';
import { restore } from './restored.ts';
import { type IncidentPlan, type IncidentState, isAnalysis } from './state.ts';
import { holdfast, tell } from './story.ts';

/** Logs are asked for at once, and once more when the five minutes after the opening have been written. */
const secondGatheringMs = 5 * 60_000 + 15_000;

/** Folds what happened into the state. Pure: the same state and event always give the same state. */
export function applyEvent(state: IncidentState, event: IncidentEvent): IncidentState {
  const next = announceTold(state, fold(state, event));
  return byPeople.has(event.type) ? active(next, event.at) : next;
}

/** What shows that somebody is at work on it. */
const byPeople = new Set<IncidentEvent['type']>([
  'acknowledged',
  'resolved',
  'assigned',
  'noted',
  'snoozed',
  'status_set',
  'cause_judged',
  'change_judged',
  'breach_explained',
  'regroup_asked',
  'reapply_asked',
]);

function fold(state: IncidentState, event: IncidentEvent): IncidentState {
  switch (event.type) {
    case 'tick':
      return ticked(state, event.at);
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
        event.empty ? landed(state, event.key) : wantAnalysisNow(landed(state, event.key), event.at),
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
    case 'level_resolved':
      return applyLevelResolved(landed(state, event.key), event);
    case 'announced':
      return applyAnnounced(landed(state, event.key), event);
    case 'page_sent':
      return applyPage(landed(state, event.key), event);
    // begun and not on its way, it is begun again when its time comes
    case 'page_held':
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
      return tell(
        state,
        event.at,
        'note',
        event.by,
        event.text,
        event.via === undefined ? {} : { via: event.via },
        'incident.note',
      );
    case 'snoozed':
      return applySnooze(state, event);
    case 'breach_explained':
      return applyBreachExplanation(state, event);
    case 'reapply_asked':
      return askReapplying(state, event);
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

function ticked(before: IncidentState, now: number): IncidentState {
  const state = advanceAcknowledgement(endQuiet(before, now), now);
  return endLull(advanceClocks(state, now), now);
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
  if (key.startsWith('page:')) return pageStarted(state, key);
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
  if (key.startsWith('page:')) return applyPageFailed(state, event);
  if (key.startsWith('level:')) return applyLevelFailed(state, event);
  if (key.startsWith('announce:')) return applyAnnounceFailed(state, event);
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
  if (key.startsWith('notice:') || key.startsWith('rule:')) {
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
    plan: before.plan ? stillInForce(before.plan, digest.plan) : digest.plan,
    ...(first
      ? {
          openedAt: digest.openedAt,
          escalationFrom: digest.openedAt,
          began: { event: 'incident.opened', at: digest.openedAt, seq: null },
          evidence: { gathered: 0, nextAt: at },
        }
      : {}),
  };
  if (digest.seq > before.feedSeq) state = active(state, at);
  if (first && !state.resolved) state = { ...state, status: 'investigating' };
  if (first && digest.restored) state = restore(state, digest.restored, at);
  // whoever resolved it before anything was read meant just these alerts
  const again = !first && digest.firingJoined && state.status === 'resolved' && state.mergedInto === null;
  if (again) state = reopen(state, at);
  state = applySilence(state, digest, { begun: again || (first && !digest.restored), at });
  state = applyReapplied(state, digest.plan, at);
  state = announceRead(state, digest, { opened: first && !digest.restored, at });
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
  if (hasLeft(state)) return state;
  if (!digest.flapping) return closeByItsAlerts(state, at);
  const cameAndWent = digest.alertCount > before.alertCount;
  return waitForQuiet(state, { at, quietMs: digest.flapping.quietMs, cameAndWent });
}

/** All its alerts are with another incident already, and the move has not answered: that says how this one ends. */
function hasLeft({ alertCount, regroupings }: IncidentState): boolean {
  return (
    alertCount === 0 && regroupings.some(({ alertIds, outcome }) => alertIds === null && outcome === null)
  );
}

/** Escalation goes by the plan of the opening; what sets clocks, limits and rules goes by what is now. */
function stillInForce(plan: IncidentPlan, read: IncidentPlan): IncidentPlan {
  const { pattern = plan.pattern, announces = plan.announces } = read;
  return {
    ...plan,
    sla: read.sla,
    ...(pattern === undefined ? {} : { pattern }),
    ...(announces === undefined ? {} : { announces }),
  };
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
