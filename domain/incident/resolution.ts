import { formatDuration } from '../duration.ts';
import { onceEach } from '../escalation/once-each.ts';
import { advanceClock, stopClock } from '../sla.ts';
import { startAnalyses } from './analysis-times.ts';
import { advanceClocks } from './clocks.ts';
import type { IncidentState, Notice } from './state.ts';
import { holdfast, plural, tell } from './story.ts';

/** Everything stops: the clocks are judged, the people who were paged are told, nothing else is begun. */
export function close(
  before: IncidentState,
  at: number,
  by: string,
  status: 'resolved' | 'false_positive',
  detail: Notice['detail'] = {},
): IncidentState {
  // a breach that nobody was awake for is told before the clocks stop
  const state = advanceClocks(before, at);
  const paged = Object.values(state.pages).flatMap(({ status, target }) =>
    status === 'sent' ? [target] : [],
  );
  const notices = onceEach(paged).map<Notice>((target, index) => ({
    key: `notice:incident.resolved:${state.openings}:${index}`,
    type: 'incident.resolved',
    target,
    detail: { by, ...detail },
    cause: { event: 'incident.resolved', at: new Date(at).toISOString() },
    dueAt: at,
  }));
  return {
    ...state,
    status,
    resolved: { at, by },
    snoozedUntil: null,
    silence: null,
    reapplying: null,
    lull: { told: state.lull.told, until: null },
    clocks: state.clocks.map((clock) => stopClock(clock, at)),
    notices: [...state.notices.filter((notice) => notice.type === 'incident.resolved'), ...notices],
    evidence: { ...state.evidence, nextAt: null },
  };
}

/** None of its alerts fires any more. */
export function closeByItsAlerts(state: IncidentState, at: number): IncidentState {
  const lasted = formatDuration(at - state.openedAt);
  const summary = `Resolved: ${plural(state.alertCount, 'alert')} over, after ${lasted}`;
  return tell(close(state, at, holdfast, 'resolved'), at, 'resolved', holdfast, summary);
}

/**
 * A resolved incident that fires again: whoever acknowledged is asked again, escalation starts over, and runbooks
 * are called for anew, except one that is still on its way.
 */
export function reopen(state: IncidentState, at: number): IncidentState {
  const next: IncidentState = {
    ...state,
    status: 'investigating',
    began: { event: 'incident.reopened', at, seq: state.seq + 1 },
    renewedSeq: state.seq + 1,
    resolved: null,
    acknowledged: null,
    openings: state.openings + 1,
    escalationFrom: at,
    // what is on its way still comes to its end
    pages: Object.fromEntries(Object.entries(state.pages).filter(([key]) => state.inFlight.includes(key))),
    levels: {},
    runbooks: Object.fromEntries(
      Object.entries(state.runbooks).filter(
        ([name, { status }]) => status === 'waiting' || state.inFlight.includes(`execution:${name}`),
      ),
    ),
    evidence: { ...state.evidence, nextAt: at },
    // what is found anew is told anew
    cause: state.cause?.by ? state.cause : null,
    clocks: state.clocks.map((clock) =>
      clock.kind === 'resolve' && clock.state === 'met'
        ? advanceClock({ ...clock, state: 'running', endedAt: null }, at)
        : clock,
    ),
  };
  return tell(
    state.analysis.on ? startAnalyses(next, at, at) : next,
    at,
    'reopened',
    holdfast,
    'Reopened: it fires again',
  );
}
