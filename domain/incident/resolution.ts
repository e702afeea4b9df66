import { formatDuration } from '../duration.ts';
import type { EscalationTarget } from '../policies.ts';
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
  const told = new Map<string, EscalationTarget>();
  for (const page of Object.values(state.pages)) {
    if (page.status === 'sent') told.set(JSON.stringify(page.target), page.target);
  }
  const notices = [...told.values()].map<Notice>((target, index) => ({
    key: `notice:incident.resolved:${state.openings}:${index}`,
    type: 'incident.resolved',
    target,
    detail: { by, ...detail },
  }));
  return {
    ...state,
    status,
    resolved: { at, by },
    snoozedUntil: null,
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
    resolved: null,
    acknowledged: null,
    openings: state.openings + 1,
    escalationFrom: at,
    pages: {},
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
