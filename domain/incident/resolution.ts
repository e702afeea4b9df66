import { formatDuration } from '../duration.ts';
import { onceEach } from '../escalation/once-each.ts';
import type { NotifyTarget } from '../notification.ts';
import { advanceClock, stopClock } from '../sla/clock.ts';
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
  const notices = onceEach(paged).map((target, index) =>
    noticeOfTheEnd(`${state.openings}:${index}`, target, { by, ...detail }, at),
  );
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

/**
 * The page of this key left while the incident was being resolved: whoever it reached, and nobody had reached before,
 * hears of the end as well. What began before levels were asked whom they reach goes on as it did.
 */
export function tellTheEndTo(state: IncidentState, key: string, at: number): IncidentState {
  const { resolved, openings, mergedInto, pages, plan } = state;
  const late = pages[key];
  if (!plan?.resolves || !resolved || !late || !key.startsWith(`page:${openings}:`)) return state;
  const told = Object.entries(pages).some(
    ([other, { status, target }]) =>
      other !== key && status === 'sent' && onceEach([target, late.target]).length === 1,
  );
  if (told) return state;
  const detail = { by: resolved.by, ...(mergedInto === null ? {} : { mergedInto }) };
  return { ...state, notices: [...state.notices, noticeOfTheEnd(key, late.target, detail, at)] };
}

function noticeOfTheEnd(what: string, target: NotifyTarget, detail: Notice['detail'], at: number): Notice {
  return {
    key: `notice:incident.resolved:${what}`,
    type: 'incident.resolved',
    target,
    detail,
    cause: { event: 'incident.resolved', at: new Date(at).toISOString() },
    dueAt: at,
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
    heldBack: [],
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
