import { durationMs, formatDuration } from '../duration.ts';
import { onceEach } from '../escalation/once-each.ts';
import type { NotifyTarget } from '../notification.ts';
import { stopClock } from '../sla/clock.ts';
import { advanceClocks } from './clocks.ts';
import type { IncidentEvent } from './events.ts';
import { quietUntil } from './quiet.ts';
import type { IncidentState, Notice } from './state.ts';
import { holdfast, tell } from './story.ts';

/** Who has taken it on, and what becomes of that when nothing happens any more. */

export function applyAcknowledgement(
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

/** Work has gone on: quiet begins anew. */
export function active(state: IncidentState, at: number): IncidentState {
  return { ...state, activity: { at, remindedAt: null } };
}

/** When an acknowledged incident has been quiet for long enough; null: never, or not again. Nobody is told in a silence. */
export function quietTimes(state: IncidentState): { remindAt: number | null; takeBackAt: number | null } {
  const { acknowledged, resolved, plan, activity, silence } = state;
  if (!acknowledged || resolved || !plan?.resolves) return { remindAt: null, takeBackAt: null };
  const { remindAfter, unacknowledgeAfter } = plan.escalation.policy;
  const since = Math.max(acknowledged.at, activity.at);
  const after = (duration: string) => Math.max(since + durationMs(duration), silence?.until ?? 0);
  return {
    remindAt: remindAfter === undefined || activity.remindedAt !== null ? null : after(remindAfter),
    takeBackAt: unacknowledgeAfter === undefined ? null : after(unacknowledgeAfter),
  };
}

/** As it stands at `now`: whoever has it is reminded, and then asked no more. */
export function advanceAcknowledgement(state: IncidentState, now: number): IncidentState {
  const { remindAt, takeBackAt } = quietTimes(state);
  if (takeBackAt !== null && now >= takeBackAt) return takeBack(state, now);
  return remindAt !== null && now >= remindAt ? remind(state, now) : state;
}

function remind(state: IncidentState, at: number): IncidentState {
  const quiet = formatDuration(quietFor(state, at));
  const summary = `Reminded ${state.acknowledged?.by}: nothing has happened for ${quiet}`;
  const told = tell(state, at, 'reminded', holdfast, summary);
  return {
    ...told,
    activity: { ...state.activity, remindedAt: at },
    notices: [...told.notices, ...toWhoeverHasIt(state, 'escalation.reminder', told.seq, at)],
  };
}

/** Escalation begins anew, as a round with keys of its own. What was seen of the acknowledged incident is out of date. */
function takeBack(state: IncidentState, at: number): IncidentState {
  const { acknowledged } = state;
  const quiet = formatDuration(quietFor(state, at));
  const summary = `Acknowledgement by ${acknowledged?.by} taken back: nothing has happened for ${quiet}; escalation begins anew`;
  const round = state.rounds + 1;
  const told = tell(state, at, 'unacknowledged', holdfast, summary, { by: acknowledged?.by ?? null, round });
  return {
    ...newRound(told, 'escalation.restarted', at),
    acknowledged: null,
    renewedSeq: told.seq,
    activity: { at, remindedAt: null },
    notices: [...told.notices, ...toWhoeverHasIt(state, 'escalation.restarted', told.seq, at)],
  };
}

/** Every level is asked and told again, from `at` on; where nobody is to be woken then, from the end of that on. */
export function newRound(state: IncidentState, event: string, at: number): IncidentState {
  return {
    ...state,
    rounds: state.rounds + 1,
    began: { event, at, seq: state.seq },
    escalationFrom: Math.max(at, quietUntil(state) ?? at),
    heldBack: [],
    levels: {},
  };
}

function quietFor({ acknowledged, activity }: IncidentState, at: number): number {
  return at - Math.max(acknowledged?.at ?? at, activity.at);
}

function toWhoeverHasIt(
  state: IncidentState,
  type: 'escalation.reminder' | 'escalation.restarted',
  seq: number,
  at: number,
): Notice[] {
  return whoHasIt(state).map((target, index) => ({
    key: `notice:${type}:${seq}:${index}`,
    type,
    target,
    detail: { quietFor: quietFor(state, at) },
    cause: { event: type, at: new Date(at).toISOString(), seq },
    dueAt: at,
  }));
}

/** The way that reached them; else their mail. Of somebody without an address, those who were paged. */
function whoHasIt({ acknowledged, pages }: IncidentState): NotifyTarget[] {
  const by = acknowledged?.by.toLowerCase() ?? '';
  const sent = Object.values(pages).flatMap(({ status, target }) => (status === 'sent' ? [target] : []));
  const reached = sent.find((target) => target.type === 'contact' && target.email === by);
  if (reached) return [reached];
  return by.includes('@') ? [{ type: 'email', address: by }] : onceEach(sent);
}
